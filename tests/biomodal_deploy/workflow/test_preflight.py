"""From a project to what is checked, and what its state holds already."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from biomodal_deploy.aws.preflight import owned_by, target_from
from biomodal_deploy.config.settings import Bounds, StackSettings
from biomodal_deploy.errors import UsageError
from biomodal_deploy.plan.history import Event, History
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.lost_state import StateLost
from biomodal_deploy.workflow.preflight import read_owned, read_target

VALUES = {
    "region": "eu-west-2",
    "vpc_id": "vpc-0a1b2c3d",
    "subnet_id": "subnet-0a1b2c3d",
    "vm_name": "analysis-vm",
}


@pytest.fixture
def location(tmp_path: Path) -> Location:
    """A project with two stacks and their variables."""
    stacks = {
        "lab": {"bootstrap": "native", "region": ["eu-west-2"]},
        "roles": {"bootstrap": "prerequisites"},
    }
    project = {"app": "true", "context": {"stacks": stacks}}
    (tmp_path / "cdktf.json").write_text(json.dumps(project))
    lines = [f'{name} = "{value}"' for name, value in VALUES.items()]
    (tmp_path / "terraform.tfvars").write_text("\n".join(lines))
    return Location.of(tmp_path, {})


def test_what_is_not_given_is_what_terraform_takes() -> None:
    """The document's defaults; a value that has none is one line with what to write."""
    target = target_from(VALUES, "module")
    assert target.instance_type == "t3.large"
    assert target.tags == (("environment", "development"), ("biomodal-deployment", target.vm_name))
    assert target.existing_bucket is None
    assert target.limits == Bounds()
    with pytest.raises(UsageError, match=r'vpc_id: missing. Fix: set vpc_id = "..."'):
        target_from({name: VALUES[name] for name in VALUES if name != "vpc_id"}, "native")


def test_names_follow_the_stacks() -> None:
    """The module's bucket is named by AWS, the native one after the VM, unless one is there."""
    assert target_from(VALUES, "module").new_bucket is None
    assert target_from(VALUES, "native").new_bucket == "analysis-vm"
    existing = target_from({**VALUES, "use_existing_bucket_url": "s3://data/"}, "native")
    assert (existing.existing_bucket, existing.new_bucket) == ("data", None)


def test_a_project_is_read_without_synthesis(location: Location) -> None:
    """Variables, limits and implementation come from its files alone."""
    target = read_target(location, location.settings("lab"), variables=["instance_type=m5.large"])
    assert target == target_from(
        {**VALUES, "instance_type": "m5.large"}, "native", Bounds(regions=("eu-west-2",))
    )


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        ("vpc_id=vpc-1", "A VPC id is vpc- and 8 to 17 hexadecimal digits"),
        ("vpcid=x", 'did you mean "vpc_id"?'),
    ],
)
def test_wrong_variables_are_refused_as_by_plan(
    location: Location, variable: str, message: str
) -> None:
    """The same rules and words hold as for a plan."""
    with pytest.raises(UsageError) as info:
        read_target(location, location.settings("lab"), variables=[variable])
    assert message in str(info.value)


def test_prerequisites_have_no_preflight(location: Location) -> None:
    """They make what is checked for."""
    with pytest.raises(UsageError, match="name another stack with --stack"):
        read_target(location, location.settings("roles"))
    assert StackSettings(bootstrap="prerequisites").bootstrap == "prerequisites"


def held(kind: str, mode: str = "managed", **attributes: object) -> dict[str, object]:
    """Return a resource as a state has it."""
    return {"mode": mode, "type": kind, "name": "it", "instances": [{"attributes": attributes}]}


PULLED = {
    "version": 4,
    "resources": [
        held("aws_key_pair", id="analysis-vm", key_name="analysis-vm"),
        held("aws_security_group", id="sg-1", name="analysis-vm-sg", tags={}),
        held("aws_iam_role", "data", id="other"),
    ],
}
KEY = {"mode": "managed", "type": "aws_key_pair", "values": {"id": "analysis-vm"}}
ADDRESS = {"mode": "managed", "type": "aws_eip", "values": {"id": "eipalloc-1"}}
MODULES = [{"resources": [ADDRESS]}]
SHOWN = {"values": {"root_module": {"resources": [KEY], "child_modules": MODULES}}}


def test_a_pulled_state() -> None:
    """Managed resources under each of their ids; what is only read is not owned."""
    assert owned_by(PULLED) == {
        "aws_key_pair:analysis-vm",
        "aws_security_group:sg-1",
        "aws_security_group:analysis-vm-sg",
    }


def test_a_shown_state() -> None:
    """The modules' resources too."""
    assert owned_by(SHOWN) == {"aws_key_pair:analysis-vm", "aws_eip:eipalloc-1"}
    assert owned_by({"format_version": "1.0"}) == frozenset()


def test_the_state_of_a_project(location: Location) -> None:
    """It is found where the synthesized stack says; before synthesis there is none."""
    assert read_owned(location, "lab") == frozenset()
    stack = location.output / "stacks" / "lab"
    stack.mkdir(parents=True)
    backend = {"local": {"path": "../../../state/lab.tfstate"}}
    (stack / "cdk.tf.json").write_text(json.dumps({"terraform": {"backend": backend}}))
    assert read_owned(location, "lab") == frozenset()
    state = location.project_dir / "state" / "lab.tfstate"
    state.parent.mkdir()
    state.write_text(json.dumps(PULLED))
    assert "aws_key_pair:analysis-vm" in (read_owned(location, "lab") or ())
    state.write_text("{")
    with pytest.raises(UsageError, match="cannot be read as a state file"):
        read_owned(location, "lab")


def test_a_state_that_is_lost_is_no_empty_one(location: Location) -> None:
    """Nine names would be "taken", each with advice to delete what the stack has made."""
    stack = location.output / "stacks" / "lab"
    stack.mkdir(parents=True)
    backend = {"local": {"path": "../../../state/lab.tfstate"}}
    (stack / "cdk.tf.json").write_text(json.dumps({"terraform": {"backend": backend}}))
    history = History(location.plans, "lab")
    history.append(Event.APPLY_START, sealed_plan="b1", details={"kind": "apply"})
    history.append(
        Event.RESULT, sealed_plan="b1", details={"ok": True, "changes": 3, "resources": 3}
    )
    with pytest.raises(StateLost, match="left 3 resources"):
        read_owned(location, "lab")


def test_a_state_that_cannot_be_read_is_not_an_empty_one(tmp_path: Path) -> None:
    """A state in HCP Terraform, or behind a role, is unknown here, and nothing is called taken."""
    role = {"role_arn": "arn:aws:iam::123456789012:role/state"}
    s3 = {"kind": "s3", "bucket": "lab-state", "region": "eu-west-2", "assume_role": role}
    for backend in (s3, {"kind": "cloud", "organization": "lab"}):
        stacks = {"lab": {"bootstrap": "native", "backend": backend}}
        project = {"app": "true", "context": {"stacks": stacks}}
        (tmp_path / "cdktf.json").write_text(json.dumps(project))
        assert read_owned(Location.of(tmp_path, {}), "lab") is None
