"""`biomodal-aws keygen`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.session import emit
from biomodal_deploy.vm.ssh_key import make_key

SSH_DIRECTORY = Path("~/.ssh")


def keygen(
    name: Annotated[str, typer.Argument(help="The VM's name: vm_name of terraform.tfvars.")],
    directory: Annotated[
        Path, typer.Option("--directory", help="Folder of the two files.")
    ] = SSH_DIRECTORY,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Create the VM's SSH key pair on this machine.

    An ed25519 key: NAME.pem, mode 0600, and NAME.pub, which the native stack reads: Terraform sees
    the public half alone. A key that is there is never overwritten.

    Example: biomodal-aws keygen development-vm
    """
    files = make_key(directory.expanduser(), name)

    def show(console: Console) -> None:
        console.print("Created" if files.made else "Already exists; nothing was changed")
        console.print(f"  private key  {files.private}")
        console.print(f"  public key   {files.public}")

    return emit(files, show, output)
