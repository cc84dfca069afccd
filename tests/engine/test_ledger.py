"""A destroy with its ledger, on real Terraform: what is held, what stops it, what is left.

The stack holds all but AWS Batch: Terraform waits a minute for a job queue to
go. The native stack as a whole is destroyed in `test_workflow_sandbox.py`. Tests are in the order
of one life.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
from botocore import xform_name

from biomodal_deploy.errors import EXIT_DONE, EXIT_ENGINE, EXIT_GUARD
from biomodal_deploy.sandbox import Sandbox
from tests.support.authority.sandbox import judged_sandbox
from tests.support.aws_command import parse
from tests.support.checkout import user_keys
from tests.support.light import Ended, LightProject
from tests.support.mirror import kept_settings
from tests.support.terraform import require_provider

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("ledger")]

STACK: Final = "lab"
VM: Final = "ledger-vm"
THEIRS: Final = "data-of-before"
PROTECTED: Final = (
    "aws_s3_bucket.data",
    "aws_ecr_repository.images",
    "aws_instance.vm",
    "aws_eip.address",
)
READER: Final = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {
            "Effect": "Deny",
            "Action": ["s3:ListBucketVersions", "s3:ListBucketMultipartUploads"],
            "Resource": "*",
        },
    ],
}
MANIFEST: Final = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
    "config": {
        "mediaType": "application/vnd.docker.container.image.v1+json",
        "size": 100,
        "digest": f"sha256:{'0' * 64}",
    },
    "layers": [],
}


def model(subnet: str, image: str) -> dict[str, Any]:
    """Return the stack: a bucket, a repository, a VM with a disk that stays, and an address."""
    disk = {"device_name": "/dev/sdf", "volume_size": 5, "delete_on_termination": False}
    return {
        "terraform": {
            "required_providers": {"aws": {"source": "hashicorp/aws", "version": "~> 5.100"}}
        },
        "provider": {"aws": [{"default_tags": [{"tags": {"environment": "development"}}]}]},
        "variable": {
            "vm_name": {"type": "string", "default": VM},
            "tag_key": {"type": "string", "default": "environment"},
            "tag_value": {"type": "string", "default": "development"},
            "bucket_force_destroy": {"type": "bool", "default": False},
        },
        "resource": {
            "aws_s3_bucket": {"data": {"bucket": VM, "force_destroy": False}},
            "aws_ecr_repository": {"images": {"name": VM}},
            "aws_instance": {
                "vm": {
                    "ami": image,
                    "instance_type": "t3.micro",
                    "subnet_id": subnet,
                    "ebs_block_device": [disk],
                    "tags": {"Name": VM},
                }
            },
            "aws_eip": {"address": {"domain": "vpc", "instance": "${aws_instance.vm.id}"}},
            "aws_cloudwatch_log_group": {"tasks": {"name": f"/biomodal/{VM}/tasks"}},
        },
        "output": {"bucket_url": {"value": f"s3://{THEIRS}"}},
    }


@dataclass
class Lab:
    """A stack that was applied, with data in it."""

    project: LightProject  # its project
    sandbox: Sandbox  # its account
    environment: Mapping[str, str]  # reaches that account and no other
    kept: dict[str, str] = field(default_factory=dict)  # what one test finds for those after it

    def must(self, status: int, *words: str, **more: str) -> Ended:
        """Run one command that has to end with a status."""
        ended = self.project.run(*words, environment={**self.environment, **more})
        assert ended.status == status, ended.out + ended.err
        assert "Traceback" not in ended.err
        return ended

    def reader(self) -> dict[str, str]:
        """Return the credentials of a user who may not see former versions."""
        return user_keys(self.sandbox, "reader", READER)

    def do(self, command: str) -> None:
        """Do what a printed command of the AWS CLI does."""
        parsed = parse(command)
        getattr(self.client(parsed.service), xform_name(parsed.operation))(**parsed.parameters)

    def client(self, service: str) -> Any:
        """Return a client for the account."""
        session = boto3.Session("test", "test", region_name=self.sandbox.region)
        return session.client(  # type: ignore[call-overload]
            service, endpoint_url=self.sandbox.endpoint
        )


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The stack, with objects and an image in it."""
    require_provider()
    workdir = tmp_path_factory.mktemp("ledger")
    with judged_sandbox(workdir) as sandbox:
        lab = Lab(LightProject(workdir / "project"), sandbox, sandbox.environment(kept_settings()))
        image = lab.client("ec2").describe_images(Owners=["099720109477"])["Images"][0]["ImageId"]
        lab.project.model({STACK: model(sandbox.account.subnet_ids[0], image)})
        assert "ledger" not in lab.must(EXIT_DONE, "plan", "-o", "json").data
        lab.must(EXIT_DONE, "apply")
        s3 = lab.client("s3")
        s3.create_bucket(Bucket=THEIRS)
        for bucket in (VM, THEIRS):
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
            for text in (b"first", b"second"):
                s3.put_object(Bucket=bucket, Key="reads.fastq.gz", Body=text)
        lab.client("ecr").put_image(
            repositoryName=VM, imageManifest=json.dumps(MANIFEST), imageTag="1"
        )
        yield lab


