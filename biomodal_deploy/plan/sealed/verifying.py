"""Whether a sealed plan may be applied now: everything recomputed, every difference named."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from biomodal_deploy.errors import SealedPlanRefused
from biomodal_deploy.plan.sealed.facts import Facts, FileDigest, Module, StateId, principal
from biomodal_deploy.plan.sealed.sealed_plan import SealedPlan
from biomodal_deploy.plan.sealed.use import UseState, used
from biomodal_deploy.text import moment

_VARIANTS: Final = ("use_fips_endpoint", "use_dualstack_endpoint")
_CLOCK_SKEW: Final = timedelta(minutes=5)


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it was sealed.

    Attributes:
        reason: A stable word: `edited_var_file`, `state_moved_on`, ...
        sealed, found: Its values, None for none.
    """

    reason: str
    field: str
    sealed: str | None
    found: str | None
    line: str


def verify(
    sealed_plan: SealedPlan, now: Facts, *, clock: datetime | None = None
) -> list[Difference]:
    """Compare a sealed plan with how things are.

    Returns:
        Every difference, those first that explain the others.
    """
    return [
        *_usable(sealed_plan, clock or datetime.now(UTC)),
        *_places(sealed_plan.manifest.facts, now),
        *_tools(sealed_plan.manifest.facts, now),
        *_state(sealed_plan.manifest.facts.state, now.state),
        *_sources(sealed_plan.manifest.facts, now),
    ]


def raise_on(sealed_plan: SealedPlan, differences: Sequence[Difference]) -> None:
    """Refuse a sealed plan that differs in anything.

    Raises:
        SealedPlanRefused: With the first difference, and how many others there are.
    """
    if not differences:
        return
    others = len(differences) - 1
    more = f" ({others} more difference{'s' if others > 1 else ''})" if others else ""
    raise SealedPlanRefused(
        differences[0].reason,
        f"The plan {sealed_plan.id} is refused: {differences[0].line}{more}."
        f" Next: biomodal-aws plan --stack {sealed_plan.manifest.facts.stack}",
    )


def _usable(sealed_plan: SealedPlan, clock: datetime) -> Iterator[Difference]:
    manifest = sealed_plan.manifest
    unused, expired = sealed_plan.use.state is UseState.UNUSED, manifest.is_expired(clock)
    if not unused:
        reason = used(sealed_plan.path).reason
        line = f"it is used, {sealed_plan.use.sentence()}"
        yield Difference(reason, "use", UseState.UNUSED, sealed_plan.use.state, line)
    if expired:
        line = f"it expired at {moment(manifest.expires)}"
        yield Difference("expired", "expires", moment(manifest.expires), moment(clock), line)
    if manifest.created > clock + _CLOCK_SKEW:
        path = shlex.quote(str(sealed_plan.path))
        line = (
            f"it was made at {moment(manifest.created)}, and here it is {moment(clock)}: correct "
            f"the clock, or set the plan aside with `mv {path} {path}.aside`"
        )
        yield Difference("not_yet_valid", "created", moment(manifest.created), moment(clock), line)
    # The plan file of one that is used or expired may be cleared away.
    if unused and not expired and (found := sealed_plan.plan_file_sha256()) != manifest.plan_sha256:
        line = "the plan file was changed after it was sealed"
        yield Difference("edited_plan", "plan_sha256", manifest.plan_sha256, found, line)


def _places(sealed: Facts, now: Facts) -> Iterator[Difference]:
    yield from _other("other_stack", "stack", "stack", sealed, now)
    yield from _other("other_workspace", "workspace", "workspace", sealed, now)
    yield from _other("other_directory", "directory", "directory", sealed, now)
    yield from _other("other_data_dir", "data_dir", "TF_DATA_DIR", sealed, now)
    if sealed.backend_sha256 != now.backend_sha256:
        line = (
            f"it was planned for the state in {sealed.backend}, and the state is in {now.backend}"
        )
        if sealed.backend == now.backend:
            line = f"the settings of the backend {now.backend} changed after planning"
        yield Difference("other_backend", "backend", sealed.backend, now.backend, line)
    yield from _other("other_account", "account", "AWS account", sealed, now)
    yield from _other("other_region", "region", "AWS region", sealed, now)
    yield from _other("other_endpoint", "endpoint", "AWS endpoint", sealed, now)
    for name in sorted({*sealed.endpoints, *now.endpoints}):
        what = f"AWS endpoint of {name}" if name not in _VARIANTS else name
        yield from _others("other_endpoint", "endpoints", name, what, sealed, now)
    if principal(sealed.caller or "") != principal(now.caller or ""):
        yield from _other("other_caller", "caller", "AWS caller", sealed, now)


