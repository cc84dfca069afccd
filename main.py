"""The CDKTF app: read the settings, build the stacks, synthesize. `cdktf synth` runs this."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

# Before pydantic is imported: it would look through all installed packages for plugins, which
# takes time and lets a stranger's code see the settings.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from biomodal_deploy.config.settings import output_directory, read_deployments, read_project_file
from biomodal_deploy.errors import EXIT_INTERRUPTED, BiomodalError, EngineError, UsageError

PROJECT = Path(__file__).parent


def main() -> int:
    """Synthesize every deployment of `cdktf.json` and return the exit status."""
    # A cancelled job or a closed terminal ends as Ctrl-C does: Node's temporary folder goes too.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # Under nohup it is not.
            signal.signal(number, signal.default_int_handler)
    try:
        _refuse_shadowed_package()
        project_file = read_project_file(PROJECT)
        deployments = read_deployments(project_file)
        output = output_directory(PROJECT, project_file)
        _refuse_own_folder(output)
        _refuse_missing_node(os.environ.get("JSII_NODE"))
        _say_hcl_one_way()
        # Only now: starting jsii costs a second, and wrong settings are answered at once.
        try:
            from stacks.synthesis import synthesize
        except OSError as error:
            raise EngineError(
                f"Node, which runs the constructs, cannot be started ({error.strerror or error})",
                advice="make room in the temporary folder, or set TMPDIR to another",
            ) from None

        synthesize(
            deployments,
            install_script=PROJECT / "scripts" / "install_script.sh",
            output=output,
        )
    except BiomodalError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return 0


def _say_hcl_one_way() -> None:
    # cdktf takes 1 for true where it writes, and not where it names the file: HCL in cdk.tf.json.
    if os.environ.get("SYNTH_HCL_OUTPUT") == "1":
        os.environ["SYNTH_HCL_OUTPUT"] = "true"


def _refuse_shadowed_package() -> None:
    package = Path("constructs") / "__init__.py"
    if (PROJECT / package).exists():
        raise UsageError(
            "It shadows the PyPI package `constructs`, which cdktf imports",
            field=str(package),
            fix="delete the file",
        )


def _refuse_own_folder(output: Path) -> None:
    # Here alone: another app's project may have no `stacks` of its own.
    if os.path.realpath(output) == os.path.realpath(PROJECT):
        raise UsageError(
            "The output folder is the project's own, where `stacks` holds the app's sources",
            field=str(output),
            fix="correct CDKTF_OUTDIR, or `output` in cdktf.json",
        )


def _refuse_missing_node(chosen: str | None) -> None:
    if chosen and shutil.which(chosen) is None:
        raise UsageError(
            "There is no such program",
            field="JSII_NODE",
            value=chosen,
            fix="set it to the path of Node, or leave it out",
        )


if __name__ == "__main__":
    sys.exit(main())
