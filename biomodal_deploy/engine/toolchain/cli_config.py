"""Terraform's CLI configuration: the user's own with its plugin cache, and one with a mirror."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from biomodal_deploy import files
from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import read_regular

_BLOCK: Final = "provider_installation"
_OVERRIDES: Final = "dev_overrides"
_COMMENT: Final = re.compile(r"\s*(#|//)")
_ENDS: Final = re.compile(r'"|\*/')
_ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|U0[0-9a-fA-F]{7}|x[0-9a-fA-F]{2}|[0-7]{3})")
_LIMIT_BYTES: Final = 1024 * 1024
_TOKEN: Final = re.compile(
    r'"(?:\\.|[^"\\])*"|#[^\n]*|//[^\n]*|/\*.*?\*/|[{}]|[A-Za-z_][\w-]*', re.DOTALL
)


def user_files(environ: Mapping[str, str]) -> list[Path]:
    """Return the configuration files that Terraform would read, as far as they exist.

    The variable may name a file that does not exist; Terraform then warns and reads no other.
    """
    named = environ.get("TF_CLI_CONFIG_FILE") or environ.get("TERRAFORM_CONFIG")
    if named:
        candidates = [Path(named)]
    else:
        home = Path(environ.get("HOME") or Path.home())
        folders = [home / ".terraform.d"]
        candidates = [home / ".tofurc", home / ".terraformrc"]  # the first of OpenTofu alone
        if ours := environ.get("XDG_CONFIG_HOME"):
            # OpenTofu's, where the home folder has none of the others.
            folders.append(Path(ours, "opentofu"))
            candidates.append(folders[-1] / "tofurc")
        for folder in folders:
            candidates += sorted([*folder.glob("*tfrc"), *folder.glob("*tfrc.json")])
    return [path for path in candidates if path.exists() and not path.is_dir()]


def refuse_dev_overrides(environ: Mapping[str, str]) -> None:
    """Refuse a configuration that puts a program of its own in the place of a provider.

    Terraform then checks neither version nor checksum, so nothing that is sealed says what runs.
    The word counts wherever it stands but in a line of comment: better one file too many. Where
    something before it may end a comment or a text, the line is none.
    """
    for path in user_files(environ):
        if not path.is_file() and not path.samefile(os.devnull):
            raise UsageError(
                "not a regular file: what Terraform reads there cannot be checked first",
                field=str(path),
                fix="name a file with TF_CLI_CONFIG_FILE",
            )
        try:
            content = read_regular(path).decode("utf-8", "replace")
        except OSError:
            continue  # Terraform cannot read it either, and says so.
        # A quoted name may be written with escapes.
        for text in (*content.split("\n"), *_ESCAPE.sub(_unescape, content).split("\n")):
            before, found, _ = text.rpartition(_OVERRIDES)
            if not found or (_COMMENT.match(text) and not _ENDS.search(before)):
                continue
            raise UsageError(
                f"{_OVERRIDES} runs a provider that no plan is sealed with",
                field=str(path),
                fix=f"remove {_OVERRIDES} from it, or name another file with TF_CLI_CONFIG_FILE",
            )


def installs_providers(files: Sequence[Path]) -> Path | None:
    """Return the file that says where providers come from, or that must be left as it is."""
    for path in files:
        content = _read(path)
        # Unreadable or JSON: not ours to rewrite, and Terraform has the better words for a fault.
        if content is None or content.lstrip().startswith("{"):
            return path
        if any(True for _ in _blocks(content)):
            return path
    return None


def text(own: Sequence[Path], method: str, location: str, include: Sequence[str]) -> str:
    """Return a configuration: the user's settings, and a mirror for some providers.

    Args:
        own: The user's own files; their credentials and plugin cache stay in force.
        method: `filesystem_mirror` or `network_mirror`.
        include: The providers that come from it; all others come from their registry.
    """
    key = "url" if method == "network_mirror" else "path"
    parts = [_without_block(_read(path) or "") for path in own]
    names = json.dumps(list(include))
    parts.append(
        f"{_BLOCK} {{\n"
        f"  {method} {{\n"
        f"    {key} = {json.dumps(location, ensure_ascii=False)}\n"
        f"    include = {names}\n"
        "  }\n"
        "  direct {\n"
        f"    exclude = {names}\n"
        "  }\n"
        "}\n"
    )
    return "\n".join(part.strip() for part in parts if part.strip()) + "\n"


@cache
def keep(folder: Path, content: str) -> Path:
    """Keep the configuration, which may hold tokens, while this process lives; return its path.

    Args:
        folder: Where it is written if it cannot be in memory.
    """
    return files.keep(folder, "terraform.tfrc", content.encode())


def _unescape(found: re.Match[str]) -> str:
    return chr(int(found[1][1:], 16) if found[1][0] in "uUx" else int(found[1], 8))


def _without_block(content: str) -> str:
    if content.lstrip().startswith("{"):
        return ""
    for start, end in reversed(list(_blocks(content))):
        content = content[:start] + content[end:]
    return content


def _blocks(content: str) -> Iterator[tuple[int, int]]:
    """Yield where each top-level provider_installation block starts and ends."""
    depth, start = 0, None
    for token in _TOKEN.finditer(content):
        word = token[0]
        if word == "{":
            depth += 1
        elif word == "}":
            depth -= 1
            if depth == 0 and start is not None:
                yield start, token.end()
                start = None
        elif depth == 0 and word.strip('"') == _BLOCK:
            start = token.start()


def _read(path: Path) -> str | None:
    try:
        content = read_regular(path, _LIMIT_BYTES + 1)
        return content.decode() if len(content) <= _LIMIT_BYTES else None
    except (OSError, UnicodeDecodeError):
        return None


_SETTING: Final = re.compile(r'^\s*plugin_cache_dir\s*=\s*"([^"]+)"', re.MULTILINE)
_LOCK: Final = ".biomodal-aws.lock"


def plugin_cache(environment: Mapping[str, str]) -> Path | None:
    """Return the folder of Terraform's plugin cache; None where it has none.

    Args:
        environment: Terraform's, which names it or the files that do.
    """
    named = environment.get("TF_PLUGIN_CACHE_DIR")
    if not named:
        for path in user_files(environment):
            try:
                found = _SETTING.search(read_regular(path).decode())
            except (OSError, UnicodeDecodeError):
                continue  # Terraform has the better words for it.
            named = found[1] if found else named
    if not named:
        return None
    home = environment.get("HOME") or str(Path.home())
    # As Terraform reads a setting: variables and ~ are expanded.
    return Path(re.sub(r"^~(?=/)|\$HOME\b|\$\{HOME\}", lambda _: home, named))


@contextmanager
def alone_in(cache: Path | None) -> Iterator[None]:
    """Wait until no other command of ours initializes with this plugin cache.

    "The plugin cache directory is not guaranteed to be concurrency safe" (Terraform, "CLI
    Configuration"): one init replaces a provider while another copies or starts it.

    The system lets go of the lock when the process ends, however it ends. Where there can be no
    lock, such as in a folder that cannot be written to, there is nothing to be torn either.
    """
    if cache is None:
        yield
        return
    try:
        descriptor = os.open(cache / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
