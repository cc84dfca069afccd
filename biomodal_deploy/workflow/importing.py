"""What exists already: whose it is, its id, and the command and block that take it over."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from biomodal_deploy.aws.resources import owned_by
from biomodal_deploy.aws.session import open_session, partition_of
from biomodal_deploy.config.backends import LocalBackend
from biomodal_deploy.engine.terraform import TerraformFailed
from biomodal_deploy.engine.terraform.failures import diagnose
from biomodal_deploy.engine.terraform.locks import DEFAULT_WORKSPACE, state_path
from biomodal_deploy.errors import BiomodalError
from biomodal_deploy.files import read_regular
from biomodal_deploy.plan import Plan, ResourceChange
from biomodal_deploy.plan.adoption import import_block
from biomodal_deploy.plan.sealed import Facts
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.state_files import local_state_of
from biomodal_deploy.workflow.terraform_setup import workspace_of

EXISTS: Final = "exists"
# The id as the provider takes it, from what was planned and where.
_IDS: Final[Mapping[str, str]] = {
    "aws_batch_compute_environment": "{name}",
    "aws_batch_job_queue": "arn:{partition}:batch:{region}:{account}:job-queue/{name}",
    "aws_cloudwatch_log_group": "{name}",
    "aws_ecr_repository": "{name}",
    "aws_iam_instance_profile": "{name}",
    "aws_iam_role": "{name}",
    "aws_iam_role_policy": "{role}:{name}",
    "aws_key_pair": "{key_name}",
    "aws_s3_bucket": "{bucket}",
}


def command(address: str, id_: str) -> str:
    """Return the command that takes over a resource."""
    return f"biomodal-aws adopt --id '{address}={id_}'"


def known_id(change: ResourceChange, facts: Facts | None = None) -> str | None:
    """Return the id of what has the name of a planned resource; None where AWS alone knows it.

    Args:
        facts: Where, for ids that name the account and the region.
    """
    template, values = _IDS.get(change.type), change.after or {}
    if "compute_environment_name" in values:  # as AWS provider 5 calls it
        values = {**values, "name": values["compute_environment_name"]}
    where: dict[str, object] = {}
    if facts and facts.account and (region := facts.region_name):
        where = {"region": region, "account": facts.account, "partition": partition_of(region)}
    try:
        return template.format_map({**values, **where}) if template else None
    except KeyError:
        return None


def offers(
    plan: Plan, facts: Facts, failure: TerraformFailed, elsewhere: Mapping[str, str]
) -> Iterator[str]:
    """Yield how to take over each resource whose name a failed apply found taken.

    Args:
        elsewhere: What other states of the project hold, from `held_elsewhere`: not to take.
    """
    taken = {
        each.address
        for each in failure.diagnostics
        if (known := diagnose([each])) and known.code == EXISTS
    }
    for change in plan.changes:
        if change.address in taken and (id_ := known_id(change, facts) or _found_id(change, facts)):
            if holder := elsewhere.get(f"{change.type}:{id_}"):
                yield f"{change.address} exists already and is that of {holder}."
                continue
            yield (
                f"{change.address} exists already. To take it over: "
                f"{command(change.address, id_)}, which writes\n"
                f"{import_block(change.address, id_)}"
            )


def _found_id(change: ResourceChange, facts: Facts) -> str | None:
    # Only where an apply failed: boto3 takes a while to import.
    from botocore.exceptions import BotoCoreError, ClientError

    from biomodal_deploy.aws.clients import Clients

    values = change.after or {}
    name, vpc = str(values.get("name")), str(values.get("vpc_id"))
    region = facts.region_name or ""
    try:
        client = Clients(open_session(region), region).ec2()
        if change.type == "aws_launch_template":
            named = client.describe_launch_templates(LaunchTemplateNames=[name])
            return str(named["LaunchTemplates"][0]["LaunchTemplateId"])
        if change.type == "aws_security_group":
            groups = client.describe_security_groups(
                Filters=[
                    {"Name": "vpc-id", "Values": [vpc]},
                    {"Name": "group-name", "Values": [name]},
                ]
            )["SecurityGroups"]
            return str(groups[0]["GroupId"])
    except (BotoCoreError, ClientError, BiomodalError, IndexError):
        return None  # the failure itself is the news
    return None


def held_elsewhere(location: Location, name: str) -> dict[str, str]:
    """Return what other local states hold, as `owned_by`, each with the words for whose it is.

    One that cannot be read is left out: it is another stack's matter.

    Args:
        name: The stack whose own state is left out, in the workspace that is chosen now.
    """
    here = workspace_of(Stack.at(location, name))
    held: dict[str, str] = {}
    for other, workspace, path in _local_states(location):
        if (other, workspace) == (name, here):
            continue
        try:
            state = json.loads(read_regular(path))
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(state, dict):
            whose = "this stack" if other == name else f"the stack {other}"
            held |= dict.fromkeys(owned_by(state), f"{whose} in the workspace {workspace}")
    return held


def _local_states(location: Location) -> Iterator[tuple[str, str, Path]]:
    """Yield each stack, workspace and the file of its state, in their order."""
    for name, settings in sorted(location.stacks.items()):
        if isinstance(settings.backend, LocalBackend):
            stack = Stack.at(location, name)
            yield name, DEFAULT_WORKSPACE, local_state_of(stack)
            for path in sorted(stack.directory.glob(str(state_path({}, "*")))):
                yield name, path.parent.name, path
