"""Signatures by SSH keys, as Git makes them: `ssh-keygen -Y`, with agents and hardware keys.

https://man.openbsd.org/ssh-keygen#Y: who may sign stands in an `allowed_signers` file, with the
namespaces and the time that each key is good for.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from biomodal_deploy.errors import UsageError
from biomodal_deploy.plan.sealed.facts import one_line

NAMESPACE: Final = "biomodal-aws"
"""What a signature is for: one that was made for Git or for mail is none of ours."""

# A plan of thousands of resources has a line for each.
MOST_BYTES: Final = 2_000_000
_KEY: Final = re.compile(rb"^Good .* signature with \S+ key (SHA256:\S+)", re.MULTILINE)
_LINE: Final = re.compile(
    r"\s*(?P<names>[^#\s]\S*)\s(?:.*\s)?(?:ssh|ecdsa|sk)-\S+\s+(?P<key>AAAA[\w+/]+=*)", re.ASCII
)
_SECONDS: Final = 60


class BadSignature(Exception):
    """A signature does not count."""


@dataclass(frozen=True)
class Signer:
    """Who made a signature.

    Attributes:
        names: The principals of the signers file; several where it knows a key by several.
        key: The key's fingerprint; of a certificate that of its key.
    """

    names: tuple[str, ...]
    key: str


def sign(content: bytes, key: Path) -> str:
    """Return a signature of a text, as `ssh-keygen` writes it.

    A passphrase is asked for on the terminal, a touch on the hardware key.

    Args:
        key: The private key, or the public key of one that an agent or a hardware token holds.
    """
    try:
        done = subprocess.run(
            ["ssh-keygen", "-Y", "sign", "-q", "-n", NAMESPACE, "-f", str(key)],  # noqa: S607
            input=content,
            stdout=subprocess.PIPE,
            stderr=None if os.isatty(2) else subprocess.PIPE,
            check=False,
        )
    except OSError as error:
        raise _no_program(error) from None
    if done.returncode:
        said = one_line((done.stderr or b"").decode("utf-8", "replace")).strip()
        raise UsageError(
            f"ssh-keygen could not sign with it{f' ({said})' if said else ''}",
            field="--key",
            value=str(key),
            fix="name a private key that is readable, or a public key whose private half the agent "
            "holds (`ssh-add -L`)",
        )
    return done.stdout.decode("ascii", "replace")


def signer_of(content: bytes, signature: str, signers: Path, revoked: Path | None = None) -> Signer:
    """Return who signed a text.

    Args:
        revoked: Public keys, or a key revocation list, that no longer count.

    Raises:
        BadSignature: It is of another text, for another purpose, or of nobody who may sign now.
    """
    with _file_of(signature) as path:
        common = ["-n", NAMESPACE, "-s", str(path)]
        good = _run(["check-novalidate", *common], content)
        key = _KEY.search(good.stdout)
        if good.returncode or key is None:
            raise BadSignature(_said(good, "the signature is of something else"))
        found = _run(["find-principals", "-s", str(path), "-f", str(signers)], b"")
        lines = found.stdout.decode("utf-8", "replace").split("\n")
        lines += _names_of(key[1].decode(), signers)
        verify = ["verify", *common, "-f", str(signers), "-I"]
        names = [
            name
            for each in dict.fromkeys(lines)
            if (name := each.strip()) and not _run([*verify, name], content).returncode
        ]
        if names and revoked and _run([*verify, names[0], "-r", str(revoked)], content).returncode:
            raise BadSignature(f"the key of {one_line(names[0])} is revoked")
        if names:
            return Signer(names=tuple(map(one_line, names)), key=key[1].decode())
    raise BadSignature(_said(found, "the key is not one of the signers'"))


def _names_of(key: str, signers: Path) -> Iterator[str]:
    """Yield the principals of every line that has a key: ssh-keygen tells those of the first."""
    with suppress(OSError):
        for line in signers.read_text(encoding="utf-8", errors="replace").splitlines():
            with suppress(ValueError):
                if found := _LINE.match(line):
                    digest = hashlib.sha256(base64.b64decode(found["key"])).digest()
                    if f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}" == key:
                        yield from found["names"].split(",")


def _said(done: subprocess.CompletedProcess[bytes], default: str) -> str:
    """Return the reason that ssh-keygen gave, without the place in its file."""
    lines = done.stderr.decode("utf-8", "replace").splitlines()
    first = one_line(lines[0]) if lines else ""
    if "expired" in first or "not yet valid" in first:
        return first.partition(": ")[2] or first
    if "No principal matched" in first or not first:
        return default
    return first


@contextmanager
def _file_of(signature: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="biomodal-signature-") as folder:
        path = Path(folder) / "signature"
        path.write_text(signature, encoding="utf-8")
        yield path


def _run(words: Sequence[str], content: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["ssh-keygen", "-Y", *words],  # noqa: S607  # whichever OpenSSH the user has
            input=content,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BadSignature("ssh-keygen did not answer") from None
    except OSError as error:
        raise _no_program(error) from None


def _no_program(error: OSError) -> UsageError:
    return UsageError(
        f"ssh-keygen cannot be started ({error.strerror})",
        field="ssh-keygen",
        fix="install OpenSSH 8.2 or newer; approvals are signed and checked with it",
    )
