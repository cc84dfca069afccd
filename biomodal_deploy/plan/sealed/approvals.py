"""Approvals of a sealed plan: people's signatures over what it is, beside it in its folder.

What is signed is an in-toto statement (https://in-toto.io/Statement/v1) as canonical JSON. It names
the manifest's digest, which covers everything of the plan, and repeats what a person agreed to. The
signature is SSH's own, so there is no envelope around it: `ssh-keygen -Y verify` checks it by hand.
A statement is never read back from the file to be believed: it is rebuilt from the plan, and
the signature has to fit that. Where the settings let approvals carry over, one of another plan
counts as well: its statement is the signer's word, and has to mean the same as this plan.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, Literal

from pydantic import AwareDatetime, Field, ValidationError

from biomodal_deploy import files
from biomodal_deploy.config.stack import Approvals
from biomodal_deploy.errors import SealedPlanRefused, UsageError
from biomodal_deploy.plan.sealed.facts import Line, Sealed, Sha256
from biomodal_deploy.plan.sealed.files import canonical, read_private, sha256
from biomodal_deploy.plan.sealed.manifest import differing, meaning_of
from biomodal_deploy.plan.sealed.sealed_plan import APPROVALS, SealedPlan
from biomodal_deploy.plan.sealed.signing import MOST_BYTES, BadSignature, Signer, sign, signer_of

_TYPE: Final = "https://in-toto.io/Statement/v1"
_PREDICATE: Final = "https://biomodal-aws.invalid/approval/v1"
_MOST_FILES: Final = 100
_MOST_NAMED: Final = 5


class _Digest(Sealed):
    sha256: Sha256


class Subject(Sealed):
    """A sealed plan, by its id and the digest of its manifest."""

    name: Line
    digest: _Digest


class _Predicate(Sealed):
    stack: Line
    account: Line | None
    region: Line | None
    kind: Line
    expires: AwareDatetime
    commit: Line | None
    changes_sha256: Sha256
    counts: Line
    authors: tuple[Line, ...] = ()
    meaning: dict[Line, Sha256]


class Statement(Sealed, frozen=True, extra="forbid", populate_by_name=True):
    """What a person signs.

    Attributes:
        subject: The sealed plan, by its id and the digest of its manifest.
        predicate: What was agreed to: where, what for, until when, of which commit, the digest of
            the changes that were shown, whose work it is, and what the plan means.
    """

    type_: Literal["https://in-toto.io/Statement/v1"] = Field(default=_TYPE, alias="_type")
    subject: tuple[Subject, ...]
    predicate_type: Line = Field(default=_PREDICATE, alias="predicateType")
    predicate: _Predicate

    def content(self) -> bytes:
        """Return the bytes that are signed."""
        return canonical(self.model_dump(mode="json", by_alias=True))


class Approval(Sealed):
    """A file of an approval: the statement, to be read, and its signature.

    Attributes:
        signature: As `ssh-keygen -Y sign` writes it.
    """

    statement: Statement
    signature: str


class Verdict(Sealed):
    """What one approval counts for.

    Attributes:
        file: The file's name.
        signer: Who signed; None where that is not known.
        key: The key's fingerprint.
        problem: Why it does not count; None where it does.
        carried_from: The plan that was approved, where it is another one that means the same.
    """

    file: str
    signer: str | None = None
    key: str | None = None
    counts: bool
    problem: str | None = None
    carried_from: Subject | None = None

    @property
    def line(self) -> str:
        """It in one line."""
        name = self.signer or self.file
        if self.carried_from:
            name = f"{name}, as {self.carried_from.name}"
        return f"not counted: {name} ({self.problem})" if self.problem else f"approved: {name}"


class ApprovalStatus(Sealed):
    """The approvals of a plan that needs some.

    Attributes:
        required: How many people have to approve it.
        approvals: What each approval counts for.
        problem: Why they cannot be judged here.
    """

    required: int
    approvals: tuple[Verdict, ...] = ()
    problem: str | None = None

    @property
    def names(self) -> list[str]:
        """Who approved it, of those that count."""
        return [each.signer for each in self.approvals if each.signer and each.counts]

    @property
    def carried(self) -> dict[str, str]:
        """The other plans whose approvals count, by id, with their digests."""
        found = (each.carried_from for each in self.approvals if each.counts)
        return {each.name: each.digest.sha256 for each in found if each}

    @property
    def count(self) -> str:
        """How many of how many: `1 of 2`."""
        return f"{len(self.names)} of {self.required}"

    @property
    def missing(self) -> bool:
        """Whether another one is needed."""
        return len(self.names) < self.required

    @property
    def lines(self) -> list[str]:
        """Each approval in one line, and what is wrong with all of them."""
        return [each.line for each in self.approvals] + ([self.problem] if self.problem else [])


def statement_of(sealed_plan: SealedPlan) -> Statement:
    """Return what whoever approves a sealed plan signs."""
    manifest = sealed_plan.manifest
    return Statement(
        subject=(Subject(name=sealed_plan.id, digest=_Digest(sha256=sealed_plan.sha256)),),
        predicate=_Predicate(
            stack=manifest.facts.stack,
            account=manifest.facts.account,
            region=manifest.facts.region,
            kind=str(manifest.kind),
            expires=manifest.expires,
            commit=manifest.facts.git_commit,
            changes_sha256=manifest.changes_sha256,
            counts=manifest.counts.sentence(),
            authors=manifest.authors,
            meaning=meaning_of(manifest, sealed_plan.plan()),
        ),
    )


def approve(sealed_plan: SealedPlan, key: Path) -> bytes:
    """Sign a sealed plan and put the approval beside it; return the approval's bytes."""
    statement = statement_of(sealed_plan)
    made = Approval(statement=statement, signature=sign(statement.content(), key))
    content = made.model_dump_json(by_alias=True, indent=2).encode() + b"\n"
    add(sealed_plan, content)
    return content


