"""Secrets in the environment and home of whoever runs commands that succeed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.support.light import Ended

_WORD: Final = "canary-{}-71ce"
ENVIRONMENT: Final = {
    "AWS_SECRET_ACCESS_KEY": _WORD.format("key"),
    "AWS_SESSION_TOKEN": _WORD.format("session"),
    "TF_TOKEN_lab": _WORD.format("token"),
    "TF_VAR_secret": _WORD.format("variable"),
    "DATABASE_URL": f"postgres://me:{_WORD.format('database')}@db/x",
}
_HOME: Final = {
    ".aws/credentials": f"[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n"
    f"aws_secret_access_key = {_WORD.format('stored')}\n",
    ".terraformrc": f'credentials "lab" {{ token = "{_WORD.format("cli")}" }}\n',
}
_START: Final = "canary-"


def plant(home: Path) -> None:
    """Write a home's files with secrets."""
    for name, text in _HOME.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)


def without_secrets(ended: Ended) -> Ended:
    """Return how a command ended, which has printed none of them."""
    assert _START not in ended.out + ended.err, ended.out + ended.err
    return ended


def holders(folder: Path, *, but: Path) -> list[Path]:
    """Return the files below a folder that hold one, save those below another."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_relative_to(but) and _START.encode() in path.read_bytes()
    ]
