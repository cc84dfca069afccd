"""A deployment that was made without this project: the vendor's root, its module and its script."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Final

from biomodal_deploy.sandbox import Sandbox
from tests.support.life import use_described_module

SOURCE: Final = "https://github.com/cegx-ds/terraform-aws-bootstrap.git"
SCRIPT: Final = "#!/bin/bash\necho the lab's own\n"


def write_vendor_root(folder: Path, sandbox: Sandbox, vm_name: str) -> None:
    """Write a root that calls the module under a name of its own, beside a repository."""
    account = sandbox.account
    folder.mkdir()
    use_described_module(folder, sandbox.public_key)
    (folder / "setup.sh").write_text(SCRIPT)
    call: dict[str, Any] = {
        "source": "./bootstrap",
        "account_id": account.account_id,
        "name": vm_name,
        "vpc_id": account.vpc_id,
        "subnet_id": account.subnet_ids[0],
        "ami_owners": ["099720109477"],
        "ami_filter": {"name": ["ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*"]},
        "instance_type": "t3.large",
        "eip_enabled": "true",
        "metadata_http_tokens_required": False,
        "root_block_device_volume_size": 100,
        "user_data_base64": '${filebase64("setup.sh")}',
        "create_bucket": True,
        "deploy_batch": True,
        "tags": {"environment": "development"},
    }
    document = {
        "provider": {"aws": {"region": account.region}},
        "resource": {"aws_ecr_repository": {"biomodal": {"name": vm_name}}},
        "module": {"orchestrator": call},
    }
    (folder / "main.tf.json").write_text(json.dumps(document, indent=1))


def serve_module(home: Path, sandbox: Sandbox) -> None:
    """Let Git find the module's branch on this machine, for whoever has this home."""
    work = home / "module"
    work.mkdir()
    use_described_module(work, sandbox.public_key)
    repository = work / "bootstrap"
    identity = ("-c", "user.name=t", "-c", "user.email=t@localhost")
    for words in (
        ("init", "--quiet", "--initial-branch=module_update"),
        ("add", "."),
        (*identity, "commit", "--quiet", "--message=module"),
    ):
        subprocess.run(["git", *words], cwd=repository, check=True, timeout=60)
    (home / ".gitconfig").write_text(f'[url "file://{repository}"]\n\tinsteadOf = {SOURCE}\n')
