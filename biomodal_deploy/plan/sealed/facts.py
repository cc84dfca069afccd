"""What a sealed plan was made from and for, Git's commit included: recomputed before an apply."""

from __future__ import annotations

import getpass
import os
import platform
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, Field, StringConstraints

from biomodal_deploy.files import read_regular

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


class RuntimeFacts(Sealed):
    """What the engine, the state and AWS say: which stack of whose is meant, and what would run.

    Attributes:
        state: The state that the plan starts from; None where there was none.
        engine: `terraform` or `tofu`.
        account_alias: What the account was called then; only its number is compared.
        endpoint: What stands in for AWS; None where it is AWS itself.
        endpoints: What the AWS SDK resolves otherwise than by default: addresses by service,
            FIPS, dual stack.
        terraform_sha256: Of the program that is run; None where that was not asked.
        caller: Who acts, as AWS names it.
    """

    stack: Line
    workspace: Line = "default"
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

    @property
    def region_name(self) -> str | None:
        """The region alone: where the environment named another one, `region` says so after it."""
        return self.region and self.region.partition(" ")[0]


class Facts(RuntimeFacts):
    """Everything that must still hold when a sealed plan is applied, and what names it for people.

    Attributes:
        directory: The synthesized stack, relative to the project.
        data_dir: Terraform's data directory where it is not the default, relative to `directory`.
        backend: Where the state lives, for people.
        backend_files: What completes a partial configuration of it.
        synthesized_sha256: Of the synthesized directory.
        lock_file_sha256: Of the provider lock file.
        var_files: In Terraform's order, paths relative to the project where they are inside it.
        install_script: The VM's start-up script.
        git_clean: Whether the working tree was exactly the commit.
    """

    directory: Line
    data_dir: Line | None = None
    backend: Line
    backend_sha256: Sha256
    backend_files: tuple[FileDigest, ...] = ()
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


_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class Revision:
    """A commit, and whether the working tree is exactly that. None where there is no Git."""

    commit: str | None = None
    clean: bool | None = None


def revision_of(project: Path) -> Revision:
    """Return the commit of a project's working tree; files that Git does not know count."""
    head = _git(project, "rev-parse", "--verify", "HEAD")
    if head is None or not _COMMIT.fullmatch(head.strip()):
        return Revision()
    changes = _git(project, "status", "--porcelain", "--untracked-files=normal")
    return Revision(head.strip(), None if changes is None else not changes.strip())


def authors_of(project: Path) -> tuple[str, ...]:
    """Return the addresses of who works here and of who wrote the commit, as Git knows them.

    Of a merge also of who wrote what it brought.
    """
    authors = "--format=%ae%n%ce"
    said = (
        _git(project, "config", "user.email"),
        _git(project, "log", authors, "-1"),
        _git(project, "log", authors, "HEAD^1..HEAD"),  # a first or shallow commit has none
    )
    lines = (line.strip() for text in said if text for line in text.splitlines())
    return tuple(dict.fromkeys(one_line(line) for line in lines if line))


def signing_key(project: Path) -> str | None:
    """Return the SSH key that Git signs with here; None where it signs with none."""
    if (_git(project, "config", "gpg.format") or "").strip() != "ssh":
        return None
    return (_git(project, "config", "--type=path", "user.signingkey") or "").strip() or None


def is_ignored(path: Path) -> bool:
    """Whether Git passes a file over that it does not know yet; false where there is no Git."""
    folder = next(each for each in path.parents if each.is_dir())
    return _git(folder, "check-ignore", "--quiet", "--", str(path)) is not None


def commit_of(clone: Path) -> str | None:
    """Return the commit that is checked out in a clone, read from its files.

    Terraform leaves a clone for every module, and a Git process for each would cost more than all
    other checks together.
    """
    git_dir = clone / ".git"
    try:
        if git_dir.is_file():  # a worktree or a submodule
            git_dir = clone / git_dir.read_text(encoding="utf-8").partition("gitdir:")[2].strip()
        head = read_regular(git_dir / "HEAD").decode().strip()
        if head.startswith("ref:"):
            head = _reference(git_dir, head.removeprefix("ref:").strip())
    except (OSError, UnicodeDecodeError):
        return None
    return head if _COMMIT.fullmatch(head) else None


def _reference(git_dir: Path, name: str) -> str:
    loose = git_dir / name
    if loose.is_file():
        return loose.read_text(encoding="utf-8").strip()
    for line in read_regular(git_dir / "packed-refs").decode().splitlines():
        commit, _, packed = line.partition(" ")
        if packed == name:
            return commit
    return ""


def _git(folder: Path, *arguments: str) -> str | None:
    # Where a hook or a caller exported GIT_DIR, Git would answer for another repository.
    environment = {name: value for name, value in os.environ.items() if name[:4] != "GIT_"}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],  # noqa: S607  # whichever Git the user has
            env={**environment, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace")
