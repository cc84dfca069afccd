"""Terraform's plugin cache, which several `terraform init` at once would corrupt.

"The plugin cache directory is not guaranteed to be concurrency safe" (Terraform, "CLI
Configuration"): one init replaces a provider while another copies or starts it.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from biomodal_deploy.engine.toolchain.cli_config import user_files
from biomodal_deploy.files import read_regular

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
