"""What life cycles prove of the permission data: the record of calls beside the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from pydantic import JsonValue

from biomodal_deploy.config.contract import all_variables
from biomodal_deploy.iam import Place
from biomodal_deploy.iam.catalog import catalog
from biomodal_deploy.iam.evaluate import Request, decide
from biomodal_deploy.iam.language import parse_policy
from biomodal_deploy.iam.needs import Need, needs_of
from biomodal_deploy.iam.policies import policies
from biomodal_deploy.iam.stack import Document
from tests.support.authority.record import RecordedCall
from tests.support.changes import MODULE, NATIVE
from tests.support.life import Life, Seen, seen

Call: TypeAlias = tuple[str, str, str]
"""Kind of resource, phase, IAM action."""
Granted: TypeAlias = tuple[str, str, str, str]
"""The same, and what for."""


@dataclass(frozen=True)
class Proof:
    """Lives under compiled policies, and all calls that the account got meanwhile."""

    lives: Sequence[Life]
    record: Sequence[RecordedCall]

    @cached_property
    def seen(self) -> list[Seen]:
        """All that AWS was asked for in these lives."""
        return [each for life in self.lives for each in seen(life, self.record)]

    @cached_property
    def needs(self) -> list[Need]:
        """All that was compiled for a command that ran."""
        return [
            need
            for life in self.lives
            for command, permissions in life.permissions.items()
            for need in permissions.needs.of(life.phases[command])
        ]

    def refused(self) -> set[Call]:
        """Return what was refused."""
        return {(each.kind, str(each.phase), each.action) for each in self.seen if not each.allowed}

    def unexpected(self) -> set[Call]:
        """Return what was done for a kind of resource in a phase without being in the catalog."""
        granted = {(need.kind, need.phase, need.action) for need in self.needs}
        done = {(each.kind, str(each.phase), each.action) for each in self.seen if each.allowed}
        return done - granted

    def at_work(self) -> dict[Granted, bool]:
        """Return for each grant whether it was seen at work, on each kind of its resources."""
        shown: dict[Granted, bool] = {}
        for need in self.needs:
            grant = named(need)
            shown[grant] = shown.get(grant, False) or all(
                self._asked_for(need.only(resource)) for resource in need.resources
            )
        return shown

    def excused(self) -> set[Granted]:
        """Return the grants of which the data says that they cannot be seen at work."""
        return {named(need) for need in self.needs if need.unobserved}

    def _asked_for(self, need: Need) -> bool:
        """Return whether something was asked for as the need, of one resource, has it."""
        alone = parse_policy(policies([need], "x")[0].as_json())
        return any(
            each.allowed
            and (each.kind, each.phase, each.action) == (need.kind, need.phase, need.action)
            and decide([alone], _request(each)).allowed
            for each in self.seen
        )


def named(need: Need) -> Granted:
    """Return by what a grant is known."""
    return need.kind, need.phase, need.action, need.why


def documented_grants() -> set[Granted]:
    """Return the grants that the documented stacks make use of, which are proved with those."""
    place = Place.of("us-east-1", "123456789012")
    # Placeholders that are set: what an option asks for counts.
    values: dict[str, JsonValue] = {
        each.name: "x" for each in all_variables() if each.type == "string"
    }
    values |= {"bucket_force_destroy": True, "use_existing_bucket_url": ""}
    documents = [Document.model_validate_json(path.read_bytes()) for path in (MODULE, NATIVE)]
    return {named(need) for each in documents for need in needs_of(each, values, place).items}


def ignored(kinds: Sequence[str] | None = None) -> set[Call]:
    """Return the calls that Terraform makes and whose refusal it ignores."""
    return {
        (kind, str(phase), action)
        for kind, about in catalog().kinds.items()
        if kinds is None or kind in kinds
        for each in about.ignored
        for phase in each.phases
        for action in each.actions
    }


def _request(each: Seen) -> Request:
    return Request(action=each.action, resource=each.resource, context=each.context, complete=True)
