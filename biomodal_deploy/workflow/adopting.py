"""Adopt what exists: bring a state or ids into a stack, so that its plan loses nothing.

The blocks that do so stand in the project, where they are reviewed and committed, and beside the
synthesized JSON, where Terraform reads them and a sealed plan covers them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import TypeAdapter, ValidationError

from biomodal_deploy import files
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.session import open_session
from biomodal_deploy.config.settings import PROJECT_FILE
from biomodal_deploy.engine.terraform import TerraformCli
from biomodal_deploy.engine.terraform.locks import DEFAULT_WORKSPACE
from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import read_regular
from biomodal_deploy.plan import Plan, read_plan
from biomodal_deploy.plan.adoption import Blocks, Rule, adopted_settings, rule_groups, rule_of
from biomodal_deploy.workflow.init.writing import with_member
from biomodal_deploy.workflow.location import Listener, Location, Notice, Step, silent
from biomodal_deploy.workflow.plan_facts import locate
from biomodal_deploy.workflow.planning import Planned, make_plan
from biomodal_deploy.workflow.stack import Stack, fresh_stack
from biomodal_deploy.workflow.state_files import State, back_up, parse_state
from biomodal_deploy.workflow.terraform_setup import (
    adoption_file,
    bring_adoption,
    initialize,
    open_engine,
    point_at_backend,
    terraform_of,
)
from biomodal_deploy.workflow.variables import Given, PlanRequest, given_values

# Modules first, then what their ids make known, then what settings keep, then rules of groups.
_ROUNDS: Final = 6
_IDS: Final = TypeAdapter(dict[str, str])


@dataclass(frozen=True)
class Source:
    """What is adopted.

    Attributes:
        state: A state file, or an initialized Terraform folder; None for the stack's own state.
        ids: The id in AWS by address, for what no state holds.
    """

    state: Path | None
    ids: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Adopted:
    """An adoption that is planned.

    Attributes:
        file: The blocks; None where none are needed.
        backup: The copy of the state as it was; None where there was none.
        settings: What was written into the stack's settings.
    """

    stack: Stack
    file: Path | None
    backup: Path | None
    settings: Mapping[str, str | bool]
    planned: Planned


def read_ids(options: Iterable[str], file: Path | None) -> dict[str, str]:
    """Return ids by address, from options `ADDRESS=ID` and a JSON file.

    Raises:
        UsageError: One of them is no such pair, or the file cannot be read.
    """
    found: dict[str, str] = {}
    if file is not None:
        try:
            found |= _IDS.validate_json(read_regular(file))
        except (OSError, ValidationError):
            raise UsageError(
                "not a JSON object of addresses and ids", field="--ids", value=str(file)
            ) from None
    for option in options:
        # A key may hold the mark, as in aws_x.y["a=b"]; no id of ours does before its own.
        address, mark, id_ = option.partition("=")
        if not (address and mark and id_):
            raise UsageError(
                "not ADDRESS=ID", field="--id", value=option, fix="--id aws_instance.vm=i-0123"
            )
        found[address] = id_
    return found


def adopt(location: Location, name: str | None, source: Source, request: PlanRequest) -> Adopted:
    """Plan to adopt what exists; nothing changes in AWS.

    Raises:
        UsageError: The source, or the stack's settings, will not do.
        EngineError: Terraform or AWS failed.
    """
    stack = fresh_stack(location, name)
    given = given_values(stack, request.var_files, request.variables, request.cwd)
    log = stack.logs / "adopt.log"
    adoption_file(stack).unlink(missing_ok=True)
    engine = open_engine(stack, redact=given.redactor.text)
    initialize(stack, engine, log, readonly_lock=request.readonly_lock)
    backup = _bring_state(stack, engine, source.state, log)
    if backup is None and not source.ids:
        raise UsageError(
            f"the state of {stack.name} is empty, so there is nothing to adopt",
            field="--state",
            fix="name a state with --state FILE, or resources with --id ADDRESS=ID",
        )
    blocks, settings = Blocks(imports=dict(source.ids)), dict[str, str | bool]()
    for _ in range(_ROUNDS):
        _write(stack, blocks)
        plan = _plan(engine, given, location.on_event, log)
        more = blocks.add(plan, _existing_rules(stack, given, rule_groups(plan)))
        needed = adopted_settings(plan)
        if not more and not needed.keys() - settings.keys():
            break
        if needed:
            settings |= needed
            _write_settings(stack, needed)
            reread = Location.of(location.project_dir, location.environment)
            stack = fresh_stack(replace(reread, on_event=location.on_event), stack.name)
    planned = make_plan(stack, request)
    _name_lost_buckets(planned.plan, location.on_event)
    file = adoption_file(stack)
    return Adopted(
        stack=stack,
        file=file if file.exists() else None,
        backup=backup,
        settings=settings,
        planned=planned,
    )


def _bring_state(stack: Stack, engine: TerraformCli, source: Path | None, log: Path) -> Path | None:
    """Back up the state, and put a source's in the place of one that holds nothing."""
    stack.on_event(Step("Reading the state"))
    own = parse_state(engine.state_content(), stack.name)
    kept = back_up(stack, own, "before-adopt") if own else None
    if source is None:
        return kept if own and not own.is_empty else None
    state = _source_state(stack, source)
    backup = back_up(stack, state, "adopt")
    if own and own.sha256 == state.sha256:
        return backup
    if own and own.lineage == state.lineage and own.serial >= state.serial:
        return backup  # adopted before, and worked on since
    if own and not own.is_empty:
        raise UsageError(
            f"the stack's own state holds {own.resources} resources already",
            field="--state",
            value=str(source),
            fix="adopt into a stack without a state, or leave --state out to adopt its own",
        )
    stack.on_event(Step("Copying the state"))
    engine.state_push(backup, stack.on_event, log, force=bool(own))
    # The state may need providers that the stack itself does not.
    point_at_backend(stack, engine, log)
    stack.on_event(Notice(f"{source} stays as it is: apply nothing from there any more"))
    return backup


