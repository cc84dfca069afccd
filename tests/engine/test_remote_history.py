"""A history in S3: what was applied once stays used, whatever is restored on the machine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from biomodal_deploy.errors import EXIT_DONE, EXIT_ENGINE, EXIT_SEALED_PLAN
from biomodal_deploy.sandbox import Sandbox
from tests.support.light import STACK, LightProject

pytestmark = pytest.mark.engine

BUCKET = "lab-history"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """An account with a bucket that has object lock."""
    with Sandbox.start(tmp_path_factory.mktemp("account")) as running:
        running.client("s3").create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
        yield running


class Lab(LightProject):
    """A project whose history is in the account's bucket."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        super().__init__(folder)
        self.history(BUCKET)

    def history(self, bucket: str) -> None:
        """Write the settings."""
        history = {
            "remote": f"s3://{bucket}/claims",
            "region": self._sandbox.region,
            "retain_days": 1,
        }
        context = {"stacks": {STACK: {"history": history}}}
        document = {"app": "python app.py", "context": context}
        (self.folder / "cdktf.json").write_text(json.dumps(document))

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment of the account's owner."""
        account = self._sandbox.environment({})
        home = {"HOME": str(self.folder / "home")}
        return {**super().environment(), **account, **home, **(more or {})}


def test_restored_together_it_is_still_used(sandbox: Sandbox, tmp_path: Path) -> None:
    """Plans, history and state of before are put back, with a blank more: refused, by whom."""
    lab = Lab(tmp_path / "project", sandbox)
    sealed = lab.plan()
    copy = tmp_path / "copy"
    shutil.copytree(lab.folder / "plans", copy / "plans")
    assert lab.run("apply").status == EXIT_DONE
    for name in ("plans", "state"):
        shutil.rmtree(lab.folder / name)
    shutil.copytree(copy / "plans", lab.folder / "plans")
    # The same manifest in a file of another digest.
    manifest = lab.folder / "plans" / STACK / sealed.name / "manifest.json"
    manifest.write_text(manifest.read_text() + " ")
    entries = lab.run("history", "--output", "json").data["entries"]
    assert "apply-start" not in {each["event"] for each in entries}
    refused = lab.run("apply", sealed.name, "--output", "json")
    assert (refused.status, refused.error["reason"]) == (EXIT_SEALED_PLAN, "used"), refused.err
    assert f"s3://{BUCKET}/claims/{STACK}/" in refused.error["message"]
    assert not (lab.folder / "state").exists()
    s3 = sandbox.client("s3")
    (found,) = s3.list_objects_v2(Bucket=BUCKET, Prefix="claims/")["Contents"]
    claim = s3.get_object(Bucket=BUCKET, Key=found["Key"])
    assert claim["ObjectLockMode"] == "COMPLIANCE"
    body = json.loads(claim["Body"].read())
    assert (body["stack"], body["sealed_plan"]) == (STACK, sealed.name)
    assert found["Key"] == f"claims/{STACK}/{sealed.name}.json"


def test_no_answer_leaves_the_plan_unused(sandbox: Sandbox, tmp_path: Path) -> None:
    """Where the claim cannot be put nothing is applied; once it can, the same plan is."""
    lab = Lab(tmp_path / "project", sandbox)
    lab.plan()
    lab.history("lab-no-such-bucket")
    failed = lab.run("apply")
    assert failed.status == EXIT_ENGINE, failed.err
    assert "s3://lab-no-such-bucket/claims/" in failed.err
    lab.history(BUCKET)
    assert lab.run("apply").status == EXIT_DONE
