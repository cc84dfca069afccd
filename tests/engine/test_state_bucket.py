"""The bucket for states in the sandbox: made, looked at, and used with the least policy for it.

The AWS provider waits almost a minute for the bucket's lifecycle rule. It is made in the
background, and what needs another bucket is tried meanwhile: tests are in that order.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, Final

import pytest
from boto3.session import Session
from botocore.exceptions import ClientError

from biomodal_deploy.config.backends import stack_of
from biomodal_deploy.errors import EXIT_FINDINGS, EXIT_GUARD
from biomodal_deploy.iam.catalog import Phase
from biomodal_deploy.iam.permissions import StackPermissions
from biomodal_deploy.sandbox import Sandbox
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.stack import fresh_stack
from biomodal_deploy.workflow.state_bucket import own_stack
from biomodal_deploy.workflow.wanted_bucket import BucketOptions, wanted_bucket
from tests.support.authority.record import read_record
from tests.support.authority.sandbox import judged_sandbox
from tests.support.aws_command import commands_in
from tests.support.checkout import user_keys
from tests.support.driven import Driven
from tests.support.light import Ended, command
from tests.support.project import app_environment, copy_app, write_stacks
from tests.support.shared_state import (
    BUCKET,
    SharedProject,
    addresses,
    locked,
    make_bucket,
    put_state,
    shared_state,
)
from tests.support.terraform import require_provider

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("state-bucket")]

MADE: Final = "lab-terraform-state"
KEY: Final = "lab/terraform.tfstate"
BOTH: Final = {"terraform_data.first", "terraform_data.second"}


@dataclass(frozen=True)
class Team:
    """An account, and a checkout whose stack names a bucket."""

    folder: Path  # the checkout
    sandbox: Sandbox  # the account
    record: Path  # where the account notes every call
    environment: Mapping[str, str]  # of the account's owner
    making: Driven  # `backend create`, in the background

    def run(self, *words: str) -> Ended:
        """Run one command of `biomodal-aws`."""
        return command(self.folder, words, self.environment)

    def calls(self, user: str) -> set[tuple[str, str, bool]]:
        """Return what was authorized of a user's calls of S3: action, resource, whether allowed."""
        return {
            (each.action, each.resource, each.allowed)
            for call in read_record(self.record)
            if call.user == user and call.service == "s3"
            for each in call.requests
        }


class Member(SharedProject):
    """A checkout of somebody who holds keys of their own."""

    def __init__(self, folder: Path, sandbox: Sandbox, keys: Mapping[str, str]) -> None:
        self.keys = dict(keys)
        super().__init__(folder, sandbox)
        self.keep_in_s3(KEY)

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return an environment that reaches the sandbox as that user."""
        return super().environment(more) | self.keys


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """The account with one bucket, and another one in the making."""
    require_provider()
    folder = tmp_path_factory.mktemp("team")
    app = copy_app(folder / "app")
    backend = {"kind": "s3", "bucket": MADE, "region": "us-east-1"}
    write_stacks(app, {"lab": {"bootstrap": "native", "backend": backend}})
    # What belongs to the stack is no matter of the bucket's.
    (app / "terraform.tfvars").write_text('region = "eu-west-2"\nvm_name = "lab"\n')
    record = folder / "record.jsonl"
    with judged_sandbox(folder, record=record) as sandbox:
        make_bucket(sandbox)
        environment = app_environment(app, sandbox.environment(os.environ))
        keys = user_keys(sandbox, "maker", _deployer(Location.of(app, environment)))
        terminal = {**environment, **keys, "TERM": "xterm", "COLUMNS": "120"}
        with Driven.command(app, ["backend", "create"], terminal, terminal=True) as making:
            Thread(target=_agree, args=(making,), daemon=True).start()
            yield Team(app, sandbox, record, environment, making)


def _deployer(location: Location) -> dict[str, Any]:
    """Return what compiles for the bucket's own stack, without what only a destroy needs."""
    options = BucketOptions()
    own = own_stack(location, wanted_bucket(location, options), options)
    directory = fresh_stack(own.location, own.name).directory
    known = StackPermissions(directory, {}, "000000000000")
    (policy,) = known.deployer([Phase.PLAN, Phase.APPLY, Phase.UPDATE])
    return policy.as_json()


def _agree(making: Driven) -> None:
    making.until(lambda: "Only yes goes on:" in making.screen, seconds=400)
    assert making.terminal
    making.terminal.type("yes")


