"""A plan that was approved for one account, region, endpoint and caller runs nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy import Project
from biomodal_deploy.errors import EXIT_DONE, EXIT_ENGINE, EXIT_GUARD, EXIT_SEALED_PLAN, EngineError
from biomodal_deploy.sandbox import Sandbox
from tests.support.authority.sandbox import judged_sandbox
from tests.support.checkout import user_keys
from tests.support.light import STACK, Ended, LightProject
from tests.support.mirror import kept_settings
from tests.support.terraform import require_provider

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("accounts")]

OURS: Final = "111122223333"
THEIRS: Final = "444455556666"
TRUST: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": OURS}, "Action": "sts:AssumeRole"}],
}
ADMINISTRATOR: Final = "arn:aws:iam::aws:policy/AdministratorAccess"


def model(**provider: str) -> dict[str, Any]:
    """Return a stack that only asks who is calling."""
    return {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}},
        "provider": {"aws": [provider]},
        "variable": {"region": {"type": "string", "default": "us-east-1"}},
        "data": {"aws_caller_identity": {"me": {}}},
        "output": {"account": {"value": "${data.aws_caller_identity.me.account_id}"}},
    }


@pytest.fixture(scope="module", autouse=True)
def _provider() -> None:
    require_provider()


@pytest.fixture(scope="module")
def ours() -> Iterator[Sandbox]:
    """Our account."""
    with judged_sandbox(account_id=OURS) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def theirs() -> Iterator[Sandbox]:
    """Another account."""
    with Sandbox.start(account_id=THEIRS) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def monday(ours: Sandbox) -> dict[str, str]:
    """The environment of a session of the deploying role."""
    iam = ours.client("iam")
    iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.attach_role_policy(RoleName="deployer", PolicyArn=ADMINISTRATOR)
    return session_of(ours, "monday")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, monday: Mapping[str, str]) -> LightProject:
    """A project with a plan. A refusal leaves it as it was, so one serves all of them."""
    stack = {STACK: model(region="${var.region}")}
    made = LightProject(tmp_path_factory.mktemp("accounts") / "project", stack)
    made.plan(environment=monday)
    return made


def aws(sandbox: Sandbox, **changed: str) -> dict[str, str]:
    """Return what a sandbox puts into the environment, some of it changed."""
    return {**sandbox.environment(kept_settings()), **changed}


def session_of(sandbox: Sandbox, name: str) -> dict[str, str]:
    """Return an environment with a new session of the deploying role."""
    arn = f"arn:aws:iam::{OURS}:role/deployer"
    keys = sandbox.client("sts").assume_role(RoleArn=arn, RoleSessionName=name)["Credentials"]
    return aws(
        sandbox,
        AWS_ACCESS_KEY_ID=keys["AccessKeyId"],
        AWS_SECRET_ACCESS_KEY=keys["SecretAccessKey"],
        AWS_SESSION_TOKEN=keys["SessionToken"],
    )


def apply(project: LightProject, environment: Mapping[str, str]) -> Ended:
    """Apply the newest plan."""
    return project.run("apply", "--output", "json", environment=environment)


def refused(ended: Ended, reason: str, words: str) -> None:
    """Assert a refusal for a reason, with the line that names the difference."""
    assert ended.status == EXIT_SEALED_PLAN, ended.out + ended.err
    assert ended.error["reason"] == reason, ended.error["message"]
    assert words in ended.error["message"]


def test_what_is_sealed(project: LightProject, ours: Sandbox) -> None:
    """Account with its alias, region, endpoint and caller, as AWS itself names them."""
    (sealed,) = project.plans.glob("*/manifest.json")
    facts = json.loads(sealed.read_text())["facts"]
    assert facts["account_alias"] == "sandbox"
    assert (facts["account"], facts["region"]) == (OURS, "us-east-1")
    assert facts["endpoint"] == ours.endpoint
    assert facts["caller"] == f"arn:aws:sts::{OURS}:assumed-role/deployer/monday"


def test_whoever_may_not_read_the_alias_plans_without(tmp_path: Path, ours: Sandbox) -> None:
    """A denied call is no fault: the number stands alone."""
    linus = user_keys(ours, "linus")
    project = LightProject(tmp_path / "project", {STACK: model()})
    planned = project.run("plan", "--output", "json", environment=aws(ours, **linus))
    assert planned.status == EXIT_DONE, planned.err
    facts = planned.data["facts"]
    assert (facts["account"], facts["account_alias"]) == (OURS, None)
    assert "alias" not in planned.err


def test_another_account_is_refused(project: LightProject, theirs: Sandbox) -> None:
    """A shell with another profile is the most common way to hit the wrong account."""
    words = f"it was planned with AWS account {OURS}, and here it is {THEIRS}"
    refused(apply(project, aws(theirs)), "other_account", words)


HERE: Final = "unset, and here it is http://localhost:9"


@pytest.mark.parametrize(
    ("setting", "value", "reason", "words"),
    [
        # The provider's own setting would win; whoever applies believes to be elsewhere.
        ("AWS_REGION", "eu-west-1", "other_region", "us-east-1, and here it is us-east-1 (envir"),
        # Buckets would be made elsewhere, while the account that is asked stays the same.
        ("AWS_ENDPOINT_URL_S3", "http://localhost:9", "other_endpoint", HERE),
        ("AWS_ENDPOINT_URL_EC2", "http://localhost:9", "other_endpoint", HERE),
        ("AWS_S3_ENDPOINT", "http://localhost:9", "other_endpoint", HERE),
    ],
)
def test_another_place_in_the_environment_is_refused(
    project: LightProject,
    monday: Mapping[str, str],
    setting: str,
    value: str,
    reason: str,
    words: str,
) -> None:
    """The region, and the endpoint of one service."""
    refused(apply(project, {**monday, setting: value}), reason, words)


def test_another_endpoint_is_refused(
    project: LightProject, ours: Sandbox, monday: Mapping[str, str]
) -> None:
    """What stands in for AWS is not AWS, and one stand-in not another."""
    elsewhere = ours.endpoint.replace("127.0.0.1", "localhost")
    ended = apply(project, {**monday, "AWS_ENDPOINT_URL": elsewhere})
    refused(ended, "other_endpoint", elsewhere)


def test_another_caller_is_refused(project: LightProject, ours: Sandbox) -> None:
    """The plan was made with one person's rights."""
    grace = user_keys(ours, "grace")
    administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
    ours.client("iam").attach_user_policy(UserName="grace", PolicyArn=administrator)
    words = f"and here it is arn:aws:iam::{OURS}:user/grace"
    refused(apply(project, aws(ours, **grace)), "other_caller", words)
    # Nobody approved a digest here either: a set is no way around.
    ended = project.run("apply", "--all", "--output", "json", environment=aws(ours, **grace))
    assert ended.status == EXIT_SEALED_PLAN, ended.out + ended.err
    assert words in ended.out


