"""Findings that are meant to be: each with a reason, somebody who answers for it, and an end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter

from compliance.finding import Finding

WAIVERS: Final = Path(__file__).with_name("waivers.json")
MOST: Final = 8


class Waiver(BaseModel):
    """One rule at one address that may be broken.

    Attributes:
        rule: The rule's id.
        address: The resource's Terraform address, without `[0]`.
        reason: Why it is meant to be.
        owner: Who answers for it.
        expires: The day on which it has to be argued again.
        lifted_by: The setting with which the rule is kept; None where there is none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: Annotated[str, StringConstraints(pattern=r"^CKV2?_[A-Z]+_[0-9]+$")]
    address: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.]+$")]
    reason: Annotated[str, StringConstraints(min_length=40)]
    owner: Annotated[str, StringConstraints(min_length=2)]
    expires: date
    lifted_by: Literal["kms_key_arn"] | None = None

    def covers(self, finding: Finding) -> bool:
        """Return whether a finding is what this waives."""
        return (self.rule, self.address) == (finding.rule, finding.address)


def read_waivers(path: Path = WAIVERS) -> tuple[Waiver, ...]:
    """Return the waivers.

    Raises:
        pydantic.ValidationError: One lacks something.
    """
    return TypeAdapter(tuple[Waiver, ...]).validate_json(path.read_bytes())


def problems(
    findings: Sequence[Finding], waivers: Sequence[Waiver], today: date, *, complete: bool
) -> Iterator[str]:
    """Yield what is wrong: findings without a waiver, and waivers that must go.

    Args:
        findings: What the scans of the hardened stack found.
        waivers: What is waived.
        today: The day.
        complete: Whether every scan ran; an unused waiver is only known then.
    """
    for finding in findings:
        if not any(waiver.covers(finding) for waiver in waivers):
            yield f"{finding}: no waiver"
    for waiver in waivers:
        name = f"{waiver.rule} {waiver.address}: its waiver"
        if waiver.expires < today:
            yield f"{name} expired on {waiver.expires} ({waiver.owner})"
        if complete and not any(waiver.covers(finding) for finding in findings):
            yield f"{name} is not used: remove it"
    if len(waivers) > MOST:
        yield f"there are {len(waivers)} waivers, and at most {MOST} may be"
