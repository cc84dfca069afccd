"""`python main.py`: the same bytes everywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.project import BOTH, contents, run_main, stack_json, write_stacks

# Each test starts the app and, in most, the Node that cdktf runs in.
pytestmark = pytest.mark.engine


def test_the_shipped_settings_synthesize_the_documented_stack(project: Path) -> None:
    """A fresh clone, nothing set: the documented stack and no other, without a word."""
    done = run_main(project)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [path.name for path in (project / "cdktf.out" / "stacks").iterdir()] == ["biomodal-aws"]
    module = stack_json(project / "cdktf.out", "biomodal-aws")["module"]["bootstrap"]
    assert "terraform-aws-bootstrap" in module["source"]


def test_the_same_bytes_from_any_folder(good: Path, project: Path, tmp_path: Path) -> None:
    """Another checkout, another working directory, another user's home: not one byte differs."""
    write_stacks(project, BOTH)
    environment = {"USER": "someone", "LANG": "C", "TZ": "Asia/Tokyo"}
    done = run_main(project, cwd=tmp_path, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert contents(project / "cdktf.out") == contents(good / "cdktf.out")
    assert not (tmp_path / "cdktf.out").exists()


def test_terraform_refuses_another_stack_s_values(project: Path) -> None:
    """Cdktf reads the project's terraform.tfvars for every stack: it says what to pass instead."""
    write_stacks(
        project,
        {
            "native": {"bootstrap": "native"},
            "dev": {"bootstrap": "native", "var_files": ["d.tfvars"]},
        },
    )
    shared = 'vm_name = "lab"\nregion = "eu-west-2"\n'
    (project / "terraform.tfvars").write_text(shared)
    (project / "d.tfvars").write_text('vm_name = "dev"\n')
    assert run_main(project).returncode == 0
    variables = stack_json(project / "cdktf.out", "dev")["variable"]
    added = variables["vm_name"]["validation"][-1]
    assert added["condition"] == '${var.vm_name != "lab"}'
    assert "--var-file=d.tfvars" in added["error_message"]
    # What the stack's own file leaves to the project's is its own too.
    plain = stack_json(project / "cdktf.out", "native")["variable"]
    assert variables["region"] == plain["region"]
    assert "lab" not in json.dumps(plain)


def test_again_writes_the_same_bytes(copy: Path) -> None:
    """A second synthesis changes nothing, and keeps what Terraform put beside it."""
    before = contents(copy / "cdktf.out")
    stack = copy / "cdktf.out" / "stacks" / "native"
    (stack / ".terraform").mkdir()
    (stack / ".terraform" / "environment").write_text("default")
    (stack / ".terraform.lock.hcl").write_text("# locked")
    (stack / "tfplan").write_text("plan")
    assert run_main(copy).returncode == 0
    after = contents(copy / "cdktf.out")
    assert {name: after.pop(f"stacks/native/{name}") for name in ("tfplan",)} == {"tfplan": b"plan"}
    assert after.pop("stacks/native/.terraform.lock.hcl") == b"# locked"
    assert after.pop("stacks/native/.terraform/environment") == b"default"
    assert after == before


def test_settings_from_the_environment(project: Path, tmp_path: Path) -> None:
    """cdktf's own CDKTF_CONTEXT_JSON and CDKTF_OUTDIR work as usual."""  # noqa: D403
    context = {"stacks": {"other": {"bootstrap": "native"}}}
    output = tmp_path / "elsewhere" / "out"
    done = run_main(
        project, env={"CDKTF_CONTEXT_JSON": json.dumps(context), "CDKTF_OUTDIR": str(output)}
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in (output / "stacks").iterdir()] == ["other"]
    assert not (project / "cdktf.out").exists()


def test_a_stack_s_name_is_in_its_backend_and_metadata_only(good: Path, copy: Path) -> None:
    """Addresses do not hold it: two stacks of one implementation differ in their state."""
    write_stacks(copy, {"eu-production": {"bootstrap": "native"}})
    assert run_main(copy).returncode == 0
    renamed = (copy / "cdktf.out/stacks/eu-production/cdk.tf.json").read_text()
    original = (good / "cdktf.out/stacks/native/cdk.tf.json").read_text()
    changed = [
        (old.strip(), new.strip())
        for old, new in zip(original.splitlines(), renamed.splitlines(), strict=True)
        if old != new
    ]
    assert changed
    assert all(old.replace("native", "eu-production") == new for old, new in changed)
    assert all(old.startswith(('"path":', '"stackName":', '"native":')) for old, _ in changed)


def test_one_is_true_for_the_format(copy: Path) -> None:
    """HCL comes out whole and in its own file, and not in one that Terraform reads as JSON."""
    assert run_main(copy, env={"SYNTH_HCL_OUTPUT": "true"}).returncode == 0
    before = contents(copy / "cdktf.out")
    assert run_main(copy, env={"SYNTH_HCL_OUTPUT": "1"}).returncode == 0
    assert contents(copy / "cdktf.out") == before


def test_both_formats_never_lie_side_by_side(copy: Path) -> None:
    """Terraform refuses a directory that says everything twice."""
    before = contents(copy / "cdktf.out")
    assert run_main(copy, env={"SYNTH_HCL_OUTPUT": "true"}).returncode == 0
    for name in BOTH:
        stack = copy / "cdktf.out/stacks" / name
        assert (stack / "cdk.tf").exists()
        assert not (stack / "cdk.tf.json").exists()
    assert run_main(copy).returncode == 0
    assert contents(copy / "cdktf.out") == before
