"""Real failures, provoked in an account on loopback, and what `diagnose` calls them.

One account serves all tests; each failure is a run of the commands that people type, with the real
Terraform and AWS provider.
"""

from __future__ import annotations

import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy.errors import EXIT_DONE, EXIT_ENGINE, EXIT_FINDINGS
from biomodal_deploy.sandbox import Sandbox
from tests.support.authority.sandbox import judged_sandbox
from tests.support.checkout import user_keys
from tests.support.driven import Driven
from tests.support.light import STACK, Ended, command
from tests.support.shared_state import SLOW, SharedProject, locked, make_bucket
from tests.support.terraform import require_provider

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("diagnose")]

NO_VPC: Final = "vpc-0deadbeefdeadbeef"
TAKEN: Final = "somebodys-bucket"
ALL_BUT_ECR: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "NotAction": "ecr:*", "Resource": "*"}],
}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """An account with a bucket for states, one whose name is taken, and a user with less rights."""
    require_provider()
    with judged_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        make_bucket(sandbox)
        sandbox.client("s3").create_bucket(Bucket=TAKEN)
        yield sandbox


@pytest.fixture(scope="module")
def limited(sandbox: Sandbox) -> dict[str, str]:
    """The credentials of a user who may do everything but use ECR."""
    return user_keys(sandbox, "ada", ALL_BUT_ECR)


def model(sandbox: Sandbox, **resources: Any) -> dict[str, Any]:
    """Return a stack of a few AWS resources."""
    source = {"aws": {"source": "hashicorp/aws", "version": "~> 5.100"}}
    return {
        "terraform": {"required_providers": source},
        "provider": {"aws": [{"region": sandbox.region}]},
        "resource": resources,
    }


def begun(project: SharedProject) -> bool:
    """Whether the slow resource is being made."""
    logs = project.plans.glob("*/logs/apply.log")
    return any("provision_start" in log.read_text(errors="replace") for log in logs)


def diagnosed(project: SharedProject, *words: str) -> Any:
    """Return what `diagnose` says, which names a cause."""
    ended = project.run("diagnose", *words, "--output", "json")
    assert ended.status == EXIT_DONE, ended.out + ended.err
    return ended.data


def test_a_wrong_vpc_and_a_taken_bucket_name(sandbox: Sandbox, tmp_path: Path) -> None:
    """Both errors of one apply are named, each with the variable that is wrong."""
    stack = model(
        sandbox,
        aws_subnet={"lab": {"cidr_block": "10.0.0.0/24", "vpc_id": NO_VPC}},
        aws_s3_bucket={"data": {"bucket": TAKEN}},
    )
    project = SharedProject(tmp_path / "a", sandbox, stack)
    project.plan()
    failed = project.run("apply", "--output", "json")
    assert failed.status == EXIT_ENGINE, failed.err
    assert failed.error["cause"] in ("vpc_missing", "bucket_taken")
    data = diagnosed(project)
    assert (data["stack"], data["verb"]) == (STACK, "apply")
    found = {each["cause"]: each for each in data["findings"]}
    assert set(found) == {"vpc_missing", "bucket_taken"}
    assert found["vpc_missing"]["fields"] == {"vpc": NO_VPC}
    assert found["vpc_missing"]["addresses"] == ["aws_subnet.lab"]
    assert "vpc_id" in found["vpc_missing"]["variables"]
    assert found["bucket_taken"]["fields"] == {"bucket": TAKEN}