def _source_state(stack: Stack, source: Path) -> State:
    location = stack.location
    if source.is_dir():
        there = TerraformCli(
            terraform_of(location),
            source,
            environment=location.environment,
            workspace=DEFAULT_WORKSPACE,
        )
        content = there.state_content()
    else:
        try:
            content = read_regular(source)
        except OSError as error:
            raise UsageError(
                f"cannot be read ({error.strerror})", field="--state", value=str(source)
            ) from None
    state = parse_state(content, str(source))
    if state is None or state.is_empty:
        raise UsageError("the state is empty", field="--state", value=str(source))
    return state


def _plan(engine: TerraformCli, given: Given, on_event: Listener, log: Path) -> Plan:
    on_event(Step("Comparing the state with the stack"))
    with files.scratch(log.parent, "adopt") as folder:
        out = folder / "tfplan"
        # The sealed plan reads everything again.
        engine.plan(out, silent, log, var_files=[given.write(folder)], refresh=False)
        return read_plan(engine.show_plan(out), secrets=given.resolved.secrets)[0]


def _name_lost_buckets(plan: Plan, on_event: Listener) -> None:
    """Say how a bucket stays which the module would replace: it takes no name, but a prefix."""
    for each in plan.losses:
        if each.type == "aws_s3_bucket" and "bucket_prefix" in each.replace_paths:
            url = f"s3://{(each.before or {}).get('bucket')}"
            on_event(
                Notice(
                    f"{each.address} would be replaced: the module chooses its bucket's name. "
                    f'To keep the bucket, outside the stack, set use_existing_bucket_url = "{url}"'
                )
            )


def _write(stack: Stack, blocks: Blocks) -> None:
    text = blocks.text()
    path = adoption_file(stack)
    if text:
        with files.writing(path):
            path.parent.mkdir(exist_ok=True)
            files.write(path, text.encode(), mode=files.public_mode())
    bring_adoption(stack)


def _existing_rules(stack: Stack, given: Given, groups: frozenset[str]) -> dict[Rule, str]:
    """Return the id of each rule that some security groups have."""
    region = locate(stack, given.resolved.values).region
    if not groups or region is None:
        return {}
    found: dict[Rule, str] = {}
    try:
        client = Clients(open_session(region), region).ec2()
        pages = client.get_paginator("describe_security_group_rules").paginate(
            Filters=[{"Name": "group-id", "Values": sorted(groups)}]
        )
        for rule in (each for page in pages for each in page["SecurityGroupRules"]):
            source = rule.get("CidrIpv4") or rule.get("CidrIpv6")
            if source:
                key = rule_of(
                    rule["GroupId"],
                    egress=rule["IsEgress"],
                    protocol=rule["IpProtocol"],
                    ports=(rule.get("FromPort"), rule.get("ToPort")),
                    source=source,
                )
                found[key] = rule["SecurityGroupRuleId"]
    except (BotoCoreError, ClientError) as error:
        raise UsageError(
            f"the rules of {', '.join(sorted(groups))} cannot be read ({error})",
            field="ec2:DescribeSecurityGroupRules",
            fix="allow it to the caller",
        ) from None
    return found


def _write_settings(stack: Stack, settings: Mapping[str, str | bool]) -> None:
    path = stack.location.project_dir / PROJECT_FILE
    text = read_regular(path).decode()
    for name, value in settings.items():
        text = with_member(text, ("context", "stacks", stack.name, "adopted", name), value)
    files.replace(path, text.encode(), mode=files.public_mode())
