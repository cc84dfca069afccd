"""A local stand-in for the upstream module, which cannot be fetched without internet access.

It takes exactly the inputs of the module's published interface, with their types, and gives out
what it was given. Terraform then checks and evaluates the real module call; only the module's own
resources are missing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from tests.support.project import ROOT

INTERFACE: Final[dict[str, Any]] = json.loads(
    (ROOT / "tests" / "data" / "bootstrap_module.json").read_text()
)
DIRECTORY: Final = "standin"
_SUFFIXES: Final = (".tf.json", ".tf")
# What the module gives out, as far as its interface says; the rest is only there to be there.
_OUTPUTS: Final = {
    "bucket_id": '${var.create_bucket ? "${var.name}20240101000000000000000001" : "n/a"}',
    "private_key_filename": "${var.ssh_public_key_path}/${var.name}.pem",
    "ssh_user": "${var.ssh_user}",
    "public_ip": "192.0.2.10",
    "private_ip": "10.0.0.10",
}


def use_standin(stack: Path, source: str) -> None:
    """Point a stack, synthesized or ejected, JSON or HCL, at a stand-in beside it.

    One more output, `received`, tells what the stand-in was given.
    """
    for path in (stack / f"{name}{suffix}" for name in ("cdk", "main") for suffix in _SUFFIXES):
        if path.exists():
            text = path.read_text()
            assert text.count(source) == 1
            path.write_text(text.replace(source, f"./{DIRECTORY}"))
    inputs = INTERFACE["inputs"]
    names = ", ".join(f"{name} = var.{name}" for name in inputs)
    document = {
        "variable": {name: each | {"nullable": True} for name, each in inputs.items()},
        "output": {
            **{name: {"value": _OUTPUTS.get(name, name)} for name in INTERFACE["outputs"]},
            "received": {"value": f"${{{{{names}}}}}"},
        },
    }
    (stack / DIRECTORY).mkdir(exist_ok=True)
    (stack / DIRECTORY / "main.tf.json").write_text(json.dumps(document, indent=2))
    received = {"output": {"received": {"value": "${module.bootstrap.received}"}}}
    (stack / "received.tf.json").write_text(json.dumps(received))
