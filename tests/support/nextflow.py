"""Whether Nextflow can read a configuration: by itself where it is, else by Groovy's grammar."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import tree_sitter
import tree_sitter_groovy


def nextflow_reads(text: str, folder: Path) -> str | None:
    """Return the configuration as Nextflow reads it; None where there is no Nextflow here."""
    program = shutil.which("nextflow")
    if program is None:
        return None
    (folder / "nextflow.config").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [program, "config", "-flat"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def groovy_errors(text: str) -> list[str]:
    """Return what Groovy's grammar does not take, each with its line.

    It is a grammar check and not Nextflow: whether an option exists is not its question.
    """
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_groovy.language()))
    found: list[str] = []
    waiting = [parser.parse(text.encode()).root_node]
    while waiting:
        node = waiting.pop()
        if node.is_error or node.is_missing:
            found.append(f"line {node.start_point[0] + 1}: {node.type}")
        waiting.extend(node.children)
    return found
