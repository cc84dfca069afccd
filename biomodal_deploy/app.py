"""The app's front: read the settings, build the stacks, synthesize. Every `main.py` calls it.

It runs in a process of its own, and the workflow never imports the stacks. They are the project's
own where it has some (a clone, or `biomodal-aws init --eject-app`), else those that the package
carries. None of them is on the path of other programs: `stacks` is a name that anybody may use.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from pathlib import Path

# Before pydantic is imported: it would look through all installed packages for plugins, which
# takes time and lets a stranger's code see the settings.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from biomodal_deploy.config.settings import (
    APP_SOURCES,
    StackSettings,
    has_own_app,
    output_directory,
    read_project_file,
    read_stacks,
)
from biomodal_deploy.config.tfvars.files import automatic_files, read_file
from biomodal_deploy.engine.toolchain.node import find_node
from biomodal_deploy.errors import EXIT_INTERRUPTED, BiomodalError, EngineError, UsageError


def synthesize_project(project: Path) -> int:
    """Synthesize every stack of a project's `cdktf.json` and return the exit status.

    Args:
        project: The folder that holds it.
    """
    # A cancelled job or a closed terminal ends as Ctrl-C does: Node's temporary folder goes too.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # Under nohup it is not.
            signal.signal(number, signal.default_int_handler)
    try:
        _refuse_shadowed_package(project)
        project_file = read_project_file(project)
        settings = read_stacks(project_file)
        output = output_directory(project, project_file)
        _refuse_own_folder(project, output)
        _name_node(os.environ.get("JSII_NODE"))
        _write_hcl_stably()
        # Only now: starting jsii costs a second, and wrong settings are answered at once.
        try:
            sys.path.insert(0, str((project if has_own_app(project) else APP_SOURCES).absolute()))
            synthesis = import_module("stacks.synthesis")
        except OSError as error:
            raise EngineError(
                f"Node, which runs the constructs, cannot be started ({error.strerror or error})",
                advice="make room in the temporary folder, or set TMPDIR to another",
            ) from None

        synthesis.synthesize(
            settings,
            install_script=project / "scripts" / "install_script.sh",
            output=output,
            others={name: _values_of_others(project, each) for name, each in settings.items()},
        )
    except BiomodalError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return 0


def _values_of_others(project: Path, settings: StackSettings) -> dict[str, str]:
    """Return what the project's own files say, and a stack's own say otherwise.

    cdktf's command line reads the former for every stack, and never the latter: it would plan
    another stack's names, subnet and key.
    """
    found: dict[str, str] = {}
    # A file that is missing or wrong is the business of whoever uses its values.
    with suppress(UsageError):
        shared = _texts(automatic_files(project))
        own = _texts([project / each for each in settings.var_files])
        found = {name: text for name, text in shared.items() if own.get(name, text) != text}
    return found


def _texts(paths: Iterable[Path]) -> dict[str, str]:
    read = (read_file(path).attributes.items() for path in paths)
    # What would begin a template in the condition is nobody's name, subnet or key.
    return {
        name: each.value
        for items in read
        for name, each in items
        if isinstance(each.value, str) and "{" not in each.value
    }


def _write_hcl_stably() -> None:
    # cdktf takes 1 for true where it writes, and not where it names the file: HCL in cdk.tf.json.
    if os.environ.get("SYNTH_HCL_OUTPUT") == "1":
        os.environ["SYNTH_HCL_OUTPUT"] = "true"


def _refuse_shadowed_package(project: Path) -> None:
    package = Path("constructs") / "__init__.py"
    if (project / package).exists():
        raise UsageError(
            "shadows the PyPI package `constructs`, which cdktf imports",
            field=str(package),
            fix="delete the file",
        )


def _refuse_own_folder(project: Path, output: Path) -> None:
    # Here alone: another app's project may have no `stacks` of its own.
    if os.path.realpath(output) == os.path.realpath(project):
        raise UsageError(
            "The output folder is the project's own, where `stacks` holds the app's sources",
            field=str(output),
            fix="correct CDKTF_OUTDIR, or `output` in cdktf.json",
        )


def _name_node(chosen: str | None) -> None:
    """Let jsii start the Node that pip installed where there is none on PATH."""
    if chosen and shutil.which(chosen) is None:
        raise UsageError(
            "no such program",
            field="JSII_NODE",
            value=chosen,
            fix="set it to the path of Node, or leave it out",
        )
    if not chosen and shutil.which("node") is None:
        os.environ["JSII_NODE"] = str(find_node().path)
