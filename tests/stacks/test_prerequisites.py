"""The stack of an account's roles."""

from __future__ import annotations

from typing import Any, Final

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from biomodal_deploy.config.contract import variables_of
from biomodal_deploy.config.settings import StackSettings
from tests.support.project import ROOT, stack_json

ADDRESSES: Final = {
    "aws_iam_service_linked_role": {"batch", "spot"},
    "aws_iam_role": {"ecs_instance"},
    "aws_iam_role_policy_attachment": {"ecs_instance"},
    "aws_iam_instance_profile": {"ecs_instance"},
}


@pytest.fixture(scope="module")
def roles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The stack as data."""
    from stacks.synthesis import synthesize

    output = tmp_path_factory.mktemp("roles")
    stacks = {"roles": StackSettings(bootstrap="prerequisites")}
    synthesize(stacks, install_script=ROOT / "scripts" / "install_script.sh", output=output)
    return stack_json(output, "roles")


def test_snapshot(roles: dict[str, Any], snapshot: SnapshotAssertion) -> None:
    """Roles that everything in the account shares change only on purpose."""
    assert roles == snapshot(extension_class=JSONSnapshotExtension)


def test_each_role_is_made_where_it_is_asked_for(roles: dict[str, Any]) -> None:
    """An account has each of them once: making one that is there would fail."""
    counts = {
        f"{kind}.{name}": body["count"]
        for kind, named in roles["resource"].items()
        for name, body in named.items()
    }
    assert counts.pop("aws_iam_service_linked_role.batch") == "${var.batch_service_role ? 1 : 0}"
    assert counts.pop("aws_iam_service_linked_role.spot") == "${var.spot_service_role ? 1 : 0}"
    assert set(counts.values()) == {"${var.ecs_instance_role ? 1 : 0}"}
    asked = [name for name, each in roles["variable"].items() if each["type"] == "bool"]
    assert len(asked) == 3
    assert all(roles["variable"][name]["default"] is False for name in asked)


def test_names_and_policy_are_the_documents(roles: dict[str, Any]) -> None:
    """Batch and the upstream module look for exactly these, in every partition."""
    resources = roles["resource"]
    assert {kind: set(named) for kind, named in resources.items()} == ADDRESSES
    assert resources["aws_iam_role"]["ecs_instance"]["name"] == "ecsInstanceRole"
    assert resources["aws_iam_instance_profile"]["ecs_instance"]["name"] == "ecsInstanceRole"
    assert resources["aws_iam_role_policy_attachment"]["ecs_instance"]["policy_arn"] == (
        "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/"
        "AmazonEC2ContainerServiceforEC2Role"
    )


def test_what_it_takes_and_where_it_is_kept(roles: dict[str, Any]) -> None:
    """A region, tags, one switch a role; destroying a stack never takes these along."""
    assert set(roles["variable"]) == {each.name for each in variables_of("prerequisites")}
    assert "vm_name" not in roles["variable"]
    assert roles["terraform"]["backend"]["local"]["path"] == "../../../state/roles.tfstate"
