"""What a sealed plan was made from and for: recomputed before it is applied."""

from __future__ import annotations

import getpass
import os
import platform
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, Field, StringConstraints

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# One line: a manifest that somebody edited must not write on the terminal as it likes.
LONGEST_LINE: Final = 4000
Line = Annotated[
    str,
    StringConstraints(
        max_length=LONGEST_LINE, pattern=r"^[^\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]*$"
    ),
]


def one_line(text: str) -> str:
    """Return a text of any origin as it may stand in a `Line`."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 3]}..."


class Sealed(BaseModel, frozen=True, extra="forbid"):
    """Frozen, strict data of a manifest."""


class FileDigest(Sealed):
    """A file as it was; no digest where there was none."""

    path: Line
    sha256: Sha256 | None


class Module(Sealed):
    """A module of the configuration, as downloaded.

    Attributes:
        key: Its place among the calls, `bootstrap.security_group`.
        commit: What Git checked out; None for a module that is no clone.
        sha256: Of its files.
    """

    key: Line
    source: Line
    version: Line | None = None
    commit: Line | None = None
    sha256: Sha256


class StateId(Sealed):
    """One version of one state."""

    lineage: Line
    serial: Annotated[int, Field(ge=0)]


class Facts(Sealed):
    """Everything that must still hold when a sealed plan is applied, and what names it for people.

    Attributes:
        directory: The synthesized stack, relative to the project.
        data_dir: Terraform's data directory where it is not the default, relative to `directory`.
        backend: Where the state lives, for people.
        backend_files: What completes a partial configuration of it.
        state: The state that the plan starts from; None where there was none.
        synthesized_sha256: Of the synthesized directory.
        lock_file_sha256: Of the provider lock file.
        var_files: In Terraform's order, paths relative to the project where they are inside it.
        install_script: The VM's start-up script.
        engine: `terraform` or `tofu`.
        account_alias: What the account was called then; only its number is compared.
        endpoint: What stands in for AWS; None where it is AWS itself.
        endpoints: What the AWS SDK resolves otherwise than by default: addresses by service,
            FIPS, dual stack.
        terraform_sha256: Of the program that is run; None where that was not asked.
        caller: Who acts, as AWS names it.
        git_clean: Whether the working tree was exactly the commit.
    """

    stack: Line
    directory: Line
    workspace: Line = "default"
    data_dir: Line | None = None
    backend: Line
    backend_sha256: Sha256
    backend_files: tuple[FileDigest, ...] = ()
    account: Line | None = None
    account_alias: Line | None = None
    region: Line | None = None
    endpoint: Line | None = None
    endpoints: dict[Line, Line] = {}
    caller: Line | None = None
    engine: Line = "terraform"
    terraform_version: Line
    terraform_sha256: Sha256 | None = None
    providers: dict[Line, Line] = {}
    state: StateId | None = None
    synthesized_sha256: Sha256
    var_files: tuple[FileDigest, ...] = ()
    install_script: FileDigest | None = None
    lock_file_sha256: Sha256 | None = None
    modules: tuple[Module, ...] = ()
    git_commit: Line | None = None
    git_clean: bool | None = None


def account_name(facts: Facts) -> str | None:
    """Return the account for people: its number, and its alias where it is known."""
    alias = facts.account_alias
    return f"{facts.account} ({alias})" if facts.account and alias else facts.account


def principal(caller: str) -> str:
    """Return who a caller is, without the name of this session: that changes with every login."""
    prefix, slash, rest = caller.partition("/")
    if prefix.endswith(":assumed-role") and "/" in rest:
        return f"{prefix}{slash}{rest.rpartition('/')[0]}"
    return caller


class Actor(BaseModel, frozen=True, extra="forbid"):
    """A process of a person on a machine.

    Attributes:
        who: `user@host`.
        pid: The process.
        started: When the process started, as the system counts it: a number may be given again to
            another process, this pair is not.
    """

    who: Line
    pid: int
    started: Line = ""

    @classmethod
    def me(cls) -> Actor:
        """Return this process."""
        return cls(who=whoami(), pid=os.getpid(), started=_started(os.getpid()))

    def is_running(self) -> bool | None:
        """Whether the process still lives; None for one on another machine."""
        if self.who.rpartition("@")[2] != platform.node():
            return None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return _started(self.pid) == self.started


def whoami() -> str:
    """Return `user@host`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        user = str(os.getuid())
    name = f"{user}@{platform.node()}"
    return "".join(letter for letter in name if letter.isprintable())


def _started(pid: int) -> str:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return ""  # no /proc: the number alone must do
    # The name in brackets may hold spaces; field 22 counts from the start of the line.
    return f"{boot[:8]}-{status.rpartition(')')[2].split()[19]}"
