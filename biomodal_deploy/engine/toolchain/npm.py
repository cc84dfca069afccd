"""Run npm on the chosen Node: `python -m biomodal_deploy.engine.toolchain.npm ci`."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Never

from biomodal_deploy.engine.toolchain.node import embedded_package, find_node, node_environment
from biomodal_deploy.engine.toolchain.tool import Tool
from biomodal_deploy.errors import UsageError


def npm_command(node: Tool, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the arguments that start npm on this Node."""
    beside = shutil.which("npm", path=str(node.path.parent)) if node.path else None
    if node.source == "path":
        beside = shutil.which("npm", path=environ.get("PATH", os.defpath)) or beside
    if node.source != "embedded" and beside:
        return [beside]
    package = embedded_package()
    # The wheel's own bin/npm is a copy of a link and does not find its modules.
    script = package / "lib/node_modules/npm/bin/npm-cli.js" if package else Path()
    if not script.is_file():
        raise UsageError(
            f"no npm beside {node.path}",
            field="npm",
            fix='install npm, or pip install "biomodal-aws[node]"',
        )
    return [str(node.path), str(script)]


def main(arguments: Sequence[str]) -> Never:
    """Become npm: this process is replaced, so signals and exit status are npm's own."""
    node = find_node()
    command = npm_command(node)
    os.execve(command[0], [*command, *arguments], {**os.environ, **node_environment(node)})  # noqa: S606 - an argument list, no shell


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UsageError as error:
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(error.exit_status) from None
