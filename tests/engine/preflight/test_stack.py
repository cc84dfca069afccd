"""The preflight around a stack: the roles it asks for, the command, and what it owns."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import boto3.session
import pytest

from biomodal_deploy.aws.checks import Verdict
from biomodal_deploy.aws.preflight import run_preflight, run_role_checks
from biomodal_deploy.aws.preflight.roles import all_steps, steps
from biomodal_deploy.aws.preflight.target import Target
from biomodal_deploy.sandbox import Sandbox
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.preflight import read_owned
from tests.support.aws_command import script_commands
from tests.support.loopback import Handler, serving
from tests.support.native import NAME, NativeProject, native_project
from tests.support.preflight_account import (
    ECS,
    ECS_POLICY,
    NAMES,
    UNANSWERED,
    VM,
    Account,
    failures,
    remove_ecs_role,
    remove_roles,
    remove_spot_role,
    verdicts,
)
from tests.support.processes import run_program
from tests.support.project import ROOT, write_stacks

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("preflight-stack")]


OTHERS: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ecs.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


@contextmanager
def slow_proxy(endpoint: str, seconds: float) -> Iterator[str]:
    """Give the address of a proxy that adds this many seconds to each call."""
    target = urlsplit(endpoint).netloc

    class Proxy(Handler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.body()
            time.sleep(seconds)
            connection = http.client.HTTPConnection(target, timeout=30)
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    with serving(Proxy) as address:
        yield address


class TestRoles:
    """Roles that are missing, wholly or in part."""

    @pytest.fixture(autouse=True)
    def _restored(self, sandbox: Sandbox, session: boto3.session.Session) -> Iterator[None]:
        yield
        for step in steps(run_role_checks(session, sandbox.region), "aws"):
            for command in script_commands(step.command):
                command.run(session)
        remove_spot_role(sandbox)

    def test_hosts_without_their_role(self, account: Account) -> None:
        """No instance profile: no host would ever join."""
        remove_ecs_role(account.sandbox)
        verdict, line, fix = account.found("ecs-instance-role")
        said = "the instance profile ecsInstanceRole does not exist"
        assert (verdict, line) == (Verdict.FAIL, said)
        assert "biomodal-aws doctor --commands" in fix

    @pytest.mark.parametrize(
        ("broken", "said"),
        [
            (
                lambda iam: iam.remove_role_from_instance_profile(
                    InstanceProfileName=ECS, RoleName=ECS
                ),
                "holds no role",
            ),
            (lambda iam: iam.detach_role_policy(RoleName=ECS, PolicyArn=ECS_POLICY), ""),
            (
                lambda iam: iam.update_assume_role_policy(RoleName=ECS, PolicyDocument=OTHERS),
                f"EC2 may not assume {ECS}",
            ),
        ],
        ids=["no role", "no policy", "another service"],
    )
    def test_a_role_that_hosts_cannot_use(
        self, account: Account, broken: Callable[[Any], object], said: str
    ) -> None:
        """It is fixed by the command that is advised."""
        broken(account.sandbox.client("iam"))
        verdict, line, fix = account.found("ecs-instance-role")
        assert verdict is Verdict.FAIL
        assert line.endswith(said)
        account.follow(fix)
        assert account.found("ecs-instance-role")[0] is Verdict.PASS

    def test_no_service_linked_roles(self, account: Account) -> None:
        """The native stack lets AWS make Batch's, the module names it and cannot."""
        iam = account.sandbox.client("iam")
        iam.delete_service_linked_role(RoleName="AWSServiceRoleForBatch")
        native = account.found("batch-service-role")
        module = account.found("batch-service-role", bootstrap="module")
        assert (native[0], module[0]) == (Verdict.WARNING, Verdict.FAIL)
        account.follow(native[2])
        assert account.found("batch-service-role")[0] is Verdict.PASS

    def test_the_commands_make_all_of_them(
        self, sandbox: Sandbox, session: boto3.session.Session
    ) -> None:
        """In an account that has none, what `prerequisites` prints is enough."""
        remove_roles(sandbox)
        report = run_role_checks(session, sandbox.region)
        assert steps(report, "aws") == all_steps("aws")
        for step in all_steps("aws"):
            for command in script_commands(step.command):
                command.run(session)
        assert set(verdicts(run_role_checks(session, sandbox.region)).values()) == {Verdict.PASS}


def test_the_command_with_everything_slow(
    sandbox: Sandbox, tmp_path: Path, session: boto3.session.Session
) -> None:
    """Two seconds to every call: the checks end in 15, and every one of them is answered."""
    _project(tmp_path, sandbox)
    with slow_proxy(sandbox.endpoint, 2.0) as endpoint:
        environment = {**sandbox.environment(os.environ), "AWS_ENDPOINT_URL": endpoint}
        # The calls wait ten of the twelve seconds: other work on the machine may take the rest.
        for _ in range(3):
            data = json.loads(_doctor(tmp_path, environment, "--output", "json").stdout)["data"]
            # Without the start of Python, which other work may double.
            assert data["seconds"] < 15
            late = [each for each in data["checks"] if "no answer" in each["line"]]
            if not late:
                break
    assert late == []
    assert data["counts"]["unknown"] == len(UNANSWERED)