def _tools(sealed: Facts, now: Facts) -> Iterator[Difference]:
    yield from _other("other_terraform", "engine", "engine", sealed, now)
    yield from _other("other_terraform", "terraform_version", "Terraform version", sealed, now)
    if (sealed.engine, sealed.terraform_version) == (now.engine, now.terraform_version):
        # No digest is shown: the one that people handle is the sealed plan's.
        line = f"the program {now.engine} was exchanged after planning, under the same version"
        yield from _changed("other_terraform", "terraform_sha256", sealed, now, line)
    for name in sorted({*sealed.providers, *now.providers}):
        what = f"version of provider {name}"
        yield from _others("other_providers", "providers", name, what, sealed, now)


def _state(sealed: StateId | None, now: StateId | None) -> Iterator[Difference]:
    if sealed == now:
        return
    if sealed is None and now is not None:
        reason = "state_appeared"
        line = f"there was no state when it was planned, and now there is (serial {now.serial})"
    elif now is None:
        reason, line = "state_gone", "the state that it starts from is gone"
    elif sealed is not None and sealed.lineage != now.lineage:
        reason, line = "other_state", "it starts from another state (its lineage differs)"
    else:
        reason = "state_moved_on"
        line = f"the state moved on, from serial {_serial(sealed)} to {_serial(now)}"
    yield Difference(reason, "state", _spelled(sealed), _spelled(now), line)


def _sources(sealed: Facts, now: Facts) -> Iterator[Difference]:
    line = f"the synthesized stack in {now.directory} changed after planning"
    yield from _changed("edited_synth", "synthesized_sha256", sealed, now, line)
    yield from _files(
        "edited_backend_file", "backend_files", sealed.backend_files, now.backend_files
    )
    yield from _files("edited_var_file", "var_files", sealed.var_files, now.var_files)
    yield from _files(
        "edited_install_script",
        "install_script",
        (sealed.install_script,) if sealed.install_script else (),
        (now.install_script,) if now.install_script else (),
    )
    line = "the provider lock file changed after planning"
    yield from _changed("edited_lock_file", "lock_file_sha256", sealed, now, line)
    yield from _modules(sealed.modules, now.modules)
    yield from _other("other_commit", "git_commit", "commit", sealed, now)
    if sealed.git_clean != now.git_clean:
        line = (
            "files of the working tree changed after planning"
            if sealed.git_clean
            else "files of the working tree were not committed when it was planned, and now are"
        )
        word = "dirty_tree" if sealed.git_clean else "other_tree"
        yield Difference(word, "git_clean", str(sealed.git_clean), str(now.git_clean), line)


def _files(
    reason: str, field: str, sealed: Sequence[FileDigest], now: Sequence[FileDigest]
) -> Iterator[Difference]:
    before = {file.path: file.sha256 for file in sealed}
    after = {file.path: file.sha256 for file in now}
    for path in (*before, *(path for path in after if path not in before)):
        old, new = before.get(path), after.get(path)
        if old != new:
            did = "was removed" if new is None else "was added" if old is None else "changed"
            yield Difference(reason, f"{field}.{path}", old, new, f"{path} {did} after planning")
    if list(before) != list(after) and sorted(before) == sorted(after):
        what = "files of the backend" if field == "backend_files" else "var-files"
        line = f"the order of the {what} changed after planning"
        yield Difference(reason, field, ", ".join(before), ", ".join(after), line)


def _modules(sealed: Sequence[Module], now: Sequence[Module]) -> Iterator[Difference]:
    before: Mapping[str, Module] = {module.key: module for module in sealed}
    after: Mapping[str, Module] = {module.key: module for module in now}
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if old and new and old.commit != new.commit:
            line = f"module {key} was at commit {old.commit}, and now is at {new.commit}"
        else:
            did = "was removed" if new is None else "was added" if old is None else "changed"
            line = f"module {key} {did} after planning"
        yield Difference(
            "other_modules",
            f"modules.{key}",
            old.sha256 if old else None,
            new.sha256 if new else None,
            line,
        )


def _changed(reason: str, field: str, sealed: Facts, now: Facts, line: str) -> Iterator[Difference]:
    old, new = getattr(sealed, field), getattr(now, field)
    if old != new:
        yield Difference(reason, field, old, new, line)


def _other(reason: str, field: str, what: str, sealed: Facts, now: Facts) -> Iterator[Difference]:
    line = _with_another(what, getattr(sealed, field), getattr(now, field))
    yield from _changed(reason, field, sealed, now, line)


def _others(
    reason: str, field: str, name: str, what: str, sealed: Facts, now: Facts
) -> Iterator[Difference]:
    """Yield how an entry of a fact differs."""
    old, new = getattr(sealed, field).get(name), getattr(now, field).get(name)
    if old != new:
        yield Difference(reason, f"{field}.{name}", old, new, _with_another(what, old, new))


def _with_another(what: str, old: str | None, new: str | None) -> str:
    return f"it was planned with {what} {old or 'unset'}, and here it is {new or 'unset'}"


def _serial(state: StateId | None) -> int | None:
    return state.serial if state else None


def _spelled(state: StateId | None) -> str | None:
    return f"{state.lineage} serial {state.serial}" if state else None
