"""Terraform's plugin cache: found where Terraform finds it, and used by one init at a time."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from biomodal_deploy.engine.terraform.plugin_cache import alone_in, plugin_cache


def test_it_is_found_as_terraform_finds_it(tmp_path: Path) -> None:
    """The variable first, then the user's configuration; none where neither names one."""
    home = {"HOME": str(tmp_path)}
    assert plugin_cache(home) is None
    (tmp_path / ".terraformrc").write_text('plugin_cache_dir = "$HOME/cache"\n')
    assert plugin_cache(home) == tmp_path / "cache"
    assert plugin_cache({**home, "TF_PLUGIN_CACHE_DIR": "/shared"}) == Path("/shared")
    (tmp_path / ".terraformrc").write_text('# plugin_cache_dir = "$HOME/cache"\n')
    assert plugin_cache(home) is None


def test_one_at_a_time(tmp_path: Path) -> None:
    """Eight at once: no two of them inside together."""
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        with alone_in(tmp_path):
            inside += 1
            most = max(most, inside)
            time.sleep(0.01)
            inside -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (inside, most) == (0, 1)


def test_without_a_cache_or_a_lock_nothing_waits(tmp_path: Path) -> None:
    """A folder that is not there holds nothing that could be torn."""
    with alone_in(None), alone_in(tmp_path / "none"), alone_in(tmp_path / "none"):
        pass