def fates(data: Any) -> dict[tuple[str, str], str]:
    """Return what becomes of each thing."""
    return {(each["kind"], each["name"]): each["fate"] for each in data["ledger"]["holdings"]}


def test_the_plan_with_its_ledger(lab: Lab) -> None:
    """What stops it, what is lost, what stays; where one service is denied, only that is unknown.

    The same again for whoever asks later.
    """
    planned = lab.must(EXIT_GUARD, "plan", "--destroy", "-o", "json", **lab.reader()).data
    found = fates(planned)
    disks = [name for (kind, name), fate in found.items() if (kind, fate) == ("volume", "stays")]
    lab.kept["disk"] = disks[0]
    assert [fate for (kind, _), fate in found.items() if kind == "vm"] == ["lost"]
    assert found["bucket", VM] == "stops"
    assert found["bucket", THEIRS] == "stays"
    assert found["repository", VM] == "stops"
    assert found["log-group", f"/biomodal/{VM}/tasks"] == "empty"
    bucket, repository = (each for each in planned["ledger"]["holdings"] if each["name"] == VM)
    assert bucket["line"].startswith(
        "1 object, 6 bytes; old versions: unknown (s3:ListBucketVersions); "
    )
    _, lab.kept["solution"] = repository["fixes"]
    shown = lab.must(EXIT_DONE, "show", planned["sealed_plan"], "-o", "json").data
    assert shown["ledger"] == planned["ledger"]


def test_a_destroy_that_fails_halfway(lab: Lab) -> None:
    """As the ledger said before anything was done; and it says where to read that again."""
    allowed = [word for address in PROTECTED for word in ("--allow-destroy", address)]
    failed = lab.must(EXIT_ENGINE, "destroy", *allowed, "--confirm", STACK)
    before, _, after = failed.err.partition("Destroying ...")
    assert f"  stops        bucket s3://{VM}: 1 object, 1 old version, 11 bytes; " in before
    assert "2 things make the destroy fail halfway; " in before
    assert "What it held, and what solves it: biomodal-aws show " in after
    snapshot = lab.client("ec2").create_snapshot(VolumeId=lab.kept["disk"])
    lab.kept["snapshot"] = snapshot["SnapshotId"]


def test_what_is_left(lab: Lab) -> None:
    """The second destroy ends it, and knows what the first one made go; history has it too.

    Meanwhile the repository went by the command in the ledger, and the bucket by hand.
    """
    solution = lab.kept["solution"].removeprefix("to lose them: ")
    lab.do(solution.removesuffix(", and plan again"))
    s3 = lab.client("s3")
    for version in s3.list_object_versions(Bucket=VM)["Versions"]:
        s3.delete_object(Bucket=VM, Key=version["Key"], VersionId=version["VersionId"])
    s3.delete_bucket(Bucket=VM)
    remains = lab.must(EXIT_DONE, "destroy", "--confirm", STACK, "-o", "json").data["remains"]
    left = {each["kind"]: each for each in remains["left"]}
    assert {kind: each["name"] for kind, each in left.items()} == {
        "bucket": THEIRS,
        "volume": lab.kept["disk"],
        "snapshot": lab.kept["snapshot"],
    }
    assert (remains["bills"], remains["clean"], remains["unread"]) == (3, False, [])
    assert left["bucket"]["line"].startswith("1 object, 1 old version, 11 bytes; Terraform did not")
    entries = lab.must(EXIT_DONE, "history", "-o", "json").data["entries"]
    assert entries[-1]["event"] == "remains"
    assert entries[-1]["message"] == "3 things left that may still bill"
    shown = lab.must(EXIT_DONE, "show", entries[-1]["sealed_plan"]).out
    assert f"  bills         snapshot {lab.kept['snapshot']}: of {lab.kept['disk']}, 5 GiB" in shown
    for kind in ("volume", "snapshot"):
        lab.do(left[kind]["commands"][0])


def test_an_account_that_does_not_answer(tmp_path: Path) -> None:
    """Nobody can tell what is held or left, and the destroy is done all the same."""
    silent = {
        "output": {"bucket_url": {"value": f"s3://{THEIRS}"}},
        "resource": {"terraform_data": {"vm": {}}},
    }
    project = LightProject(tmp_path / "project", {STACK: silent})
    nobody = {"AWS_REGION": "eu-west-2", "AWS_EC2_METADATA_DISABLED": "true"}
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    unreachable = {**nobody, **keys, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    project.plan(environment=nobody)
    assert project.run("apply", environment=nobody).status == EXIT_DONE
    planned = project.run("plan", "--destroy", "-o", "json", environment=nobody)
    (bucket,) = planned.data["ledger"]["holdings"]
    assert (planned.status, bucket["fate"]) == (EXIT_DONE, "unknown")
    assert bucket["line"] == "there are no AWS credentials"
    done = project.run("destroy", "--confirm", STACK, environment=unreachable)
    assert done.status == EXIT_DONE, done.err
    assert f"  unknown      bucket s3://{THEIRS}: AWS cannot be reached" in done.err
    assert done.out.startswith("Done: 1 change made in ")
    assert "Nothing was found that bills, but " in done.out
