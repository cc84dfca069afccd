"""Twenty secrets, wherever a project and its user have one, through every command there is."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.commands_page import every_command
from tests.support.light import MODEL, STACK, Ended, LightProject, command
from tests.support.payloads import undocumented

pytestmark = [pytest.mark.engine, pytest.mark.slow]

PLACES: Final = (
    "variable",
    "nested",
    "var-option",
    "var-file",
    "tf-var",
    "user-data",
    "printed",
    "access-key",
    "session-token",
    "stored-key",
    "stored-token",
    "profile-url",
    "endpoint",
    "proxy",
    "backend",
    "backend-url",
    "cli-token",
    "token",
    "mirror",
    "private-key",
    "remote",
    "unrelated",
)
CANARY: Final = {place: f"canary-{place}-5d1f" for place in PLACES}
# Where a secret belongs: what holds it from the start, the state, and a plan until it is applied.
BELONGS: Final = {"plan.tfplan", "variables.tfvars.json"}

_VALUES: Final = ("--var-file", "more.tfvars", "--var", f"secret={CANARY['var-option']}")
_NOBODY: Final = ("--stack", "nobody")
_S3: Final = ("--bucket", "lab-state", "--region", "eu-west-2", "--key", "k")
_BUCKET: Final = ("--var", "use_existing_bucket_url=s3://my-bucket")
_LEAKY: Final = ("--var", f"use_existing_bucket_url=https://me:{CANARY['var-option']}@lab/b")
_INIT: Final = ("--no-input", "--region", "eu-west-2", "--vpc-id", "vpc-0abc1234")
# Each command as it succeeds here, and as it fails; in the order in which they build on each other.
CALLS: Final[dict[str, list[tuple[str, ...]]]] = {
    "synth": [(), ("--project-dir", "nowhere")],
    "init": [
        ("second", *_INIT, "--subnet-id", "subnet-0abc1234"),
        ("third", *_INIT, "--subnet-id", "x"),
    ],
    "keygen": [("lab-vm",), ("light",)],
    "lock": [(), _NOBODY],
    "validate": [(), _NOBODY],
    "plan": [
        (),
        _VALUES,
        ("--var", f"scret={CANARY['var-option']}"),
        ("--var", f"nested={CANARY['var-option']}"),
        ("--var-file", "broken.tfvars"),
    ],
    "show": [(), ("--format", "html", "--out", "report.html"), ("--full",), ("nothing",)],
    "plans": [(), ("--prune",), ("--push", "nothing"), ("--pull", "0" * 64), _NOBODY],
    "cost": [(), ("--refresh",), ("nothing",)],
    "approve": [("--key", "home/.ssh/light"), ("--add", "failed.log"), ()],
    "apply": [("nothing",), ()],
    "output": [(), ("word",), ("nothing",)],
    "drift": [(), _VALUES, _NOBODY],
    "history": [(), _NOBODY],
    "status": [(), ("--deep",)],
    "jobs": [()],
    "smoke": [()],
    "vm stop": [(), ("--force",)],
    "vm start": [()],
    "vm idle-stop": [("60",)],
    "connect": [("--", "docker", "ps"), ("--ssh-config",)],
    "nextflow-config": [("--out", "pipeline")],
    "diagnose": [("failed.log",), ("nothing.log",), ()],
    "doctor": [("--toolchain",), ("--commands",), (), _LEAKY],
    "policy deployer": [(), _VALUES, _LEAKY],
    "policy check": [("policy.json",), ("broken.tfvars",)],
    "policy vm": [(), _VALUES, ("--bucket", *_BUCKET), ("--bucket", *_LEAKY)],
    "backend create": [_S3, ("--bucket", f"https://me:{CANARY['var-option']}@lab")],
    "backend check": [_S3[:4]],
    "backend policy": [_S3, ("--stack", "kept")],
    "backend migrate": [_NOBODY, ("--stack", "kept"), ("--stack", STACK)],
    "sandbox run": [("--", "true"), ("--", "false")],
    "demo": [("--project-dir", "nowhere")],
    "adopt": [("--ids", "broken.tfvars"), ("--state", "nothing.tfstate")],
    "eject": [("ejected", *_VALUES), ("ejected", *_NOBODY)],
    "destroy": [(), ("--confirm", STACK)],
}
FOUND: Final = {
    name: {word for each in found.params for word in each.opts}
    for name, found in every_command().items()
}


# Two have no other format; under JSON `output` has sensitive outputs in clear, as its help says.
TEXT_ONLY: Final = {"connect", "sandbox run", "output"}


class Planted(LightProject):
    """A project, its user's home and environment with a secret in every place for one."""

    def __init__(self, folder: Path) -> None:
        model: dict[str, Any] = copy.deepcopy(MODEL)
        data = model["resource"]["terraform_data"]
        data["machine"] = {"input": {"user_data": CANARY["user-data"]}}
        data["shout"] = {"provisioner": [{"local-exec": {"command": "echo ${var.printed}"}}]}
        model["variable"]["printed"] = {"type": "string", "default": "", "sensitive": True}
        backend = {"kind": "partial", "config_files": ["lab.hcl"]}
        settings = {"stacks": {STACK: {}, "kept": {"backend": backend}}}
        kept = {**model, "terraform": {"backend": {"s3": {}}}}
        super().__init__(folder, {STACK: model, "kept": kept}, settings)
        url = f"https://me:{CANARY['backend-url']}@lab:1"
        home = folder / "home"
        self.planted = {
            folder / "terraform.tfvars.json": json.dumps(
                {
                    "secret": CANARY["variable"],
                    "nested": {"list": ["harmless", CANARY["nested"]]},
                    "printed": CANARY["printed"],
                }
            ),
            folder / "more.tfvars": f'secret = "{CANARY["var-file"]}"\n',
            folder / "broken.tfvars": f'secret = "{CANARY["var-file"]}\nword = [\n',
            folder / "lab.hcl": f'bucket = "lab"\nregion = "eu-west-2"\nkey = "k"\n'
            f'secret_key = "{CANARY["backend"]}"\nendpoints = {{ s3 = "{url}" }}\n',
            folder / "failed.log": f"Error: proxy http://me:{CANARY['proxy']}@lab refused\n",
            folder / "policy.json": '{"Version": "2012-10-17", "Statement": []}',
            folder / ".git" / "config": f'[remote "origin"]\nurl = https://me:{CANARY["remote"]}@h',
            home / ".aws" / "credentials": "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n"
            f"aws_secret_access_key = {CANARY['stored-key']}\n"
            f"aws_session_token = {CANARY['stored-token']}\n",
            home / ".aws" / "config": "[default]\nregion = eu-west-2\nmax_attempts = 1\n"
            f"endpoint_url = http://me:{CANARY['profile-url']}@127.0.0.1:9\n",
            home / ".terraformrc": f'credentials "lab" {{ token = "{CANARY["cli-token"]}" }}\n',
            home / ".ssh" / "light": "-----BEGIN OPENSSH PRIVATE KEY-----\n"
            f"{CANARY['private-key']}\n-----END OPENSSH PRIVATE KEY-----\n",
        }
        for path, text in self.planted.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o600)
        self.temporary = folder.parent / "temporary"
        self.temporary.mkdir()

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return an environment with secrets, in which nothing of AWS answers."""
        return super().environment(
            {
                "TMPDIR": str(self.temporary),
                "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
                "AWS_SECRET_ACCESS_KEY": CANARY["access-key"],
                "AWS_SESSION_TOKEN": CANARY["session-token"],
                "AWS_ENDPOINT_URL": f"http://me:{CANARY['endpoint']}@127.0.0.1:9",
                "AWS_MAX_ATTEMPTS": "1",
                "HTTPS_PROXY": f"http://me:{CANARY['proxy']}@127.0.0.1:9",
                "TF_TOKEN_lab": CANARY["token"],
                "TF_VAR_secret": CANARY["tf-var"],
                "DATABASE_URL": f"postgres://me:{CANARY['unrelated']}@db/x",
                **(more or {}),
            }
        )

    def call(self, name: str, words: tuple[str, ...], *, as_json: bool) -> Ended:
        """Run a command, as text or as JSON where it knows that."""
        own, dashes, foreign = (
            (words, (), ())
            if "--" not in words
            else (words[: words.index("--")], ("--",), words[words.index("--") + 1 :])
        )
        more: tuple[str, ...] = ("--output", "json") if as_json else ()
        if "--stack" in FOUND[name] and "--stack" not in own:
            more += ("--stack", STACK)
        words = (*name.split(), *own, *more, *dashes, *foreign)
        # Refused, so it is there where a command fails in any case.
        mirror = {"BIOMODAL_PROVIDER_MIRROR": f"https://me:{CANARY['mirror']}@127.0.0.1:9/"}
        environment = self.environment(mirror if own == _NOBODY else None)
        return command(self.folder, words, environment, timeout=900)

    def leaks(self) -> list[str]:
        """Return the files that hold a secret which is none of theirs."""
        return [
            f"{path.relative_to(self.folder.parent)}: {canary}"
            for path in sorted(self.folder.parent.rglob("*"))
            if path.is_file()
            and not path.is_relative_to(self.folder / "state")
            and path.name not in BELONGS
            for canary in CANARY.values()
            if canary.encode() in path.read_bytes() and not self._is_its_own(path, canary)
        ]

    def _is_its_own(self, path: Path, canary: str) -> bool:
        # What the stack itself says of the user data is synthesized, and is no secret of Terraform.
        of_the_app = ("model.json", "cdk.tf.json")
        return canary in self.planted.get(path, "") or (
            canary == CANARY["user-data"] and path.name in of_the_app
        )


def test_every_command_is_called() -> None:
    """A new command is asked for here before it can print a secret."""
    assert set(CALLS) == set(FOUND)
    assert len(CANARY) >= 20


def test_no_command_lets_a_secret_out(tmp_path: Path) -> None:
    """Succeeding or failing, as text or JSON: none on stdout, on stderr, or in another file."""
    project = Planted(tmp_path / "project")
    for name, calls in CALLS.items():
        for words in calls:
            for as_json in (False,) if name in TEXT_ONLY else (False, True):
                ended = project.call(name, words, as_json=as_json)
                called = f"{name} {' '.join(words)} -> {ended.status}"
                printed = ended.out + ended.err
                found = [each for each in CANARY.values() if each in printed]
                assert found == [], f"{called}\n{printed}"
                assert "Traceback" not in printed, f"{called}\n{printed}"
                if as_json and ended.data is not None:
                    assert undocumented(name, ended.data) == [], called
        assert project.leaks() == [], name