def test_the_command_on_screen(
    sandbox: Sandbox, tmp_path: Path, session: boto3.session.Session
) -> None:
    """Findings by layer, what fixes them below, the sum last; status 2 where one fails."""
    _project(tmp_path, sandbox)
    done = _doctor(
        tmp_path,
        sandbox.environment(os.environ),
        "--quick",
        "--var",
        f"subnet_id={sandbox.account.private_subnet_id}",
        "--var",
        "vpc_id=vpc-0123456789abcdef0",
    )
    assert (done.returncode, done.stderr) == (2, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "Account"
    assert "Network" in lines
    vpc = next(number for number, line in enumerate(lines) if " VPC " in line)
    assert lines[vpc].startswith("  FAIL")
    assert lines[vpc + 1].strip().startswith("fix: correct vpc_id or region; `aws ec2 describe-vp")
    assert lines[-1].startswith("23 quick checks in ")
    assert "2 failed" in lines[-1]


@pytest.fixture(scope="module")
def project(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeProject]:
    """A native stack, and one of the account's roles beside it."""
    workdir = tmp_path_factory.mktemp("deployed")
    with native_project(workdir, sandbox, vm_name=VM) as project:
        roles = {"bootstrap": "prerequisites"}
        write_stacks(project.folder, {NAME: {"bootstrap": "native"}, "roles": roles})
        project.synthesize()
        project.init()
        yield project


def test_the_roles_as_a_stack(
    sandbox: Sandbox, session: boto3.session.Session, project: NativeProject
) -> None:
    """A stack of its own makes what is missing, and an applied stack has nothing to do."""
    directory = project.stack.with_name("roles")
    report = run_role_checks(session, sandbox.region)
    assert [step.variable for step in steps(report, "aws")] == ["spot_service_role"]
    remove_ecs_role(sandbox)
    report = run_role_checks(session, sandbox.region)
    wanted = [step.variable for step in steps(report, "aws")]
    assert wanted == ["spot_service_role", "ecs_instance_role"]
    variables = [f"-var=region={sandbox.region}", *(f"-var={name}=true" for name in wanted)]
    terraform = project.terraform
    terraform.must(directory, "init", "-input=false")
    terraform.must(directory, "plan", "-input=false", "-out=tfplan", *variables)
    terraform.must(directory, "apply", "-input=false", "tfplan")
    assert set(verdicts(run_role_checks(session, sandbox.region)).values()) == {Verdict.PASS}
    again = terraform(directory, "plan", "-input=false", "-detailed-exitcode", *variables)
    assert again.returncode == 0, again.stdout + again.stderr
    # ecsInstanceRole stays for the tests that follow.
    terraform.must(directory, "destroy", "-auto-approve", *variables)
    for command in script_commands(all_steps("aws")[2].command):
        command.run(session)


def test_its_own_names_are_not_taken(
    sandbox: Sandbox, target: Target, session: boto3.session.Session, project: NativeProject
) -> None:
    """After a real apply, nothing is taken with the state, and everything without it.

    The last test: what it makes goes with the account, since to destroy it would take a minute.
    """
    sandbox.client("s3").create_bucket(Bucket="preflight-data")
    # An existing bucket: the provider waits a minute for the rules of a new one.
    existing = "s3://preflight-data"
    project.terraform.must(
        project.stack,
        "apply",
        "-input=false",
        "-auto-approve",
        "-var-file=terraform.tfvars",
        f"-var=use_existing_bucket_url={existing}",
    )
    target = replace(target, use_existing_bucket_url=existing)
    owned = read_owned(Location.of(project.folder, {}), NAME)
    assert failures(run_preflight(target, session)) == NAMES
    assert failures(run_preflight(target, session, owned=owned)) == set()


def _project(folder: Path, sandbox: Sandbox) -> None:
    """Write a project that has settings and variables, and was never synthesized."""
    document = json.loads((ROOT / "cdktf.json").read_text())
    document["context"]["stacks"] = {NAME: {"bootstrap": "native"}}
    (folder / "cdktf.json").write_text(json.dumps(document))
    sandbox.write_tfvars(folder / "terraform.tfvars", vm_name=VM)


def _doctor(
    folder: Path, environment: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "biomodal_deploy", "doctor", "--project-dir", str(folder)]
    return run_program([*command, *arguments], env=environment, cwd=ROOT, timeout=60)