def add(sealed_plan: SealedPlan, content: bytes, policy: Approvals | None = None) -> None:
    """Put an approval that was made elsewhere beside its plan.

    Args:
        policy: The stack's rules, which may let the approval of another plan carry over.

    Raises:
        SealedPlanRefused: It is none, or of another plan.
    """
    approval = _parse(content)
    try:
        _check_plan(approval.statement, statement_of(sealed_plan), policy or Approvals())
    except BadSignature as error:
        raise SealedPlanRefused(
            "other_approval", f"The approval does not count for {sealed_plan.id}: {error}."
        ) from None
    folder = files.private_dir(sealed_plan.path / APPROVALS)
    name = f"{sha256(approval.signature.encode())[:16]}.json"
    files.replace(folder / name, content)


def judge_approvals(
    sealed_plan: SealedPlan, policy: Approvals, project: Path, spent: Collection[str] = ()
) -> ApprovalStatus:
    """Say of each approval whether it counts.

    Args:
        project: The project's folder, where the file of signers is.
        spent: The plans whose approvals were used for an apply, of this plan or of another one.
    """
    signers = _readable(project / policy.signers, "approvals.signers")
    revoked = _readable(project / policy.revoked, "approvals.revoked") if policy.revoked else None
    ours = statement_of(sealed_plan)
    seen: set[str] = set()
    verdicts = []
    for path in _found(sealed_plan):
        try:
            approval = _parse(read_private(path, MOST_BYTES))
            carried = _check_plan(approval.statement, ours, policy, spent)
            content = approval.statement.content()
            signer = signer_of(content, approval.signature, signers, revoked)
        except (BadSignature, SealedPlanRefused) as refusal:
            problem = str(refusal).rstrip(".")
            verdicts.append(Verdict(file=path.name, counts=False, problem=problem))
            continue
        authors = {*ours.predicate.authors, *approval.statement.predicate.authors}
        found = _problem(signer, policy, authors, seen)
        if found is None:
            seen |= {*map(str.casefold, signer.names), signer.key}
        listed = [name for name in signer.names if name in policy.principals]
        verdicts.append(
            Verdict(
                file=path.name,
                signer=(*listed, *signer.names)[0],
                key=signer.key,
                counts=found is None,
                problem=found,
                carried_from=carried,
            )
        )
    return ApprovalStatus(required=policy.required, approvals=tuple(verdicts))