def test_another_endpoint_in_a_profile_is_refused(
    project: LightProject, monday: Mapping[str, str], tmp_path: Path
) -> None:
    """Nothing of the environment changes then, but a file does."""
    config = tmp_path / "config"
    config.write_text("[default]\nservices = a\n[services a]\ns3 =\n  endpoint_url = http://x:9\n")
    with_config = {**monday, "AWS_CONFIG_FILE": str(config)}
    general = with_config.pop("AWS_ENDPOINT_URL")
    ended = apply(project, {**with_config, "AWS_ENDPOINT_URL_STS": general})
    # That of all services is gone, and STS and S3 have one of their own.
    refused(ended, "other_endpoint", "(2 more differences)")


def test_a_plan_that_is_approved_by_its_digest_is_handed_over(
    tmp_path: Path, ours: Sandbox, theirs: Sandbox
) -> None:
    """One role plans and another one applies; the account stays what was sealed."""
    project = LightProject(tmp_path / "project", {STACK: model()})
    planned = project.run("plan", "--output", "json", environment=session_of(ours, "planner"))
    assert planned.status == EXIT_DONE, planned.err
    words = ("apply", "--output", "json", "--expect-sha256", planned.data["sha256"])
    elsewhere = project.run(*words, environment=aws(theirs))
    refused(elsewhere, "other_account", f"and here it is {THEIRS}")
    ended = project.run(*words, environment=aws(ours))
    assert ended.status == EXIT_DONE, ended.out + ended.err
    assert f"planned as arn:aws:sts::{OURS}:assumed-role/deployer/planner, and" in ended.err