def test_who_holds_the_policy_plans_and_applies(team: Team, tmp_path: Path) -> None:
    """On a state that is not there yet, and again; each of its statements is needed for it."""
    names = ("--bucket", BUCKET, "--region", team.sandbox.region, "--key", KEY)
    printed = team.run("backend", "policy", *names)
    assert printed.status == 0, printed.err
    document = json.loads(printed.out)
    mine = Member(tmp_path / "a", team.sandbox, user_keys(team.sandbox, "member", document))
    mine.applied()
    state = shared_state(team.sandbox, KEY)
    assert addresses(state) == BOTH
    assert not locked(team.sandbox, KEY)
    ended = mine.run("plan", "--output", "json")
    assert (ended.status, ended.data["has_changes"]) == (0, False)
    arn = f"arn:aws:s3:::{BUCKET}"
    used = {(action, resource) for action, resource, allowed in team.calls("member") if allowed}
    assert used == {
        ("s3:ListBucket", arn),
        ("s3:GetObject", f"{arn}/{KEY}"),
        ("s3:PutObject", f"{arn}/{KEY}"),
        ("s3:PutObject", f"{arn}/{KEY}.tflock"),
        ("s3:GetObject", f"{arn}/{KEY}.tflock"),
        ("s3:DeleteObject", f"{arn}/{KEY}.tflock"),
    }
    put_state(team.sandbox, "other/terraform.tfstate", state)
    _sees_no_other(team, mine.environment())
    nosy = Member(tmp_path / "b", team.sandbox, mine.keys)
    nosy.keep_in_s3("other/terraform.tfstate")
    ended = nosy.run("plan", "--output", "json")
    assert ended.status == 1
    assert "StatusCode: 403" in ended.error["message"]


def _sees_no_other(team: Team, environment: Mapping[str, str]) -> None:
    s3: Any = Session(
        environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]
    ).client("s3", endpoint_url=team.sandbox.endpoint, region_name=team.sandbox.region)
    s3.get_object(Bucket=BUCKET, Key=KEY)
    other = {"Key": "other/terraform.tfstate"}
    refused: tuple[tuple[str, dict[str, Any]], ...] = (
        ("get_object", other),
        ("put_object", {**other, "Body": b""}),
        ("get_object", {"Key": "not-there"}),
        ("delete_object", {"Key": KEY}),
        ("list_objects_v2", {}),
        ("list_objects_v2", {"Prefix": "other/"}),
        ("put_bucket_versioning", {"VersioningConfiguration": {"Status": "Suspended"}}),
    )
    for operation, asked in refused:
        with pytest.raises(ClientError, match="AccessDenied"):
            getattr(s3, operation)(Bucket=BUCKET, **asked)


def test_who_plans_alone_writes_no_state(team: Team, tmp_path: Path) -> None:
    """A plan takes the lock and gives it back; an apply of theirs changes nothing."""
    names = ("--bucket", BUCKET, "--region", team.sandbox.region, "--key", KEY)
    printed = team.run("backend", "policy", "--plan-only", *names)
    before = shared_state(team.sandbox, KEY)
    theirs = Member(
        tmp_path / "a", team.sandbox, user_keys(team.sandbox, "planner", json.loads(printed.out))
    )
    theirs.change({"resource": {"terraform_data": {"third": {}}}})
    theirs.plan()
    assert not locked(team.sandbox, KEY)
    ended = theirs.run("apply", "--confirm", "light")
    assert ended.status != 0
    assert shared_state(team.sandbox, KEY) == before


@pytest.mark.parametrize("lacking", ["FindState", "ReadAndWriteState", "TakeAndReleaseLock"])
def test_nothing_of_it_can_be_left_out(team: Team, tmp_path: Path, lacking: str) -> None:
    """Without any one of its statements there is no plan, or no apply, on a new state."""
    key = f"{lacking}/terraform.tfstate"
    names = ("--bucket", BUCKET, "--region", team.sandbox.region, "--key", key)
    document = json.loads(team.run("backend", "policy", *names).out)
    kept = [each for each in document["Statement"] if each["Sid"] != lacking]
    assert len(kept) == len(document["Statement"]) - 1
    keys = user_keys(team.sandbox, f"without-{lacking}", document | {"Statement": kept})
    mine = Member(tmp_path / "a", team.sandbox, keys)
    mine.keep_in_s3(key)
    ended = mine.run("plan", "--output", "json")
    assert ended.status == 1, ended.out
    assert "StatusCode: 403" in ended.error["message"]


def test_a_bucket_whose_default_is_a_key(team: Team, tmp_path: Path) -> None:
    """A state gets that key, and takes its use: `backend check` says so before an apply fails."""
    kms: Any = team.sandbox.client("kms")
    made = kms.create_key()["KeyMetadata"]
    key, bucket = made["Arn"], "keyed-state"
    s3: Any = team.sandbox.client("s3")
    s3.create_bucket(Bucket=bucket)
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    s3.put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": default}]
        },
    )
    names = ("--bucket", bucket, "--region", team.sandbox.region)
    checked = team.run("backend", "check", *names, "-o", "json")
    (written,) = (each for each in checked.data["checks"] if each["check"] == "written")
    assert (written["verdict"], key in written["fix"]) == ("warning", True), written
    for named in ((), ("--kms-key-id", key)):
        printed = team.run("backend", "policy", *names, "--key", KEY, *named)
        who = "named" if named else "unnamed"
        keys = user_keys(team.sandbox, who, json.loads(printed.out))
        mine = Member(tmp_path / who, team.sandbox, keys)
        mine.keep_in_s3(KEY, bucket)
        ended = mine.run("plan", "--output", "json")
        if not named:
            assert ended.status == 1, ended.out
            assert "kms:GenerateDataKey" in ended.error["message"]
    mine.applied()
    head = s3.head_object(Bucket=bucket, Key=KEY)
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