def require_approvals(
    sealed_plan: SealedPlan, policy: Approvals, project: Path, spent: Collection[str] = ()
) -> ApprovalStatus:
    """Return the approvals of a sealed plan; refuse it where they are too few.

    Raises:
        SealedPlanRefused: Approvals are missing; it says whose, and why others do not count.
    """
    status = judge_approvals(sealed_plan, policy, project, spent)
    if not status.missing:
        return status
    waiting = [name for name in policy.principals if name not in status.names]
    have = f" ({', '.join(status.names)})" if status.names else ""
    whose = f" of {' or '.join(waiting)}" if waiting else ""
    bad = "".join(f"; {each.line}" for each in status.approvals if not each.counts)
    raise SealedPlanRefused(
        "approvals_missing",
        f"The plan {sealed_plan.id} has {status.count} approvals{have}, and "
        f"needs another one{whose}{bad}."
        f" Next: biomodal-aws approve {sealed_plan.id} --stack {sealed_plan.manifest.facts.stack}",
    )


def _check_plan(
    theirs: Statement, ours: Statement, policy: Approvals, spent: Collection[str] = ()
) -> Subject | None:
    """Return the other plan that was approved, where its approval counts for ours."""
    if theirs == ours:
        return None
    if not policy.carry_over or len(theirs.subject) != 1:
        raise BadSignature(f"it approves another plan: {_of(theirs)}")
    (subject,) = theirs.subject
    differences = differing(theirs.predicate.meaning, ours.predicate.meaning)
    if differences:
        named = ", ".join(differences[:_MOST_NAMED])
        more = len(differences) - _MOST_NAMED
        others = f" and {more} more" if more > 0 else ""
        raise BadSignature(f"it approves {subject.name}, which differs in {named}{others}")
    if theirs.predicate.expires <= datetime.now(UTC):
        raise BadSignature(f"it approves {subject.name}, which has expired")
    if subject.name in spent:
        raise BadSignature(f"it approves {subject.name}, and was used for an apply")
    return subject


def _problem(
    signer: Signer, policy: Approvals, authors: Collection[str], seen: set[str]
) -> str | None:
    if policy.principals and not set(signer.names).intersection(policy.principals):
        return "not one of those whose approval counts"
    # A person's addresses differ, by more than their case; and a principal may be a pattern.
    names = {name.casefold() for name in signer.names}
    if policy.not_author and any(
        fnmatchcase(author.casefold(), name) for author in authors for name in names
    ):
        return "who made the plan or its commit cannot approve it"
    if seen.intersection({*names, signer.key}):
        return "the same person or key approved it already"
    return None


def _found(sealed_plan: SealedPlan) -> Iterator[Path]:
    try:
        found = sorted((sealed_plan.path / APPROVALS).iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return
    yield from [path for path in found if path.suffix == ".json"][:_MOST_FILES]


def _parse(content: bytes) -> Approval:
    try:
        return Approval.model_validate_json(content)
    except ValidationError:
        raise SealedPlanRefused("malformed", "not an approval.") from None


def _of(statement: Statement) -> str:
    subject = next(iter(statement.subject), None)
    there = statement.predicate
    return f"{subject.name if subject else 'nothing'} of {there.stack} in {there.account}"


def _readable(path: Path, field: str) -> Path:
    try:
        files.read_regular(path, 1)
    except OSError as error:
        raise UsageError(
            f"the file cannot be read ({error.strerror})",
            field=field,
            value=str(path),
            fix="write it as `man ssh-keygen` says under ALLOWED SIGNERS",
        ) from None
    return path
