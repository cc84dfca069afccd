"""Where a stack's values come from: one order, for every command."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from biomodal_deploy.config.contract import variables_of
from biomodal_deploy.errors import UsageError
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.preflight import read_target
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.variables import Given, given_values

VALUES = {"vpc_id": "vpc-0a1b2c3d", "subnet_id": "subnet-0a1b2c3d", "vm_name": "analysis-vm"}


def text(values: Mapping[str, str]) -> str:
    """Return a variable file."""
    return "".join(f'{name} = "{value}"\n' for name, value in values.items())


def project(
    folder: Path, settings: Mapping[str, Any], environment: Mapping[str, str] | None = None
) -> Location:
    """Write a project with one stack, synthesized, and its variables but the region."""
    stacks = {"prod": {"bootstrap": "native", **settings}}
    document = {"app": "true", "context": {"stacks": stacks}}
    (folder / "cdktf.json").write_text(json.dumps(document))
    (folder / "terraform.tfvars").write_text(text(VALUES))
    stack = folder / "cdktf.out" / "stacks" / "prod"
    stack.mkdir(parents=True)
    variables = {name: {"type": "string"} for name in ("region", *VALUES)}
    (stack / "cdk.tf.json").write_text(json.dumps({"variable": variables}))
    return Location.of(folder, environment or {})


def given(location: Location, *var_files: Path, variables: tuple[str, ...] = ()) -> Given:
    """Return the stack's values."""
    directory = location.output / "stacks" / "prod"
    stack = Stack(location=location, name="prod", directory=directory)
    return given_values(stack, var_files, variables, location.project_dir)


def test_a_stacks_files_come_after_the_projects_and_before_the_options(tmp_path: Path) -> None:
    """Automatic files, `var_files` in order, `--var-file`, `--var`: the later one wins."""
    files = ["environments/all.tfvars", "environments/prod.tfvars"]
    location = project(tmp_path, {"var_files": files, "region": "eu-west-2"})
    (tmp_path / "environments").mkdir()
    names = ("from-auto", "from-all", "from-prod", "from-option", "from-var")
    found = []
    (tmp_path / "z.auto.tfvars").write_text(text({"vm_name": names[0]}))
    for name in files:
        (tmp_path / name).write_text("")
    found.append(given(location).resolved.values["vm_name"])
    for name, value in zip(files, names[1:3], strict=True):
        (tmp_path / name).write_text(text({"vm_name": value}))
        found.append(given(location).resolved.values["vm_name"])
    option = tmp_path / "option.tfvars"
    option.write_text(text({"vm_name": names[3]}))
    found.append(given(location, option).resolved.values["vm_name"])
    last = given(location, option, variables=(f"vm_name={names[4]}",))
    found.append(last.resolved.values["vm_name"])
    assert tuple(found) == names
    sealed = [path.relative_to(tmp_path).as_posix() for path in last.files]
    assert sealed == ["terraform.tfvars", "z.auto.tfvars", *files, "option.tfvars"]


def test_doctor_reads_the_same_values(tmp_path: Path) -> None:
    """Also what the stack's own files and its region say."""
    location = project(tmp_path, {"var_files": ["prod.tfvars"], "region": "eu-west-2"})
    (tmp_path / "prod.tfvars").write_text(text({"vm_name": "prod-vm"}))
    target = read_target(location, location.settings("prod"))
    assert (target.vm_name, target.region) == ("prod-vm", "eu-west-2")
    assert target.limits.regions == ("eu-west-2",)


def test_the_stacks_region_stands_where_nothing_gives_one(tmp_path: Path) -> None:
    """And where something gives the same."""
    location = project(tmp_path, {"region": "eu-west-2"})
    assert given(location).resolved.values["region"] == "eu-west-2"
    assert given(location, variables=("region=eu-west-2",)).resolved.values["region"] == "eu-west-2"


def test_another_region_than_the_stacks_is_an_error(tmp_path: Path) -> None:
    """From a file, an option or the environment: the line names it and the stack's."""
    location = project(tmp_path, {"region": "eu-west-2"}, {"TF_VAR_region": "us-east-1"})
    with pytest.raises(UsageError, match=r"region \(TF_VAR_region\).*us-east-1.*in eu-west-2"):
        given(location)
    with pytest.raises(UsageError, match=r"region \(--var\)"):
        given(location, variables=("region=eu-west-1",))
    (tmp_path / "terraform.tfvars").write_text(text({**VALUES, "region": "us-east-1"}))
    with pytest.raises(UsageError, match=r"region \(.*terraform.tfvars line 4\)"):
        read_target(location, location.settings("prod"))


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    """With the setting that names it."""
    location = project(tmp_path, {"var_files": ["environments/prod.tfvars"]})
    with pytest.raises(UsageError, match=r'var_files = "environments/prod.tfvars": no such file'):
        given(location)


def test_null_is_refused_before_anything_runs(tmp_path: Path) -> None:
    """A documented variable cannot be null, and the line says where it is."""
    rule = next(each for each in variables_of("native") if each.name == "tag_value").rules[0]
    location = project(tmp_path, {"region": "eu-west-2"})
    stack = tmp_path / "cdktf.out" / "stacks" / "prod" / "cdk.tf.json"
    document = json.loads(stack.read_text())
    block = {"type": "string", "default": "x", "validation": [{"error_message": rule.message}]}
    document["variable"]["tag_value"] = block
    stack.write_text(json.dumps(document))
    (tmp_path / "z.auto.tfvars").write_text("tag_value = null\n")
    with pytest.raises(UsageError, match=r"^tag_value: .*z\.auto\.tfvars line 1"):
        given(location)
