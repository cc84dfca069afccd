"""Names in Terraform: each a resource of its own, and one that Terraform takes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cdktf import App, TerraformStack
from cdktf import Testing as CdktfTesting
from cdktf_cdktf_provider_aws.sns_topic import SnsTopic
from constructs import Construct

from biomodal_aws import Part


class Alerts(Part):
    """A construct with one resource, as a user of the library writes it."""

    def __init__(self, scope: Construct, id_: str, suffix: str = "") -> None:
        super().__init__(scope, id_)
        self.topic = self.named(SnsTopic(self, "topic", name="alerts"), suffix)


@pytest.fixture
def stack(tmp_path: Path) -> TerraformStack:
    """An empty stack."""
    return TerraformStack(App(stack_traces=False, outdir=str(tmp_path)), "lab")


def test_ids_that_give_one_address_are_refused(stack: TerraformStack) -> None:
    """Ids apart only in hyphens would make one resource of two; the error names both."""
    Alerts(stack, "north-east")
    with pytest.raises(ValueError, match=r"lab/north_east.*lab/north-east"):
        Alerts(stack, "north_east")


def test_nesting_that_gives_one_address_is_refused(stack: TerraformStack) -> None:
    """The same by nesting, in a plain construct and in a part."""
    Alerts(Construct(stack, "north"), "vm")
    with pytest.raises(ValueError, match="'north_vm'"):
        Alerts(stack, "north_vm")
    Alerts(Part(stack, "south"), "vm")
    with pytest.raises(ValueError, match="'south_vm'"):
        Alerts(stack, "south_vm")


def test_a_part_names_each_of_a_type_apart(stack: TerraformStack) -> None:
    """A second resource of a type needs a suffix; one resource may be named again."""
    alerts = Alerts(stack, "alerts")
    second = SnsTopic(alerts, "second", name="second")
    with pytest.raises(ValueError, match="'alerts'"):
        alerts.named(second)
    alerts.named(second, "second")
    alerts.named(alerts.topic, "first")
    topics = json.loads(CdktfTesting.synth(stack))["resource"]["aws_sns_topic"]
    assert set(topics) == {"alerts_first", "alerts_second"}


def test_stacks_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Two stacks of one app have the same names."""
    app = App(stack_traces=False, outdir=str(tmp_path))
    north, south = TerraformStack(app, "north"), TerraformStack(app, "south")
    assert Alerts(north, "alerts").address == Alerts(south, "alerts").address


@pytest.mark.parametrize("id_", ["1st", "head office", "vm.1", "vm$"])
def test_ids_that_terraform_refuses(stack: TerraformStack, id_: str) -> None:
    """An id that makes no name in Terraform is refused where it is written."""
    with pytest.raises(ValueError, match="cannot be a name in Terraform"):
        Alerts(stack, id_)


def test_ids_in_any_script(stack: TerraformStack) -> None:
    """Terraform takes letters of any script, and so does a part."""
    assert Alerts(stack, "Süd").address == "Süd"
