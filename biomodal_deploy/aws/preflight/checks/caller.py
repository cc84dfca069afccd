"""Who is calling, where, and whether this stack may go there."""

from __future__ import annotations

import shlex
from difflib import get_close_matches
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError

from biomodal_deploy.aws.checks import Finding, failed, passed, warned
from biomodal_deploy.aws.errors import classify_error, or_none
from biomodal_deploy.aws.preflight.facts import Facts


def credentials(facts: Facts) -> Finding:
    """Whether AWS knows the caller; without it no plan works, so no answer is a failure."""
    try:
        caller = facts.caller()
    except (BotoCoreError, ClientError) as error:
        failure = classify_error(error, facts.clients)
        return failed(failure.line, failure.fix)
    return passed(
        f"account {caller.account} as {caller.arn} (credentials: {facts.clients.credentials()})"
    )


def region(facts: Facts) -> Finding:
    """Whether the region exists and the account has enabled it."""
    clients, name = facts.clients, facts.target.region
    known = clients.known_regions()
    if name in known and _answers(facts):
        return passed(f"{name} answers, in partition {facts.caller().partition}")
    status = _opt_in_status(facts)
    if status is None:
        close = get_close_matches(name, known, n=1)
        return failed(
            f"AWS has no region {name} in partition {clients.partition}",
            f'set region = "{close[0]}"' if close else "correct region in terraform.tfvars",
        )
    if status == "not-opted-in":
        return failed(
            f"the account has not enabled {name}",
            shlex.join(["aws", "account", "enable-region", "--region-name", name]),
        )
    return passed(f"{name} is enabled")


def limits(facts: Facts) -> Finding:
    """Whether account and region are those that the stack is limited to."""
    allowed, target = facts.target.limits, facts.target
    if allowed.regions and target.region not in allowed.regions:
        return failed(
            f"the stack is limited to {' or '.join(allowed.regions)}, not {target.region}",
            'correct region in terraform.tfvars, or region and "limits" in cdktf.json',
        )
    if allowed.account_ids:
        account = facts.caller().account
        if account not in allowed.account_ids:
            return failed(
                f"the stack is limited to account {' or '.join(allowed.account_ids)}, "
                f"not {account}",
                "use that account's credentials (AWS_PROFILE), or correct account and "
                '"limits" in cdktf.json',
            )
        return passed(f"account {account} and region {target.region} are within the limits")
    if allowed.regions:
        return passed(f"region {target.region} is within the limits; no account is named")
    return passed("the stack has no limits on account and region")


def partition(facts: Facts) -> Finding:
    """Whether the implementation can be deployed in the region's partition."""
    name = facts.clients.partition
    if name != "aws" and facts.target.bootstrap == "module":
        return warned(
            f"the upstream module writes arn:aws, but {facts.target.region} is in {name}",
            'set "bootstrap": "native" in cdktf.json',
        )
    return passed(f"partition {name}")


def _answers(facts: Facts) -> bool:
    try:
        facts.caller()
    except (BotoCoreError, ClientError):
        return False
    return True


def _opt_in_status(facts: Facts) -> str | None:
    """Return what AWS, asked in a region that every account has, says; None: no such region."""
    describe, names = facts.clients.ec2_at_home().describe_regions, [facts.target.region]
    ask = partial(describe, RegionNames=names, AllRegions=True)
    if (said := or_none(ask, "InvalidParameterValue")) is None:
        return None
    return next((each.get("OptInStatus", "") for each in said["Regions"]), None)
