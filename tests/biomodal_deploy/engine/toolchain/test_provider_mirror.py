"""Where providers come from on machines with, without and with several mirrors."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from biomodal_deploy.engine.toolchain import find_terraform
from biomodal_deploy.engine.toolchain.mirror_search import platform_name
from biomodal_deploy.engine.toolchain.provider_mirror import (
    ProviderSource,
    cli_config_environment,
    find_provider_source,
    providers_lock_environment,
    required_providers,
)
from biomodal_deploy.errors import UsageError
from tests.support.terraform import Engine

WANTED = {"hashicorp/aws": "~> 5.100"}


def mirror(root: Path, version: str = "5.100.0", provider: str = "hashicorp/aws") -> Path:
    """Make a folder in the layout of a mirror."""
    (root / "registry.terraform.io" / provider / version / platform_name()).mkdir(parents=True)
    return root


def home(tmp_path: Path, **extra: str) -> dict[str, str]:
    """Return the environment of someone with an empty home."""
    folder = tmp_path / "home"
    folder.mkdir(exist_ok=True)
    nowhere = {"XDG_DATA_DIRS": str(tmp_path / "none")}
    return {"HOME": str(folder), "TF_CLI_CONFIG_FILE": str(folder / "gone"), **nowhere, **extra}


def test_machine_without_mirror_is_told_nothing(tmp_path: Path) -> None:
    """Someone with internet access and no mirror keeps plain Terraform: no file, no variable."""
    source = find_provider_source(home(tmp_path), wanted=WANTED, roots=[tmp_path])
    assert source.kind == "registry"
    assert cli_config_environment(tmp_path / "private", source, home(tmp_path)) == {}
    assert providers_lock_environment(source, {}) == {}
    assert not (tmp_path / "private").exists()


def test_mirror_is_found_by_its_shape(tmp_path: Path) -> None:
    """A folder of the right shape is used for what it holds, and for nothing else."""
    found = mirror(mirror(tmp_path / "plugins"), "3.7.2", "hashicorp/random")
    environ = home(tmp_path)
    source = find_provider_source(environ, wanted=WANTED, roots=[tmp_path])
    assert (source.kind, source.location) == ("mirror", str(found))
    assert source.include == ("hashicorp/aws", "hashicorp/random")
    assert source.versions == ("5.100.0",)
    text = written(tmp_path, source, environ)
    assert f'path = "{found}"' in text
    assert 'exclude = ["registry.terraform.io/hashicorp/aws",' in text
    name = "TF_CLI_ARGS_providers_lock"
    assert providers_lock_environment(source, {}) == {name: f"-fs-mirror={found}"}
    assert providers_lock_environment(source, {name: "-x"}) == {}


def test_archives_count_as_versions(tmp_path: Path) -> None:
    """The packed layout that `terraform providers mirror` writes is recognised too."""
    folder = tmp_path / "packed/registry.terraform.io/hashicorp/aws"
    folder.mkdir(parents=True)
    (folder / f"terraform-provider-aws_5.100.0_{platform_name()}.zip").touch()
    (folder / "terraform-provider-aws_5.101.0_plan9_mips.zip").touch()
    (folder / "index.json").touch()
    assert find_provider_source(home(tmp_path), roots=[tmp_path]).versions == ("5.100.0",)


def test_registry_is_preferred_to_a_mirror_without_a_fitting_version(tmp_path: Path) -> None:
    """An old mirror never stands between a machine with internet access and the right version."""
    mirror(tmp_path / "old", "4.67.0")
    assert find_provider_source(home(tmp_path), wanted=WANTED, roots=[tmp_path]).kind == "registry"


def test_provider_without_fitting_version_comes_from_the_registry(tmp_path: Path) -> None:
    """The choice is made for each provider."""
    mirror(mirror(tmp_path / "plugins"), "2.0.0", "hashicorp/random")
    wanted = {**WANTED, "hashicorp/random": ">= 3"}
    source = find_provider_source(home(tmp_path), wanted=wanted, roots=[tmp_path])
    assert source.include == ("hashicorp/aws",)


def test_two_mirrors_several_versions(tmp_path: Path) -> None:
    """The newest fitting version wins, and the other mirror is named to people."""
    mirror(tmp_path / "a", "5.100.0")
    mirror(mirror(tmp_path / "b", "5.100.1"), "6.2.0")
    mirror(tmp_path / "c", "6.3.0")
    source = find_provider_source(home(tmp_path), wanted=WANTED, roots=[tmp_path])
    assert (source.location, source.versions) == (str(tmp_path / "b"), ("6.2.0", "5.100.1"))
    assert [other.directory.name for other in source.others] == ["a"]


def test_setting_goes_first(tmp_path: Path) -> None:
    """BIOMODAL_PROVIDER_MIRROR beats the user's CLI configuration and discovery."""
    chosen = mirror(tmp_path / "chosen" / "deep" / "deeper")
    mirror(tmp_path / "plugins")
    rc = tmp_path / "rc"
    rc.write_text('plugin_cache_dir = "/c"\nprovider_installation {\n}\n')
    environ = home(tmp_path, BIOMODAL_PROVIDER_MIRROR=str(chosen), TF_CLI_CONFIG_FILE=str(rc))
    source = find_provider_source(environ, roots=[tmp_path])
    assert (source.kind, source.location) == ("mirror", str(chosen))
    text = written(tmp_path, source, environ)
    assert "plugin_cache_dir" in text
    assert text.count("provider_installation") == 1


