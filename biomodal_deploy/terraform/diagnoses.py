"""Known failures: Terraform's words, a stable word for them, and what to do next.

A row stands here because people meet it and its own text does not say what to do with this
command line. The first row that matches the first error wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from biomodal_deploy.events import Diagnostic


@dataclass(frozen=True)
class Diagnosis:
    """A failure that was recognised: a stable word, and the next step."""

    code: str
    advice: str


_PLAN_AGAIN: Final = "make a new plan with `biomodal-aws plan`, and review it"
_DOCTOR: Final = "`biomodal-aws doctor --toolchain` shows {}"


def _row(code: str, advice: str, *patterns: str) -> tuple[re.Pattern[str], Diagnosis]:
    return re.compile("|".join(patterns), re.IGNORECASE), Diagnosis(code, advice)


_KNOWN: Final = (
    _row("stale_plan", _PLAN_AGAIN, r"saved plan is stale"),
    _row("other_state", _PLAN_AGAIN, r"does not match the given state"),
    _row(
        "plan_of_other_version",
        "apply with the version that made the plan, or " + _PLAN_AGAIN,
        r"cannot be transferred between",
        r"plan file was created by .* version",
    ),
    _row("unreadable_plan", _PLAN_AGAIN, r"failed to (load|read) .*plan"),
    _row("locked", "wait until the other run has ended", r"error acquiring the state lock"),
    _row(
        "wrong_version",
        "install the version that is asked for; " + _DOCTOR.format("which one is used and why"),
        r"unsupported (terraform|opentofu) core version",
        r"state snapshot was created by",
        r"state .*newer version",
    ),
    _row(
        "credentials",
        "sign in again or set AWS_PROFILE; `aws sts get-caller-identity` shows who you are",
        r"no valid credential sources",
        r"failed to refresh cached credentials",
        r"invalidclienttokenid|unrecognizedclientexception|signaturedoesnotmatch|authfailure",
        r"expiredtoken|request ?expired|security token .*(invalid|expired)",
        r"sso session .*(invalid|expired)",
    ),
    _row(
        "denied",
        "give the deploying user the action that is named above",
        r"accessdenied|unauthorizedoperation|is not authorized to perform",
    ),
    _row(
        "quota",
        "ask for more under Service Quotas in the AWS console, or free what is not used",
        r"limitexceeded|quota ?exceeded|maximum number of .* (reached|exceeded)",
    ),
    _row(
        "exists",
        "choose another name, or import what exists",
        r"entityalreadyexists|bucketalready|already ?exists|\.duplicate\b",
    ),
    _row("missing_variable", "set it with --var-file or --var", r"no value for required variable"),
    _row("undeclared_variable", "remove it, or mend its name", r"value for undeclared variable"),
    _row(
        "not_initialized",
        "run `biomodal-aws plan`, which initializes the stack's directory",
        r"inconsistent dependency lock file|required plugins are not installed",
        r"backend initialization required|module not installed|missing required provider",
    ),
    _row(
        "backend_changed",
        "move the state with `biomodal-aws backend migrate`, or restore the setting",
        r"backend configuration changed|backend type changed",
    ),
    _row(
        "lock_file",
        "`biomodal-aws lock` writes the provider lock file anew for every platform; review what "
        "changed in locks/, and commit it",
        r"provider dependency changes detected",
        r"checksums? previously recorded in the dependency lock file",
        r"locked provider .* does not match configured version",
    ),
    _row(
        "provider_unavailable",
        "check the network, or name a provider mirror; "
        + _DOCTOR.format("where providers come from"),
        r"failed to query available provider packages|failed to install provider",
        r"registry service unreachable",
    ),
    _row(
        "protected",
        "take the protection out of the configuration first, on purpose",
        r"instance cannot be destroyed",
    ),
    _row("disk_full", "free some disk space", r"no space left on device"),
    _row(
        "crash",
        "read the log; the state is as the last event left it",
        r"panic: |terraform crash",
    ),
)


def diagnose(errors: Iterable[Diagnostic]) -> Diagnosis | None:
    """Return what the first recognised error means."""
    for error in errors:
        text = f"{error.summary}\n{error.detail}"
        for pattern, diagnosis in _KNOWN:
            if pattern.search(text):
                return diagnosis
    return None
