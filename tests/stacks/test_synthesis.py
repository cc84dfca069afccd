"""From settings to files: what is accepted synthesizes, and what was there before is kept."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biomodal_deploy.config.settings import ProjectFile, StackSettings, read_stacks
from biomodal_deploy.errors import UsageError
from tests.support.examples import examples
from tests.support.project import ROOT, contents, stack_json

SCRIPT: Final = ROOT / "scripts" / "install_script.sh"


def synthesize(stacks: dict[str, StackSettings], output: Path) -> None:
    """Synthesize with the project's own script."""
    from stacks import synthesis

    synthesis.synthesize(stacks, install_script=SCRIPT, output=output)


_names = st.from_regex(
    r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,5}){0,3}", fullmatch=True
) | st.sampled_from(
    # Names that mean something to cdktf, to Terraform or to a file system.
    ["stacks", "assets", "manifest", "terraform", "con", "x" * 63, "variables", "outputs", "tf"]
)
_stacks = st.dictionaries(
    _names,
    st.fixed_dictionaries(
        {"bootstrap": st.sampled_from(["module", "native"])},
        optional={
            "profile": st.just("documented"),
            "plan_hours": st.floats(min_value=0.01, max_value=720),
            "protected": st.lists(st.sampled_from(["aws_instance", "aws_eip"])),
            "limits": st.fixed_dictionaries({}, optional={"max_deletes": st.integers(0, 9)}),
        },
    ),
    min_size=1,
    max_size=3,
)


@pytest.mark.slow
@examples(8, slow=True)
@given(given_settings=_stacks)
def test_whatever_is_accepted_synthesizes(given_settings: dict[str, Any]) -> None:
    """No accepted setting fails later on, and each entry becomes the stack that it names."""
    file = ProjectFile(app="x", context={"stacks": given_settings})
    stacks = read_stacks(file, {})
    with tempfile.TemporaryDirectory() as folder:
        synthesize(stacks, Path(folder))
        assert {path.name for path in Path(folder, "stacks").iterdir()} == set(given_settings)
        for name, each in given_settings.items():
            has_module = "module" in stack_json(Path(folder), name)
            assert has_module is (each["bootstrap"] == "module")


def test_settings_of_the_workflow_change_no_resource(tmp_path: Path) -> None:
    """Limits, protection and lifetimes of plans are the workflow's: the JSON does not move."""
    synthesize({"x": StackSettings(bootstrap="native")}, tmp_path / "one")
    other = StackSettings(bootstrap="native", protected=(), plan_hours=1)
    synthesize({"x": other}, tmp_path / "two")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_stack_that_changes_its_implementation_leaves_nothing_over(tmp_path: Path) -> None:
    """The stack's directory is that of the new implementation, file by file."""
    synthesize({"x": StackSettings(bootstrap="native")}, tmp_path / "both")
    synthesize({"x": StackSettings()}, tmp_path / "both")
    synthesize({"x": StackSettings()}, tmp_path / "fresh")
    assert contents(tmp_path / "both") == contents(tmp_path / "fresh")


def test_a_removed_stack_keeps_its_directory(tmp_path: Path) -> None:
    """Its Terraform state refers to what is deployed: a destroy plan still needs the directory."""
    synthesize({"x": StackSettings(), "y": StackSettings()}, tmp_path)
    synthesize({"x": StackSettings()}, tmp_path)
    assert (tmp_path / "stacks/y/cdk.tf.json").exists()
    assert '"y"' not in (tmp_path / "manifest.json").read_text()


def test_a_failure_between_stacks_publishes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first stack is not published when the second one fails."""
    from stacks import synthesis

    synthesize({"x": StackSettings()}, tmp_path / "out")
    before = contents(tmp_path / "out")

    def fail(*args: object, **kwargs: object) -> None:
        raise UsageError("It is wrong", field="y")

    monkeypatch.setattr(synthesis, "NativeStack", fail)
    with pytest.raises(UsageError, match="y: It is wrong"):
        synthesize({"x": StackSettings(), "y": StackSettings(bootstrap="native")}, tmp_path / "out")
    assert contents(tmp_path / "out") == before


def test_a_leftover_of_a_killed_synthesis_is_swept(tmp_path: Path) -> None:
    """What a process without a chance to clean up left there is gone, and does no harm."""
    leftover = tmp_path / ".synthesizing" / "stacks" / "ghost"
    leftover.mkdir(parents=True)
    (leftover / "cdk.tf.json").write_text("{")
    synthesize({"x": StackSettings()}, tmp_path)
    assert not (tmp_path / ".synthesizing").exists()
    assert [path.name for path in (tmp_path / "stacks").iterdir()] == ["x"]


def test_errors_of_ours_are_not_taken_for_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug shows itself as one, and leaves the output alone."""
    from stacks import synthesis

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("resolve(): EVERYTHING is wrong")

    monkeypatch.setattr(synthesis, "NativeStack", fail)
    with pytest.raises(RuntimeError, match="EVERYTHING"):
        synthesize({"y": StackSettings(bootstrap="native")}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_in_the_way_of_the_output_is_named(tmp_path: Path) -> None:
    """A file or a broken link where the output folder should be is no question of its mode."""
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("file", "link"):
        with pytest.raises(UsageError, match=f"{name}: .*a file or a broken link is there"):
            synthesize({"x": StackSettings()}, tmp_path / name)