def test_a_bucket_that_lacks_everything(team: Team) -> None:
    """Each remedy is a command that works, and together they make it fit."""
    team.sandbox.client("s3").create_bucket(Bucket="bare")
    names = ("backend", "check", "--bucket", "bare", "--region", team.sandbox.region, "-o", "json")
    ended = team.run(*names)
    assert (ended.status, ended.data["fit"]) == (2, False)
    session = Session("sandbox", "sandbox")
    for each in ended.data["checks"]:
        if each["verdict"] == "fail":
            (advice,) = commands_in(each["fix"])
            client: Any = session.client(
                "s3", endpoint_url=team.sandbox.endpoint, region_name=advice.region
            )
            getattr(client, _snake(advice.operation))(**advice.parameters)
    ended = team.run(*names)
    assert (ended.status, ended.data["fit"]) == (0, True), ended.out


def _snake(operation: str) -> str:
    return "".join(f"_{mark.lower()}" if mark.isupper() else mark for mark in operation).lstrip("_")


def test_it_is_made_as_planned(team: Team) -> None:
    """Shown, agreed to, applied once by who may do just that; the policy for users comes last."""
    team.making.process.wait(timeout=150)
    screen = team.making.screen
    assert team.making.process.returncode == 0, screen
    shown, asked, made = screen.partition("Only yes goes on:")
    assert "+ aws_s3_bucket.state" in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert asked
    assert f"s3://{MADE} in us-east-1" in made
    assert "TakeAndReleaseLock" in made
    assert "backend migrate" not in made
    stack = stack_of(MADE)
    state = json.loads((team.folder / "state" / f"{stack}.tfstate").read_text())
    assert {each["type"] for each in state["resources"] if each["mode"] == "managed"} >= {
        "aws_s3_bucket",
        "aws_s3_bucket_policy",
        "aws_s3_bucket_versioning",
    }
    assert (team.folder / "locks" / f"{stack}.terraform.lock.hcl").exists()
    (plan,) = (path for path in (team.folder / "plans" / stack).iterdir() if path.name[0] == "2")
    assert not (plan / "plan.tfplan").exists(), "what was applied is still there"
    ended = team.run("backend", "check", "--output", "json")
    assert ended.status == 0, ended.out + ended.err
    assert {each["verdict"] for each in ended.data["checks"]} == {"pass"}


def test_again_it_plans_what_has_changed(team: Team) -> None:
    """What was made is as planned but for what is asked now, and nobody agrees to that here."""
    ended = team.run("backend", "create", "--keep-days", "30", "--output", "json")
    assert ended.status == 2, ended.out + ended.err
    assert ended.data["applied"] is None
    assert [(each["action"], each["address"]) for each in ended.data["plan"]["changes"]] == [
        ("update", "aws_s3_bucket_lifecycle_configuration.state")
    ]
    assert ended.data["policy"]["Statement"]
    # Whoever is to agree finds it by the name that is printed.
    shown = team.run("show", "--stack", ended.data["stack"])
    assert f"apply {ended.data['plan']['sealed_plan']} --stack {stack_of(MADE)}" in shown.out, (
        shown.err
    )


def test_it_is_not_taken_for_a_new_one(team: Team) -> None:
    """Without its state the bucket is left alone, and so are the states in it."""
    state = team.folder / "state" / f"{stack_of(MADE)}.tfstate"
    state.rename(state.with_suffix(".away"))
    ended = team.run("backend", "create", "--yes")
    assert ended.status == 64
    assert "This account has it already" in ended.err
    assert "biomodal-aws backend check" in ended.err
    state.with_suffix(".away").rename(state)


def test_a_deleted_bucket_is_made_again_as_the_refusal_says(team: Team) -> None:
    """The option that the refusal names is one of the command that refused."""
    team.sandbox.client("s3").delete_bucket(Bucket=MADE)
    refused = team.run("backend", "create", "--yes")
    assert refused.status == EXIT_GUARD, refused.err
    option = re.search(r"plan again with (--[\w-]+) '([\w.]+)'", refused.out)
    assert option, refused.out
    ended = team.run("backend", "create", "--plan-only", *option.groups(), "--output", "json")
    assert ended.status == EXIT_FINDINGS, ended.out + ended.err
    assert ended.data["stack"] == stack_of(MADE)
