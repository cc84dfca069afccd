"""Plan documents of real Terraform for the native stack, kept in `tests/data/real_plans`.

`python -m tests.support.real_plans` makes them again, against a sandbox of its own: one life of the
stack, planned at each turn of it. What depends on the day or on the account of the sandbox stays as
it was planned, so the views of these plans change only when the code does.
"""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from biomodal_deploy.sandbox import Sandbox
from tests.support.native import NativeProject, native_project
from tests.support.project import ROOT

FOLDER: Final = ROOT / "tests" / "data" / "real_plans"
# What nothing here reads: the planned values stand in the changes as well.
_UNREAD: Final = ("relevant_attributes",)


def real_plan(name: str) -> bytes:
    """Return a kept document."""
    return gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes())


def construct_paths() -> dict[str, str]:
    """Return the construct path of each resource of the native stack, by address without keys."""
    snapshot = ROOT / "tests/stacks/__snapshots__/test_snapshots/test_native_stack.json"
    return {
        f"{kind}.{name}": body["//"]["metadata"]["path"]
        for kind, named in json.loads(snapshot.read_text())["resource"].items()
        for name, body in named.items()
    }


def _keep(name: str, document: dict[str, Any]) -> None:
    kept = {key: value for key, value in document.items() if key not in _UNREAD}
    text = json.dumps(kept, separators=(",", ":"), ensure_ascii=False)
    # Without a moment in its header the same document is the same file.
    (FOLDER / f"{name}.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{name}: {len(text):,} characters")


def _edited(project: NativeProject, edit: Callable[[dict[str, Any]], None], name: str) -> None:
    """Plan an edited stack, keep the document, and put the stack back."""
    file = project.stack / "cdk.tf.json"
    text = file.read_text()
    body = json.loads(text)
    edit(body["resource"])
    file.write_text(json.dumps(body))
    _keep(name, project.plan(out=name))
    file.write_text(text)


def _update(of: dict[str, Any]) -> None:
    of["aws_instance"]["vm"]["instance_type"] = "t3.2xlarge"
    of["aws_batch_compute_environment"]["batch"]["compute_resources"]["max_vcpus"] = 512
    [rule] = of["aws_s3_bucket_lifecycle_configuration"]["data_bucket"]["rule"]
    rule["expiration"][0]["days"] = 20


def _replace(of: dict[str, Any]) -> None:
    of["aws_key_pair"]["ssh_key"]["key_name"] = "another"
    of["aws_batch_job_queue"]["job_queue"]["name"] = "another"
    of["aws_instance"]["vm"]["root_block_device"]["encrypted"] = False


def _broaden(of: dict[str, Any]) -> None:
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    of["aws_iam_role_policy"]["vm_role"]["policy"] = policy
    of["aws_s3_bucket_public_access_block"]["data_bucket"]["block_public_policy"] = False
    rules = of["aws_vpc_security_group_ingress_rule"]
    rules["batch_hosts_from_subnet"] |= {"cidr_ipv4": "0.0.0.0/0"}


def _shrink(of: dict[str, Any]) -> None:
    of["aws_instance"]["vm"]["root_block_device"]["volume_size"] = 20


def _changed_by_hand(project: NativeProject) -> None:
    ec2 = project.sandbox.client("ec2")
    groups = ec2.describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [project.sandbox.account.vpc_id]}]
    )["SecurityGroups"]
    for each in groups:
        if each["GroupName"].endswith("-sg"):
            ec2.authorize_security_group_ingress(
                GroupId=each["GroupId"],
                IpPermissions=[
                    {
                        "IpProtocol": "tcp",
                        "FromPort": 3389,
                        "ToPort": 3389,
                        "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
                    }
                ],
            )
    for reservation in ec2.describe_instances()["Reservations"]:
        for instance in reservation["Instances"]:
            ec2.create_tags(
                Resources=[instance["InstanceId"]], Tags=[{"Key": "Owner", "Value": "by hand"}]
            )
    batch = project.sandbox.client("batch")
    for found in batch.describe_compute_environments()["computeEnvironments"]:
        batch.update_compute_environment(
            computeEnvironment=found["computeEnvironmentArn"], state="DISABLED"
        )


def make() -> None:
    """Make all documents."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as text:
        workdir = Path(text)
        with (
            Sandbox.start(workdir) as sandbox,
            native_project(workdir, sandbox, vm_name="lab-vm") as project,
        ):
            project.init()
            _keep("create", project.plan())
            project.terraform.must(project.stack, "apply", "-input=false", "tfplan")
            _keep("no-change", project.plan(out="same"))
            _edited(project, _update, "update")
            _edited(project, _replace, "replace")
            _edited(project, _broaden, "broaden")
            _edited(project, _shrink, "shrink")
            _keep("destroy", project.plan("-destroy", out="gone"))
            _changed_by_hand(project)
            _keep("drift", project.plan(out="drifted"))
            _keep("refresh-only", project.plan("-refresh-only", out="refreshed"))


if __name__ == "__main__":
    make()
