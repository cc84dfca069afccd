"""docs/permissions.md, written from the same data as `biomodal-aws policy` by `make docs`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from biomodal_deploy.iam import Place
from biomodal_deploy.iam.catalog import LIFE_CYCLE, catalog
from biomodal_deploy.iam.check import Fault, Finding, check, lacking, short
from biomodal_deploy.iam.language import PolicyDocument, parse_policy
from biomodal_deploy.iam.needs import Need, needs_of
from biomodal_deploy.iam.policies import documented_policy
from biomodal_deploy.iam.stack import Document
from tests.support.project import ROOT

PAGE: Final = Path("docs") / "permissions.md"
SNAPSHOTS: Final = Path("tests") / "stacks" / "__snapshots__"
STACKS: Final[Mapping[str, Path]] = {
    "native": SNAPSHOTS / "test_snapshots" / "test_native_stack.json",
    "module": SNAPSHOTS / "test_snapshots" / "test_module_stack.json",
    "native, hardened": SNAPSHOTS / "test_hardened" / "test_native_snapshot.json",
    "module, hardened": SNAPSHOTS / "test_hardened" / "test_module_snapshot.json",
    "prerequisites": SNAPSHOTS / "test_prerequisites" / "test_snapshot.json",
    "state-bucket": SNAPSHOTS / "test_state_bucket" / "test_snapshot[plain].json",
}
"""The synthesized stacks, as their tests hold them."""
_DOCUMENTED: Final = ("native", "module")
_HARDENED: Final = frozenset({"native, hardened", "module, hardened"})

# Names in capitals stand for a stack's own.
_PLACE: Final = Place(partition="aws", region="REGION", account="ACCOUNT")
_VALUES: Final[Mapping[str, JsonValue]] = {
    "region": "REGION",
    "vpc_id": "VPC",
    "subnet_id": "SUBNET",
    "vm_name": "NAME",
    "tag_key": "KEY",
    "tag_value": "VALUE",
    "bucket_force_destroy": True,
    "ssh_public_key": "SSH",
    "ssh_cidr_blocks": ["NETWORK"],
    "permissions_boundary_arn": "BOUNDARY",
    "access_log_bucket": "LOGS",
    "log_retention_days": 30,
    "alarm_topic_arn": "TOPIC",
    "monthly_budget_usd": 1,
    "batch_service_role": True,
    "spot_service_role": True,
    "ecs_instance_role": True,
}

_HEAD: Final = (ROOT / "tests/data/pages/permissions.md").read_text(encoding="utf-8")


@dataclass
class _Row:
    """One line of a table: needs that differ in action, phase and stack only."""

    on: str
    why: str
    stacks: set[str] = field(default_factory=set)
    phases: set[str] = field(default_factory=set)
    actions: dict[str, str] = field(default_factory=dict)


def page(stacks: Mapping[str, Document]) -> str:
    """Return the whole page."""
    needs = {name: needs_of(each, _VALUES, _PLACE).items for name, each in stacks.items()}
    policy = documented_policy(_PLACE, vm_name="NAME", subnet_id="SUBNET", bucket="NAME")
    published = [parse_policy(policy)]
    documented = [need for name in _DOCUMENTED for need in needs[name]]
    parts = [_HEAD, _comparison(published, documented), *_kinds(needs, published), _silent(stacks)]
    return "\n".join(parts).rstrip() + "\n"


def _comparison(published: Sequence[PolicyDocument], needs: Sequence[Need]) -> str:
    """Return what is wrong with the published policy, for both documented stacks together."""
    found = check(published, needs, _PLACE)
    lacks = [each for each in found if each.fault in (Fault.MISSING, Fault.DEPENDS)]
    surplus = [each for each in found if each not in lacks]
    return f"""\
## What the published policy lacks

Of the documented stacks, native and module. Its placeholders for ids that AWS assigns are taken as
`*`, since nobody can fill them in beforehand.

| action | on | needed for | why not |
|---|---|---|---|
{_lines(map(_lack, _grouped(lacks)))}

## What it gives away

