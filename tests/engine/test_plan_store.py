"""A sealed plan by way of S3: put where it was planned, fetched by its digest, applied once."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy.aws import buckets
from biomodal_deploy.config.stack import StackSettings
from biomodal_deploy.errors import EngineError
from biomodal_deploy.iam import Place
from biomodal_deploy.iam.catalog import Phase
from biomodal_deploy.iam.needs import remote_needs
from biomodal_deploy.iam.policies import policies
from biomodal_deploy.sandbox import Sandbox
from tests.support.authority.sandbox import judged_sandbox
from tests.support.light import STACK, LightProject
from tests.support.payloads import undocumented

pytestmark = pytest.mark.engine

BUCKET: Final = "lab-plans"
STORE: Final = {"plan_store": {"remote": f"s3://{BUCKET}/sealed"}}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """An account with a versioned bucket, that holds each user to the compiled policy."""
    with judged_sandbox(tmp_path_factory.mktemp("account")) as running:
        s3 = running.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        place = Place.of(running.region, running.account_id)
        needs = tuple(remote_needs(StackSettings.model_validate(STORE), STACK, place))
        for phase in (Phase.PLAN, Phase.APPLY):
            (policy,) = policies((each for each in needs if each.phase is phase), phase)
            running.client("iam").create_user(UserName=phase)
            running.client("iam").put_user_policy(
                UserName=phase, PolicyName="store", PolicyDocument=json.dumps(policy.as_json())
            )
        yield running


class Lab(LightProject):
    """A project whose plans go through the account's bucket."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        super().__init__(folder, context={"stacks": {STACK: STORE}})

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment of the account's owner."""
        home = {"HOME": str(self.folder / "home")}
        return {**super().environment(), **self.sandbox.environment({}), **home, **(more or {})}

    def put(self, digest: str, content: bytes) -> None:
        """Put whatever somebody likes under a digest."""
        key = f"sealed/{STACK}/{digest}.tar"
        self.sandbox.client("s3").put_object(Bucket=BUCKET, Key=key, Body=content)


def keys(sandbox: Sandbox, user: str) -> dict[str, str]:
    """Return what puts a user's keys into the environment."""
    made = sandbox.client("iam").create_access_key(UserName=user)["AccessKey"]
    return {
        "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
    }


def test_from_one_machine_to_another(sandbox: Sandbox, tmp_path: Path) -> None:
    """Who plans puts and cannot fetch, who applies fetches and cannot put; it is applied once."""
    lab = Lab(tmp_path / "project", sandbox)
    planner, applier = keys(sandbox, Phase.PLAN), keys(sandbox, Phase.APPLY)
    sealed = lab.plan()
    push = ("plans", "--push", sealed.name)
    assert lab.run(*push, environment=applier).status == 1
    for _ in range(2):  # the second time it is there
        pushed = lab.run(*push, "-o", "json", environment=planner)
        assert pushed.status == 0, pushed.err
        assert [each["sealed_plan"] for each in pushed.data["plans"]] == [sealed.name]
        assert undocumented("plans", pushed.data) == []
    s3: Any = sandbox.client("s3")
    (found,) = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"sealed/{STACK}/")["Contents"]
    assert s3.head_object(Bucket=BUCKET, Key=found["Key"])["ServerSideEncryption"] == "AES256"
    assert len(s3.list_object_versions(Bucket=BUCKET)["Versions"]) == 1
    digest = Path(found["Key"]).stem
    pull = ("plans", "--pull", digest)
    here = lab.run(*pull, environment=applier)
    assert (here.status, f"{sealed.name} is here already" in here.err) == (4, True)
    shutil.rmtree(lab.folder / "plans")
    shutil.rmtree(lab.folder / "cdktf.out")
    denied = lab.run(*pull, environment=planner)
    assert (denied.status, "s3:GetObject" in denied.err) == (1, True), denied.err
    pulled = lab.run(*pull, environment=applier)
    assert pulled.status == 0, pulled.err
    assert sealed.name in pulled.out
    assert (lab.folder / "plans" / ".gitignore").read_text() == "*\n"
    assert [each.name for each in lab.plans.iterdir()] == [sealed.name]
    lab.run("synth")
    applied = lab.run("apply", sealed.name, "--expect-sha256", digest)
    assert applied.status == 0, applied.err
    assert lab.run("plans", "--push", sealed.name).status == 4


@pytest.mark.parametrize(
    ("content", "status", "says"),
    [
        (b"no tar file", 4, "it is no whole tar file"),
        (b"\0" * 10240, 4, "it holds no manifest.json"),
        (None, 1, "does not exist"),
    ],
)
def test_a_hostile_object(
    sandbox: Sandbox, tmp_path: Path, content: bytes | None, status: int, says: str
) -> None:
    """One line, and nothing of it stays."""
    lab = Lab(tmp_path / "project", sandbox)
    digest = f"{len(says):064x}"
    if content is not None:
        lab.put(digest, content)
    ended = lab.run("plans", "--pull", digest)
    assert (ended.status, says in ended.err) == (status, True), ended.err
    assert ended.err.count("\n") == 2, "what is fetched, and why it is refused"
    assert list(lab.plans.iterdir()) == []


def test_an_object_that_is_too_large(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its size is read before it is. A bucket without versions is told from one with them."""
    for name, value in Lab(tmp_path / "project", sandbox).environment().items():
        monkeypatch.setenv(name, value)
    sandbox.client("s3").put_object(Bucket=BUCKET, Key="large", Body=b"12345")
    file = io.BytesIO()
    with pytest.raises(EngineError, match="larger than 4 bytes"):
        buckets.get_file(sandbox.region, BUCKET, "large", file, 4)
    assert file.getvalue() == b""
    buckets.get_file(sandbox.region, BUCKET, "large", file, 5)
    assert file.getvalue() == b"12345"
    sandbox.client("s3").create_bucket(Bucket="lab-plain")
    for bucket, versioned in ((BUCKET, True), ("lab-plain", False)):
        assert buckets.put_file(sandbox.region, bucket, "new", io.BytesIO(b"1"), None) is versioned


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("--pull", "abc"), 64, "64 hexadecimal digits"),
        (("--pull", "0" * 64, "--prune"), 64, "only one at a time"),
        (("--push", "20260101T000000Z-abcdef"), 4, "has no sealed plan"),
    ],
)
def test_what_is_asked_for_is_wrong(
    sandbox: Sandbox, tmp_path: Path, words: tuple[str, ...], status: int, says: str
) -> None:
    """One clear line."""
    lab = Lab(tmp_path / "project", sandbox)
    lab.run("synth")
    ended = lab.run("plans", *words)
    assert (ended.status, says in ended.err) == (status, True), ended.err


def test_without_a_store(tmp_path: Path) -> None:
    """The line has the setting."""
    project = LightProject(tmp_path / "project", context={"stacks": {STACK: {}}})
    ended = project.run("plans", "--pull", "0" * 64)
    assert (ended.status, '"plan_store"' in ended.err) == (64, True)
