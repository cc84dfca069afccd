"""The one error boundary: from exceptions to a line on screen and a documented exit status."""

from __future__ import annotations

import errno
import io
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Final

import typer

from biomodal_deploy.cli.app import command_line
from biomodal_deploy.cli.next_steps import completed, typed
from biomodal_deploy.config.credentials import without_userinfo
from biomodal_deploy.errors import (
    EXIT_BUG,
    EXIT_DONE,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    BiomodalError,
    UsageErrors,
)
from biomodal_deploy.files import damaged_bytecode, fix_for
from biomodal_deploy.text import as_json, printable

# What the machine or its owner has to fix: a full disk, a read-only one, a missing right.
_MENDABLE: Final = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EMFILE,
    errno.ENFILE,
    errno.EAGAIN,
    errno.ENOMEM,
    errno.EFBIG,
    errno.ELOOP,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ENXIO,  # a pipe or a device where a file belongs
    errno.ENAMETOOLONG,
}
# A closed pipe (`| head`), and a closed terminal.
_NOBODY_THERE: Final = {errno.EPIPE, errno.EIO}
# What an error knows besides its line, for programs.
_DETAILS: Final = ("reason", "cause", "field", "log")


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit status; nothing escapes."""
    _open_streams()
    try:
        with typed(arguments):
            status = _dispatch(list(arguments))
    except KeyboardInterrupt:
        status = _interrupted(arguments)  # while it said something else
    _let_go()
    return status


def _dispatch(arguments: list[str]) -> int:
    try:
        # `help plan`, as with Git: the same as `plan --help`.
        if arguments[:1] == ["help"]:
            arguments = [*arguments[1:], "--help"]
        # The command is the first word that is no option.
        command = next((word for word in arguments if not word.startswith("-")), "")
        status = command_line([command]).main(
            arguments or ["--help"], prog_name="biomodal-aws", standalone_mode=False
        )
    except typer.TyperException as error:
        return _fail(EXIT_USAGE, arguments, code="usage", message=_misused(error))
    except BiomodalError as error:
        return _fail(error.exit_status, arguments, code=error.code, message=str(error), error=error)
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted(arguments)
    except SystemExit:
        # Typer ends the process where a reader went away.
        return EXIT_INTERRUPTED
    except OSError as error:
        return _system_error(error, arguments)
    except Exception as error:  # noqa: BLE001 - the boundary
        # A stop request that came while a class was being made: Python 3.11 wraps it.
        if isinstance(error.__cause__, KeyboardInterrupt):
            return _interrupted(arguments)
        if "can't start new thread" in str(error):
            return _system_error(OSError(errno.EAGAIN, "Too many processes"), arguments)
        if damaged := damaged_bytecode(error):
            return _fail(EXIT_USAGE, arguments, code="usage", message=damaged)
        return _bug(error, arguments)
    if status == EXIT_INTERRUPTED:
        return _interrupted(arguments)  # No command returns it: Typer has made it of a Ctrl-C.
    return status if isinstance(status, int) else EXIT_DONE


def _fail(
    status: int,
    arguments: Sequence[str],
    *,
    code: str,
    message: str,
    error: BaseException | None = None,
) -> int:
    """Say what failed: a line for people, and under JSON the envelope of every command."""
    # Libraries quote the URL that they could not reach, a proxy's password and all.
    message = completed(without_userinfo(message))
    lines = "\n".join(f"error: {printable(each)}" for each in message.split("\n"))
    if _wants_json(arguments):
        found = {name: getattr(error, name, None) for name in _DETAILS}
        details: dict[str, object] = {
            name: str(value) for name, value in found.items() if value is not None
        }
        if isinstance(error, UsageErrors):
            details["faults"] = [
                {"field": each.field, "message": completed(without_userinfo(str(each)))}
                for each in error.faults
            ]
        envelope = {
            "exit_status": status,
            "data": getattr(error, "data", None),
            "error": {"code": code, "message": message, **details},
        }
        try:
            print(as_json(envelope), flush=True)
        except OSError:
            pass  # It is said to people then.
        else:
            return status
    # Where nobody can be told, the status still says it.
    with suppress(OSError):
        print(lines, file=sys.stderr, flush=True)
    return status


def _misused(error: typer.TyperException) -> str:
    """Return what Typer says of the words, with what to do where it guesses nothing itself."""
    # Typer checks choices with pydantic, which says of which Python type its error is.
    message = error.format_message().replace(": Value error, ", ": ")
    if message.endswith("?"):
        return message
    context = getattr(error, "ctx", None)
    meant = context.command_path if context else "biomodal-aws"
    early = message.startswith("No such option") and context and context.parent is None
    after = " A command's options come after it." if early else ""
    return f"{message.removesuffix('.')}.{after} Next: {meant} --help"


def _interrupted(arguments: Sequence[str]) -> int:
    message = "Interrupted: nothing more was done."
    return _fail(EXIT_INTERRUPTED, arguments, code="interrupted", message=message)


def _system_error(error: OSError, arguments: Sequence[str]) -> int:
    if error.errno in _NOBODY_THERE:
        return EXIT_INTERRUPTED
    if error.errno == errno.ENOENT and error.filename is None:
        message = "the current folder no longer exists. Fix: cd to one that does."
        return _fail(EXIT_USAGE, arguments, code="usage", message=message)
    if error.errno not in _MENDABLE:
        return _bug(error, arguments)
    # A number is an open file's.
    path = Path(os.fsdecode(name)) if isinstance(name := error.filename, str | bytes) else None
    fix = fix_for(error, path)
    message = f"{f'{path}: ' if path else ''}{error.strerror}.{f' Fix: {fix}.' if fix else ''}"
    return _fail(EXIT_USAGE, arguments, code="usage", message=message)


def _bug(error: BaseException, arguments: Sequence[str]) -> int:
    """Keep the traceback for us in a private file and on screen: this is our fault."""
    details = "".join(traceback.format_exception(error))
    kept = "what is above"
    with suppress(OSError):  # no room for it
        descriptor, name = tempfile.mkstemp(prefix="biomodal-aws-bug-", suffix=".log")
        with os.fdopen(descriptor, "w", encoding="utf-8") as log:
            log.write(details)
        kept = f"{name}; it holds no variable's value that we know of"
    if not _wants_json(arguments):
        with suppress(OSError):
            sys.stderr.write(details)
    message = (
        f"This is a bug of biomodal-aws ({type(error).__name__}). Please report it with {kept}."
    )
    return _fail(EXIT_BUG, arguments, code="bug", message=message)


def _open_streams() -> None:
    """Put something in the place of streams that the caller closed (`>&-`).

    What the others cannot encode is escaped: `PYTHONIOENCODING=ascii` is no reason to fail.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # In this order they get the numbers that are missing, and no file of ours does.
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _let_go() -> None:
    """Make sure that Python has nothing left to complain of when it closes its streams."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - a device
                os.dup2(nowhere.fileno(), stream.fileno())


def _wants_json(arguments: Sequence[str]) -> bool:
    if "--" in arguments:  # what follows is another program's
        arguments = arguments[: arguments.index("--")]
    return any(
        word in ("--output=json", "-ojson") or (word in ("--output", "-o") and value == "json")
        for word, value in pairwise([*arguments, ""])
    )