| action | on | why |
|---|---|---|
{_lines(map(_surplus, surplus))}"""


def _grouped(found: Iterable[Finding]) -> Iterator[list[Finding]]:
    """Give findings that differ in their resource only."""
    groups: dict[tuple[str, tuple[str, ...], str], list[Finding]] = {}
    for each in found:
        phases = tuple(sorted(each.phases, key=[*LIFE_CYCLE].index))  # type: ignore[arg-type]
        groups.setdefault((each.action, phases, each.detail), []).append(each)
    yield from groups.values()


def _lack(group: Sequence[Finding]) -> str:
    first = group[0]
    resources = dict.fromkeys(short(on) for each in group for on in each.resources)
    phases = ", ".join(_in_order(first.phases))
    return _cells(f"`{first.action}`", _codes(resources), phases, _plain(first.detail))


def _surplus(finding: Finding) -> str:
    resources = dict.fromkeys(map(short, finding.resources))
    # Where it would suffice stands below, kind by kind.
    return _cells(f"`{finding.action}`", _codes(resources), _plain(finding.detail.split(";")[0]))


def _kinds(
    needs: Mapping[str, Sequence[Need]], published: Sequence[PolicyDocument]
) -> Iterator[str]:
    yield "\n## By kind of resource"
    kinds = {need.kind for each in needs.values() for need in each}
    for kind in sorted(kinds, key=lambda each: each.removeprefix("data.")):
        of_kind = {
            name: [need for need in each if need.kind == kind] for name, each in needs.items()
        }
        stacks = [name for name, each in of_kind.items() if each]
        yield f"""
### {kind}

Stacks: {"; ".join(stacks)}.

| phase | action | on | why | the published policy |
|---|---|---|---|---|
{_lines(map(_row, _rows(of_kind, published)))}
{_refused(kind)}""".rstrip("\n")


def _rows(
    needs: Mapping[str, Sequence[Need]], published: Sequence[PolicyDocument]
) -> Iterable[_Row]:
    rows: dict[tuple[str, str], _Row] = {}
    for name, of_stack in needs.items():
        for need in of_stack:
            unseen = f" (not seen in the sandbox: {need.unobserved})" if need.unobserved else ""
            why = need.why + unseen
            row = rows.setdefault((_on(need), why), _Row(_on(need), why))
            row.phases.add(need.phase)
            row.stacks.add(name)
            verdict = "; ".join(lacking(published, need, _PLACE))
            row.actions[need.action] = row.actions.get(need.action) or verdict
    return rows.values()


def _row(row: _Row) -> str:
    if row.stacks.intersection(_DOCUMENTED):
        verdict = _verdict(row.actions)
    else:
        hardened = row.stacks <= _HARDENED
        verdict = f"{'hardened' if hardened else ', '.join(sorted(row.stacks))} only"
    return _cells(", ".join(_in_order(row.phases)), _codes(row.actions), row.on, row.why, verdict)


def _verdict(actions: Mapping[str, str]) -> str:
    """Return what the published policy says to actions of one row."""
    lacks = {action: detail for action, detail in actions.items() if detail}
    if not lacks:
        return "granted"
    details = "; ".join(dict.fromkeys(lacks.values()))
    which = "" if len(lacks) == len(actions) else f" {_codes(lacks)}"
    return f"**lacks**{which}: {_plain(details)}"


def _on(need: Need) -> str:
    where = [
        f"{key} is {' or '.join(map(short, values))}"
        for keys in need.condition.values()
        for key, values in keys.items()
    ]
    condition = _plain(f" where {' and '.join(where)}" if where else "")
    return _codes(map(short, need.resources)) + condition


def _refused(kind: str) -> str:
    lines = [
        f"\nAlso asked for, and not needed: {_codes(each.actions)}: {each.why}."
        for each in catalog().kinds[kind].ignored
    ]
    return "".join(lines)


def _silent(stacks: Mapping[str, Document]) -> str:
    used = {kind for each in stacks.values() for kind in each.resource}
    used |= {f"data.{kind}" for each in stacks.values() for kind in each.data}
    silent = sorted(
        kind for kind in used if kind in catalog().kinds and not catalog().kinds[kind].grants
    )
    return f"""
## Kinds that need nothing

{_codes(silent)} ask AWS for nothing, or only who is calling, which is answered to everyone.
"""


def _in_order(phases: Iterable[str]) -> list[str]:
    return [phase for phase in LIFE_CYCLE if phase in phases]


def _codes(texts: Iterable[str]) -> str:
    return ", ".join(f"`{text}`" for text in texts)


def _plain(text: str) -> str:
    return text.replace("*", "\\*")


def _cells(*texts: str) -> str:
    return f"| {' | '.join(text.replace('|', chr(92) + '|') for text in texts)} |"


def _lines(rows: Iterable[str]) -> str:
    return "\n".join(rows)


def read_stacks(root: Path) -> dict[str, Document]:
    """Return the synthesized stacks of a checkout."""
    return {
        name: Document.model_validate_json((root / path).read_bytes())
        for name, path in STACKS.items()
    }


def main() -> int:
    """Write the page into the current folder's docs."""
    PAGE.write_text(page(read_stacks(Path())), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