def written(tmp_path: Path, source: ProviderSource, environ: dict[str, str]) -> str:
    """Return the CLI configuration that is written for a source."""
    variables = cli_config_environment(tmp_path / "private", source, environ)
    return Path(variables["TF_CLI_CONFIG_FILE"]).read_text()


def test_setting_may_name_the_registry_folder_or_an_address(tmp_path: Path) -> None:
    """The obvious slip is understood, and so is a mirror behind https."""
    inner = mirror(tmp_path / "m") / "registry.terraform.io"
    source = find_provider_source(home(tmp_path, BIOMODAL_PROVIDER_MIRROR=str(inner)))
    assert source.location == str(tmp_path / "m")
    environ = home(tmp_path, BIOMODAL_PROVIDER_MIRROR="https://mirror.example/providers")
    source = find_provider_source(environ)
    assert (source.kind, source.location) == ("network mirror", "https://mirror.example/providers/")
    assert f'url = "{source.location}"' in written(tmp_path, source, environ)
    assert "-net-mirror=" in providers_lock_environment(source, {})["TF_CLI_ARGS_providers_lock"]


@pytest.mark.parametrize("value", ["/nonexistent", "relative", "."])
def test_setting_that_names_no_mirror_is_one_line(tmp_path: Path, value: str) -> None:
    """The line names the variable, the value, the rule and the fix."""
    rule = r"BIOMODAL_PROVIDER_MIRROR = .* holds no .* Fix: "
    with pytest.raises(UsageError, match=rule) as info:
        find_provider_source(home(tmp_path, BIOMODAL_PROVIDER_MIRROR=value))
    assert "\n" not in str(info.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("BIOMODAL_PROVIDER_MIRROR", "none"), ("TF_PLUGIN_CACHE_DIR", "plugins")],
    ids=["switched off", "Terraform's own cache"],
)
def test_a_mirror_that_is_not_to_be_used(tmp_path: Path, name: str, value: str) -> None:
    """One that is in the way can be switched off; a plugin cache has a mirror's shape alone."""
    mirror(tmp_path / "plugins")
    environ = home(tmp_path, **{name: str(tmp_path / value) if value == "plugins" else value})
    assert find_provider_source(environ, roots=[tmp_path]).kind == "registry"


