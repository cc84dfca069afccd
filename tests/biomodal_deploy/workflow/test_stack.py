"""Which stack is meant: by what is synthesized, and by what is kept of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from biomodal_deploy.errors import UsageError
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.stack import recorded_stack
from tests.support.light import LightProject


@pytest.fixture
def location(tmp_path: Path) -> Location:
    """A project with two stacks, of which nothing is synthesized or kept."""
    LightProject(tmp_path, context={"stacks": {"dev": {}, "prod": {}}})
    return Location.of(tmp_path, {})


def keep(location: Location, *names: str) -> None:
    """Make the folders that plans of these stacks leave."""
    for name in names:
        (location.plans / name).mkdir(parents=True)


def synthesize(location: Location, *names: str) -> None:
    """Make what synthesis leaves of these stacks."""
    for name in names:
        (location.output / "stacks" / name).mkdir(parents=True)
        (location.output / "stacks" / name / "cdk.tf.json").write_text("{}")


def test_a_record_outlives_what_it_is_of(location: Location) -> None:
    """Plans and history are read without `cdktf.out`, and of a stack that is gone from settings."""
    keep(location, "prod", "gone")
    assert recorded_stack(location, "prod").name == "prod"
    assert recorded_stack(location, "prod").history.verify_chain().entries == ()
    synthesize(location, "dev", "prod")
    assert recorded_stack(location, "gone").name == "gone"


def test_a_hidden_folder_is_no_record(location: Location) -> None:
    """What a file manager leaves beside the plans is nobody's stack."""
    location = Location.of(LightProject(location.project_dir).folder, {})
    keep(location, ".Trash", "light")
    assert recorded_stack(location, None).name == "light"


def test_no_stack_is_guessed(location: Location) -> None:
    """Of two stacks one is named, even where only one of them has plans."""
    keep(location, "dev")
    with pytest.raises(UsageError, match="dev, prod"):
        recorded_stack(location, None)
    synthesize(location, "dev", "prod")
    with pytest.raises(UsageError, match="dev, prod"):
        recorded_stack(location, None)


def test_an_unknown_stack_is_refused(location: Location) -> None:
    """With the ones that there are; and where nothing was ever done, with what to do."""
    with pytest.raises(UsageError, match="run biomodal-aws plan"):
        recorded_stack(location, None)
    keep(location, "dev")
    with pytest.raises(UsageError, match='did you mean "prod"'):
        recorded_stack(location, "prd")
    with pytest.raises(UsageError, match="no such stack"):
        recorded_stack(location, "../dev")
