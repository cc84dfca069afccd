"""`manifest.json`: what a sealed plan is, bound to its files by their digests.

The manifest carries a digest of itself, so an edit is seen. Who can write in the folder can also
write a new digest. Against that stands the digest of the whole file, printed when the plan is
made and asked for by `--expect-sha256`, and a signature where there is a key.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, StringConstraints, ValidationError

from biomodal_deploy.errors import SealedPlanRefused
from biomodal_deploy.plan import Action, Counts, Plan, PlanKind
from biomodal_deploy.plan.guards import Verdict
from biomodal_deploy.plan.sealed.facts import Actor, Facts, Line, Sealed, Sha256, one_line
from biomodal_deploy.plan.sealed.files import canonical, sha256

MOST_BYTES: Final = 4_000_000
ID: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}")
_DIGEST, _SIGNATURE = "manifest_sha256", "signature"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Manifest(Sealed):
    """What a sealed plan is.

    Attributes:
        kind: What it is for; a destroy plan is applied only with the stack's name typed.
        created, expires: Between them it may be applied.
        maker: Who planned.
        authors: Whose work it is by Git: who planned, and who wrote the commit; noted where the
            stack needs approvals.
        variables_sha256: Of the variables file that the plan was made with.
        counts: How many objects each action touches.
        has_changes: Whether applying it does anything.
        verdicts: What the guards said; `apply` cannot pass what they refused.
    """

    format: Literal[1] = 1
    id: Annotated[str, StringConstraints(pattern=f"^{ID.pattern}$")]
    kind: PlanKind
    created: AwareDatetime
    expires: AwareDatetime
    maker: Actor
    authors: tuple[Line, ...] = ()
    plan_sha256: Sha256
    changes_sha256: Sha256
    variables_sha256: Sha256 | None = None
    facts: Facts
    counts: Counts
    has_changes: bool
    verdicts: tuple[Verdict, ...] = ()

    def to_json(self, key: bytes | None = None) -> bytes:
        """Write the manifest with its digest, and signed where a key is given."""
        body = json.loads(self.model_dump_json())
        seal = {_DIGEST: sha256(canonical(body))}
        if key is not None:
            seal[_SIGNATURE] = _sign(body, key)
        return json.dumps({**body, **seal}, indent=2, ensure_ascii=False).encode() + b"\n"

    @classmethod
    def from_json(cls, content: bytes, key: bytes | None = None) -> Manifest:
        """Read a manifest back.

        Raises:
            SealedPlanRefused: It was edited, it is not signed with the key, or it is no manifest.
        """
        body = _parse(content)
        digest, signature = body.pop(_DIGEST, None), body.pop(_SIGNATURE, None)
        if body.get("format") != 1:
            raise SealedPlanRefused(
                "unknown_format", "The manifest is of another version of biomodal-aws: plan again."
            )
        if digest != sha256(canonical(body)):
            raise SealedPlanRefused(
                "edited_manifest", "The manifest was changed after it was sealed: plan again."
            )
        if key is not None and not hmac.compare_digest(str(signature), _sign(body, key)):
            word, how = ("unsigned", "no") if signature is None else ("bad_signature", "a wrong")
            raise SealedPlanRefused(
                word, f"The manifest has {how} signature: plan again with the key."
            )
        try:
            # What is parsed here is what the digest was taken of.
            return cls.model_validate_json(canonical(body))
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"])
            line = f"The manifest is malformed at {_CONTROL.sub('?', where)[:200]}: plan again."
            raise SealedPlanRefused("malformed", line) from None

    def is_expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return now >= self.expires


def _sign(body: dict[str, object], key: bytes) -> str:
    return hmac.new(key, canonical(body), hashlib.sha256).hexdigest()


def _parse(content: bytes) -> dict[str, object]:
    try:
        body = json.loads(content, object_pairs_hook=_unique, parse_constant=_refuse)
        _check_text(body)
    except (ValueError, RecursionError):
        raise SealedPlanRefused("malformed", "The manifest is malformed: plan again.") from None
    if not isinstance(body, dict):
        raise SealedPlanRefused("malformed", "The manifest is no JSON object: plan again.")
    return body


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    # Of a key that is there twice, one reader takes the first and another the last.
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError
    return dict(pairs)


def _refuse(constant: str) -> object:
    raise ValueError(constant)


def _check_text(value: object) -> None:
    """Refuse text that could write on the terminal as it likes, wherever it stands."""
    if isinstance(value, dict):
        for key, item in value.items():
            _check_text(key)
            _check_text(item)
    elif isinstance(value, list):
        for item in value:
            _check_text(item)
    elif isinstance(value, str):
        value.encode()  # a lone surrogate is no text
        if _CONTROL.search(value):
            raise ValueError


Meaning = Mapping[str, str]


def meaning_of(manifest: Manifest, plan: Plan) -> dict[str, str]:
    """Return the digest of each part of what a plan means: `account`, `code`, a resource, ...

    Times, serials and commit ids are left out, so a plan of a pull request and the plan of the
    branch that it was merged into are equal where they do the same.

    Args:
        plan: Its changes, redacted: what of the values is secret, `variables` stands for.
    """
    parts: dict[str, list[object]] = defaultdict(list)
    for name, value in (*_place(manifest), *_sources(manifest), *_changes(manifest.kind, plan)):
        parts[one_line(name)].append(value)
    return {name: sha256(canonical(values)) for name, values in parts.items()}


def differing(one: Meaning, other: Meaning) -> list[str]:
    """Return the names of the parts in which two plans differ."""
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


def _place(manifest: Manifest) -> Iterator[tuple[str, object]]:
    facts = manifest.facts
    yield "kind", str(manifest.kind)
    yield "stack", [facts.stack, facts.directory]
    yield "account", facts.account
    yield "region", facts.region
    yield "endpoint", [facts.endpoint, facts.endpoints]
    yield "workspace", [facts.workspace, facts.data_dir]
    files = [each.model_dump() for each in facts.backend_files]
    yield "state", [facts.backend_sha256, files, facts.state and facts.state.lineage]


def _sources(manifest: Manifest) -> Iterator[tuple[str, object]]:
    facts = manifest.facts
    yield "engine", [facts.engine, facts.terraform_version]
    yield "providers", [facts.providers, facts.lock_file_sha256]
    # The files themselves count, whichever commit they come from.
    yield "modules", [each.model_dump(exclude={"commit"}) for each in facts.modules]
    yield "code", facts.synthesized_sha256
    yield "install script", facts.install_script and facts.install_script.model_dump()
    files = [each.model_dump() for each in facts.var_files]
    yield "variables", [manifest.variables_sha256, files]


def _changes(kind: PlanKind, plan: Plan) -> Iterator[tuple[str, object]]:
    for change in plan.resource_changes:
        if change.acts or change.action is not Action.NO_OP:
            yield f"resource {change.address}", change.model_dump(mode="json")
    # A plan that only refreshes writes all of it to the state.
    for change in plan.drift if kind is PlanKind.REFRESH_ONLY else plan.drifted:
        yield f"drift {change.address}", change.model_dump(mode="json")
    for output in plan.output_changes:
        yield f"output {output.name}", output.model_dump(mode="json")
    yield "deferred", [each.model_dump(mode="json") for each in plan.deferred]
    yield "unknown parts", list(plan.unknown_parts)