def test_nobody_is_refused(project: LightProject, monday: Mapping[str, str]) -> None:
    """Without credentials nobody can say which account would be hit."""
    nobody = {name: value for name, value in monday.items() if not name.startswith("AWS_ACCESS")}
    ended = apply(project, nobody)
    assert ended.status == EXIT_ENGINE
    assert "AWS does not say who is calling" in ended.error["message"]
    assert "aws sts get-caller-identity" in ended.error["message"]


def test_a_new_session_of_the_same_role_is_the_same_caller(
    project: LightProject, ours: Sandbox
) -> None:
    """After all those refusals the plan is as good as before, in the afternoon's session too."""
    tuesday = session_of(ours, "tuesday")
    ended = apply(project, tuesday)
    assert ended.status == EXIT_DONE, ended.out + ended.err
    assert project.run("output", "account", environment=tuesday).out.strip() == OURS
    refusals = project.run("history", "--output", "json").data["entries"]
    assert [each["details"]["code"] for each in refusals if each["event"] == "refusal"] == [
        *("other_account", "other_region", *(["other_endpoint"] * 4)),
        *("other_caller", "other_caller", "other_endpoint"),
    ]


def test_another_region_of_a_provider_without_one_is_refused(tmp_path: Path, ours: Sandbox) -> None:
    """Terraform would read the region again, and build elsewhere."""
    project = LightProject(tmp_path / "project", {STACK: model()})
    project.plan(environment=aws(ours))
    ended = apply(project, aws(ours, AWS_REGION="eu-west-1"))
    refused(ended, "other_region", "AWS region us-east-1, and here it is eu-west-1")


def test_a_plan_beyond_its_limits_cannot_be_applied(tmp_path: Path, ours: Sandbox) -> None:
    """It is sealed to be shown, and refused when planned and when applied."""
    context = {"stacks": {STACK: {"account": [THEIRS], "region": ["eu-west-1", "eu-west-3"]}}}
    stack = {STACK: model(region="${var.region}")}
    project = LightProject(tmp_path / "project", stack, context)
    planned = project.run("plan", environment=aws(ours))
    assert planned.status == EXIT_GUARD, planned.err
    ended = apply(project, aws(ours))
    assert ended.status == EXIT_GUARD
    account = f"The account is {OURS}, and the stack is limited to {THEIRS}."
    region = "The region is us-east-1, and the stack is limited to eu-west-1 or eu-west-3."
    for line in (account, region):
        assert f"refused: {line}" in planned.out
    assert ended.error["message"] == f"{account} (1 more refusal: region)"


def test_a_python_program_asks_with_the_environment_that_it_gives(
    tmp_path: Path, ours: Sandbox, theirs: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Terraform gets that environment: who this process is says nothing of the account."""
    light = LightProject(tmp_path / "project", {STACK: model(region="${var.region}")})
    for name, value in aws(theirs).items():
        monkeypatch.setenv(name, value)
    plan = Project(light.folder, environment=light.environment(aws(ours))).plan()
    facts = plan.sealed_plan.manifest.facts
    assert (facts.account, facts.endpoint) == (OURS, ours.endpoint)
    nobody = light.environment({**aws(ours), "AWS_ACCESS_KEY_ID": ""})
    with pytest.raises(EngineError, match="AWS does not say who is calling"):
        Project(light.folder, environment=nobody).sealed(plan.id).apply()
