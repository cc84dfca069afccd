"""`biomodal-aws`, also as `python -m biomodal_deploy`."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command line and exit with its documented status."""
    if shell := os.environ.get("_BIOMODAL_AWS_COMPLETE"):
        # Before all else, which takes longer than people wait for a Tab.
        from biomodal_deploy.cli.completion import answer

        print(answer(shell, sys.argv[1:]), flush=True)
        return
    # pydantic would look through all installed packages for plugins, which takes time and lets a
    # stranger's code see settings and secrets.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # First of all: a signal may come while the rest is still being imported.
    from biomodal_deploy.cli.stopping import stop_no_more, stop_on_signals
    from biomodal_deploy.errors import EXIT_INTERRUPTED, EXIT_USAGE

    try:
        stop_on_signals()
        from biomodal_deploy.cli.boundary import run

        status = run(sys.argv[1:])
        stop_no_more()
    except KeyboardInterrupt:
        status = EXIT_INTERRUPTED
    except (EOFError, ValueError, TypeError) as error:
        # The boundary itself could not be imported.
        from biomodal_deploy.files import damaged_bytecode

        if not (damaged := damaged_bytecode(error)):
            raise
        print(f"error: {damaged}", file=sys.stderr)
        status = EXIT_USAGE
    # Python would look through all that is left before it ends, for 0.4 s of a plan's ten.
    gc.freeze()
    sys.exit(status)


if __name__ == "__main__":
    main()
