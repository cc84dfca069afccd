"""The VM's start-up script as user data."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from constructs import Construct

from stacks.script_file import read_script

LONGEST_USER: Final = 32
# Who may use Docker's socket: 666 is everyone on the VM, 660 root and the group "docker".
SOCKET_MARK: Final = "${DOCKER_SOCKET_MODE:-666}"
# Where the script names the user that the docker group gets; Terraform puts `ssh_user` there.
USER_MARK: Final = "${SSH_USER:-ubuntu}"


def user_data(scope: Construct, script: Path, *, docker_by_group: bool = False) -> str:
    """Copy the script into the stack's directory and return it as base64 user data.

    The JSON refers to the file, so that a reviewer reads the script and not its base64.

    Args:
        script: The install script.
        docker_by_group: Whether only root and the group "docker" may use Docker.

    Raises:
        UsageError: The script is missing, unreadable or too long for EC2.
    """
    # Terraform's `file` takes no other encoding.
    file = read_script(script, "The install script", encoding="utf-8", named="UTF-8")
    # At plan time `ssh_user` takes the default user's place, and may be the longest name there is.
    longer = LONGEST_USER - len("ubuntu")
    file.refuse_beyond_limit(len(file.content) + file.content.count(USER_MARK.encode()) * longer)
    text = _replaced(
        file.copied_into(scope, "install_script"), USER_MARK, "$${SSH_USER:-${var.ssh_user}}"
    )
    if docker_by_group:
        text = _replaced(text, SOCKET_MARK, SOCKET_MARK.replace("666", "660").replace("${", "$${"))
    return f"${{base64encode({text})}}"


def _replaced(expression: str, mark: str, by: str) -> str:
    mark = mark.replace("${", "$${")
    return f'replace({expression}, "{mark}", "{by}")'
