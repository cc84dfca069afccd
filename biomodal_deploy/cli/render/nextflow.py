"""Nextflow's files: as text, or where they were written."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from biomodal_deploy.vm.nextflow.files import Written


def show_written(console: Console, written: Written) -> None:
    """Print each file, and what to do with them."""
    for path in written.paths:
        word = "wrote" if path in written.changed else "as it was"
        console.print(Text(f"{word:<9} {path}"), soft_wrap=True)
    console.print("Copy both to the folder on the VM in which Nextflow runs, and there:")
    console.print("  . ./nextflow.env && nextflow run PIPELINE")
