"""The user's Terraform CLI configuration is respected and kept."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from biomodal_deploy.engine.toolchain import cli_config
from biomodal_deploy.engine.toolchain.cli_config import alone_in, plugin_cache
from biomodal_deploy.errors import UsageError

BLOCK = 'provider_installation {\n  direct { exclude = ["a/b"] }\n}\n'


def test_named_file_that_does_not_exist_is_no_configuration(tmp_path: Path) -> None:
    """TF_CLI_CONFIG_FILE may point nowhere: then there is none, as Terraform has it."""
    (tmp_path / ".terraformrc").write_text(BLOCK)
    environ = {"HOME": str(tmp_path), "TF_CLI_CONFIG_FILE": str(tmp_path / "gone")}
    assert cli_config.user_files(environ) == []
    assert cli_config.user_files({"HOME": str(tmp_path)}) == [tmp_path / ".terraformrc"]


@pytest.mark.parametrize(
    ("content", "decides"),
    [
        (BLOCK, True),
        ('"provider_installation" {}', True),
        ('{"provider_installation": []}', True),
        ("# provider_installation {\n# }", False),
        ("/* provider_installation { } */", False),
        ('plugin_cache_dir = "provider_installation {"', False),
        ("other {\n provider_installation {\n }\n}", False),
    ],
)
def test_finds_the_block_as_terraform_would(tmp_path: Path, content: str, decides: bool) -> None:
    """Only a top-level block counts; comments and strings do not."""
    path = tmp_path / "rc"
    path.write_text(content)
    assert (cli_config.installs_providers([path]) == path) is decides


def test_unreadable_file_is_left_to_terraform(tmp_path: Path) -> None:
    """What cannot be read as text is not ours to rewrite."""
    path = tmp_path / "rc"
    path.write_bytes(b"\xff\xfe\x00")
    assert cli_config.installs_providers([path]) == path


def test_keeps_the_users_settings_and_replaces_the_block(tmp_path: Path) -> None:
    """Credentials and cache stay in force; an explicit mirror replaces only the installation."""
    path = tmp_path / "rc"
    path.write_text(f'credentials "h" {{\n  token = "}}"\n}}\n{BLOCK}plugin_cache_dir = "/c"\n')
    text = cli_config.text([path], "filesystem_mirror", '/m "q"', ["h/a/b"])
    assert 'token = "}"' in text
    assert 'plugin_cache_dir = "/c"' in text
    assert text.count("provider_installation") == 1
    assert r'path = "/m \"q\""' in text
    assert '"a/b"' not in text


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="no files in memory here")
def test_tokens_are_on_no_disk(tmp_path: Path) -> None:
    """What it keeps of the user's is in memory, readable by children, and nobody can change it."""
    path = cli_config.keep(tmp_path, f"token = {tmp_path}")
    assert cli_config.keep(tmp_path, f"token = {tmp_path}") == path
    read = subprocess.run(["cat", path], capture_output=True, text=True, check=True)
    assert read.stdout == f"token = {tmp_path}"
    with pytest.raises(PermissionError):
        path.write_text("token = mine")
    assert list(tmp_path.iterdir()) == []


OVERRIDE = 'provider_installation {\n  dev_overrides {\n    "hashicorp/aws" = "/tmp/evil"\n  }\n}\n'


JSON_OVERRIDE = '{"provider_installation": [{"dev_overrides": [{"a/b": "/x"}]}]}'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (".terraformrc", OVERRIDE),
        (".tofurc", OVERRIDE),
        (".terraform.d/a.tfrc", OVERRIDE),
        (".terraform.d/tfrc", OVERRIDE),
        ("config/opentofu/tofurc", OVERRIDE),
        ("config/opentofu/a.tfrc", OVERRIDE),
        (".terraform.d/a.tfrc.json", JSON_OVERRIDE),
        (".terraformrc", JSON_OVERRIDE.replace("dev_", "dev\\u005f")),
        (".terraformrc", 'provider_installation {\n "dev\\x5foverrides" { }\n}\n'),
        (".terraformrc", "a = <<E\n/*\nE\n" + OVERRIDE + "# */\n"),
        (".terraformrc", "/*\n# */ " + OVERRIDE.replace("\n", " ")),
        (".terraformrc", 'x = "${\n#}" ' + OVERRIDE.replace("\n", " ")),
        (".terraformrc", OVERRIDE.replace("\n", "").replace("dev_", "/*\u2028# */ dev_")),
        (".terraformrc", "#" * 2_000_000 + "\n" + OVERRIDE),
    ],
)
def test_an_overridden_provider_is_refused(tmp_path: Path, name: str, content: str) -> None:
    """In whichever file Terraform would read it, and however it is spelled."""
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    other = {"HOME": "/nowhere", "TF_CLI_CONFIG_FILE": str(path)}
    for environ in (home, other):
        with pytest.raises(UsageError) as caught:
            cli_config.refuse_dev_overrides(environ)
        assert caught.value.field == str(path)
    cli_config.refuse_dev_overrides({**other, "TF_CLI_CONFIG_FILE": str(tmp_path / "gone")})


def test_an_override_in_a_comment_is_none(tmp_path: Path) -> None:
    """Whoever took it out that way is not refused."""
    (tmp_path / ".terraformrc").write_text(
        '# dev_overrides { "a/b" = "/x" }\n  // dev_overrides\n' + BLOCK
    )
    cli_config.refuse_dev_overrides({"HOME": str(tmp_path)})


def test_what_cannot_be_read_twice_is_refused(tmp_path: Path) -> None:
    """A pipe gives Terraform what nobody has checked; no configuration at all is fine."""
    os.mkfifo(tmp_path / "rc")
    with pytest.raises(UsageError) as caught:
        cli_config.refuse_dev_overrides({"TF_CLI_CONFIG_FILE": str(tmp_path / "rc")})
    assert caught.value.field == str(tmp_path / "rc")
    cli_config.refuse_dev_overrides({"TF_CLI_CONFIG_FILE": os.devnull})


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