def test_what_exists_is_taken_over(sandbox: Sandbox, tmp_path: Path) -> None:
    """A failed apply and `diagnose` give the command and the block, and the command works."""
    sandbox.client("ecr").create_repository(repositoryName="lab-images")
    repository = {"images": {"name": "lab-images"}}
    project = SharedProject(tmp_path / "a", sandbox, model(sandbox, aws_ecr_repository=repository))
    project.plan()
    failed = project.run("apply")
    assert failed.status == EXIT_ENGINE, failed.err
    address = "aws_ecr_repository.images"
    block = f'import {{\n  to = {address}\n  id = "lab-images"\n}}\n'
    assert block in failed.err
    assert f"biomodal-aws adopt --id '{address}=lab-images'" in failed.err
    (finding,) = diagnosed(project)["findings"]
    assert finding["imports"] == {address: "lab-images"}
    adopted = project.run("adopt", "--id", f"{address}=lab-images", "--output", "json")
    assert adopted.status == EXIT_DONE, adopted.out + adopted.err
    assert (adopted.data["counts"]["imported"], adopted.data["counts"]["create"]) == (1, 0)
    assert (project.folder / adopted.data["adoption_file"]).read_text() == block
    assert project.run("apply").status == EXIT_DONE


def test_a_missing_permission(sandbox: Sandbox, limited: dict[str, str], tmp_path: Path) -> None:
    """The statement that the user lacks is the compiled policy's own."""
    repository = {"images": {"name": "lab"}}
    project = SharedProject(tmp_path / "a", sandbox, model(sandbox, aws_ecr_repository=repository))
    # Straight, for the project's own environment has the account owner's credentials.
    environment = {**project.environment(), **limited}
    assert command(project.folder, ["plan"], environment).status == EXIT_DONE
    failed = command(project.folder, ["apply"], environment)
    assert failed.status == EXIT_ENGINE, failed.err
    (finding,) = diagnosed(project)["findings"]
    assert finding["cause"] == "denied"
    missing = finding["missing"]
    assert (missing["action"], missing["origin"]) == ("ecr:CreateRepository", "stack")
    assert missing["caller"].endswith(":user/ada")
    (statement,) = missing["statements"]
    assert statement["Resource"].endswith(f"{sandbox.account_id}:repository/lab")


def test_a_killed_apply_and_the_lock_that_it_leaves(sandbox: Sandbox, tmp_path: Path) -> None:
    """First the run that was killed, then the lock: who holds it, and the way to release it."""
    project = SharedProject(tmp_path / "a", sandbox, SLOW)
    project.keep_in_s3()
    project.plan()
    with Driven.command(project.folder, ["apply"], project.environment()) as driven:
        driven.until(lambda: begun(project))
        # Held fast first: a command that lives would write down how its Terraform ended.
        driven.process.send_signal(signal.SIGSTOP)
        for process in driven.descendants():
            if driven.name_of(process) == "terraform":
                process.kill()
        driven.process.kill()
        driven.end()
        driven.until(lambda: not driven.descendants_but_shells())
    (finding,) = diagnosed(project)["findings"]
    assert (finding["cause"], finding["next"]) == ("killed_run", "biomodal-aws plan")
    assert project.run("plan").status == EXIT_ENGINE
    (finding,) = diagnosed(project)["findings"]
    assert finding["cause"] == "locked"
    assert finding["fields"]["operation"] == "Apply"
    assert "held" not in finding["next"]
    (release,) = [word for word in finding["fix"].split("`") if "force-unlock" in word]
    assert locked(sandbox)
    subprocess.run(shlex.split(release), env=project.environment(), check=True, timeout=30)
    assert not locked(sandbox)


def test_an_unknown_failure_says_what_to_do(sandbox: Sandbox, tmp_path: Path) -> None:
    """The failed run itself leads to `diagnose`, which keeps the words."""
    failing = {"local-exec": {"command": "echo only here; exit 7"}}
    stack = {"resource": {"terraform_data": {"it": {"provisioner": failing}}}}
    project = SharedProject(tmp_path / "a", sandbox, stack)
    project.plan()
    failed = project.run("apply")
    assert "Next: biomodal-aws diagnose. Log: " in failed.err
    ended: Ended = project.run("diagnose")
    assert ended.status == EXIT_FINDINGS, ended.err
    assert "word for word" in ended.out
    assert "exit status 7" in ended.out
