"""The VM's start-up script as user data."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from cdktf import TerraformAsset
from constructs import Construct

from biomodal_deploy.errors import UsageError

# EC2 API reference, RunInstances: 16 KB before base64.
USER_DATA_LIMIT: Final = 16_384
LONGEST_USER: Final = 32
# Who may use Docker's socket: 666 is everyone on the VM, 660 root and the group "docker".
SOCKET_MARK: Final = "${DOCKER_SOCKET_MODE:-666}"
# Where the script names the user that the docker group gets; Terraform puts `ssh_user` there.
USER_MARK: Final = "${SSH_USER:-ubuntu}"


def user_data(scope: Construct, script: Path, *, docker_by_group: bool = False) -> str:
    """Copy the script into the stack's directory and return it as base64 user data.

    The JSON refers to the file, so that a reviewer reads the script and not its base64.

    Args:
        scope: The stack.
        script: The install script.
        docker_by_group: Whether only root and the group "docker" may use Docker.

    Raises:
        UsageError: The script is missing, unreadable or too long for EC2.
    """
    try:
        content = script.read_bytes()
        # Terraform's `file` takes no other encoding.
        text = content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(
            f"The install script cannot be read ({reason})",
            field=f"scripts/{script.name}",
            fix="restore the file from version control",
        ) from None
    # At plan time `ssh_user` takes the default user's place, and may be the longest name there is.
    size = len(content) + text.count(USER_MARK) * (LONGEST_USER - len("ubuntu"))
    if size > USER_DATA_LIMIT:
        raise UsageError(
            f"EC2 takes at most {USER_DATA_LIMIT} bytes of user data",
            field=f"scripts/{script.name}",
            value=size,
            fix="shorten the script, or let it download the rest",
        )
    asset = TerraformAsset(
        scope,
        "install_script",
        path=str(script),
        # The content's own digest: an edited script then shows in the synthesized JSON too.
        asset_hash=hashlib.sha256(content).hexdigest()[:12],
    )
    text = _replaced(
        f'file("${{path.module}}/{asset.path}")', USER_MARK, "$${SSH_USER:-${var.ssh_user}}"
    )
    if docker_by_group:
        text = _replaced(text, SOCKET_MARK, SOCKET_MARK.replace("666", "660").replace("${", "$${"))
    return f"${{base64encode({text})}}"


def _replaced(expression: str, mark: str, by: str) -> str:
    mark = mark.replace("${", "$${")
    return f'replace({expression}, "{mark}", "{by}")'
