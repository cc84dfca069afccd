"""One way out for every command: data for programs, or a picture of it for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from rich.console import Console

from biomodal_deploy.cli.options import Format
from biomodal_deploy.cli.render.console import output_console
from biomodal_deploy.errors import EXIT_DONE


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a command found or did.

    Attributes:
        data: It as data; plain JSON values, whose keys are a contract.
        show: Prints it for people.
        exit_status: The command's exit status.
    """

    data: object
    show: Callable[[Console], None]
    exit_status: int = field(default=EXIT_DONE)


def emit(result: Result, output: Format) -> int:
    """Print a result to standard output and return its exit status.

    The status is the command's also where nobody reads to the end (`biomodal-aws plan | head`).
    """
    with suppress(BrokenPipeError):
        if output is Format.JSON:
            envelope = {"exit_status": result.exit_status, "data": result.data, "error": None}
            print(json.dumps(envelope, indent=2))  # the machine-readable payload
        else:
            result.show(output_console())
        sys.stdout.flush()
    return result.exit_status