def test_users_configuration_goes_before_discovery(tmp_path: Path) -> None:
    """Where the user wrote a provider_installation block, everything is left to it."""
    mirror(tmp_path / "plugins")
    environ = home(tmp_path)
    del environ["TF_CLI_CONFIG_FILE"]
    rc = Path(environ["HOME"]) / ".terraformrc"
    rc.write_text("provider_installation {\n  direct {}\n}\n")
    source = find_provider_source(environ, roots=[tmp_path])
    assert (source.kind, source.location) == ("user configuration", str(rc))
    assert cli_config_environment(tmp_path / "private", source, environ) == {}


def test_folder_that_terraform_searches_needs_no_telling(tmp_path: Path) -> None:
    """A mirror in one of Terraform's own folders works without a configuration of ours."""
    environ = home(tmp_path)
    found = mirror(Path(environ["HOME"]) / ".terraform.d/plugins")
    mirror(tmp_path / "plugins")
    source = find_provider_source(environ, wanted=WANTED, roots=[tmp_path])
    assert (source.kind, source.location) == ("implied folder", str(found))
    assert cli_config_environment(tmp_path / "private", source, environ) == {}
    assert providers_lock_environment(source, {})


def test_mirror_that_others_can_write_is_passed_over(tmp_path: Path) -> None:
    """A provider is a program: none is run from a folder that anyone could have filled."""
    found = mirror(tmp_path / "plugins")
    found.chmod(0o777)  # the world-writable folder is what is tested
    assert find_provider_source(home(tmp_path), roots=[tmp_path]).kind == "registry"
    found.chmod(0o755)
    assert find_provider_source(home(tmp_path), roots=[tmp_path]).kind == "mirror"


def test_search_is_bounded_and_fast(tmp_path: Path) -> None:
    """A crowded folder costs milliseconds, and nothing deeper than its children is looked at."""
    for number in range(2000):
        (tmp_path / f"d{number}").mkdir()
    mirror(tmp_path / "d1" / "deep" / "deeper")
    environ = home(tmp_path)
    started = time.process_time()
    assert find_provider_source(environ, roots=[tmp_path]).kind == "registry"
    assert time.process_time() - started < 5


def test_constraints_are_read_from_the_synthesized_stack(tmp_path: Path) -> None:
    """What the stack asks for decides whether a mirror fits; a strange file asks for nothing."""
    assert required_providers(tmp_path) == {}
    block = {"aws": {"source": "registry.terraform.io/hashicorp/aws", "version": "~> 5.100"}}
    for blocks in (block, [block]):
        document = {"terraform": {"required_providers": blocks}}
        (tmp_path / "cdk.tf.json").write_text(json.dumps(document))
        assert required_providers(tmp_path) == WANTED
    (tmp_path / "cdk.tf.json").write_text('{"terraform": []}')
    assert required_providers(tmp_path) == {}


@pytest.mark.engine
@pytest.mark.parametrize("binary", [None, "embedded"])
def test_terraform_installs_from_the_mirror(tmp_path: Path, binary: str | None) -> None:
    """Real `terraform init` accepts the configuration and takes the provider from the mirror."""
    source = find_provider_source(wanted=WANTED)
    if source.kind != "mirror":
        pytest.skip(f"no provider mirror on this machine: {source.reason}")
    block = {"aws": {"source": "hashicorp/aws", "version": "~> 5.100"}}
    (tmp_path / "cdk.tf.json").write_text(json.dumps({"terraform": {"required_providers": block}}))
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "CHECKPOINT_DISABLE": "1",
        **cli_config_environment(tmp_path / "private", source),
        **providers_lock_environment(source),
    }
    engine = Engine(find_terraform(binary).argv_prefix, environ)
    for verb in (["init", "-input=false"], ["providers", "lock"]):
        engine.must(tmp_path, *verb, "-no-color")
    assert "hashicorp/aws" in (tmp_path / ".terraform.lock.hcl").read_text()
