"""Known failures have a stable word and a next step; errors name their cause."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from biomodal_deploy.engine.terraform.events import Diagnostic, Position, Range
from biomodal_deploy.engine.terraform.failures import TerraformFailed, TerraformStopped, diagnose
from biomodal_deploy.engine.terraform.locks import LockInfo
from biomodal_deploy.engine.terraform.results import ApplyRun, Touched
from biomodal_deploy.errors import EXIT_ENGINE, EXIT_INTERRUPTED


def error(summary: str, detail: str = "") -> Diagnostic:
    """Return an error."""
    return Diagnostic(severity="error", summary=summary, detail=detail)


@pytest.mark.parametrize(
    ("summary", "detail", "code"),
    [
        ("Saved plan is stale", "", "stale_plan"),
        ("Saved plan does not match the given state", "lineage", "other_state"),
        (
            "Error loading plan",
            "plan files cannot be transferred between different Terraform versions",
            "plan_of_other_version",
        ),
        ('Failed to load "x" as a plan file', "", "unreadable_plan"),
        ("Error acquiring the state lock", "", "locked"),
        ("Unsupported Terraform Core version", "", "wrong_version"),
        ("No valid credential sources found", "", "credentials"),
        ("x", "api error ExpiredToken: The security token is expired", "credentials"),
        ("x", "UnauthorizedOperation: You are not authorized to perform", "denied"),
        ("x", "VcpuLimitExceeded: You have requested more vCPU", "quota"),
        ("x", "EntityAlreadyExists: Role with name vm-role already exists.", "exists"),
        ("x", "InvalidKeyPair.Duplicate: The keypair already exists", "exists"),
        ("No value for required variable", "", "missing_variable"),
        ("Value for undeclared variable", "", "undeclared_variable"),
        ("Inconsistent dependency lock file", "", "not_initialized"),
        ("Backend configuration changed", "", "backend_changed"),
        ("Failed to query available provider packages", "", "provider_unavailable"),
        ("Instance cannot be destroyed", "", "protected"),
        ("x", "write terraform.tfstate: no space left on device", "disk_full"),
        ("panic: runtime error", "", "crash"),
    ],
)
def test_known_failures(summary: str, detail: str, code: str) -> None:
    """Each known failure is recognised by its own words, and says what to do."""
    found = diagnose([error(summary, detail)])
    assert found is not None
    assert found.code == code
    assert found.advice


def test_an_unknown_failure() -> None:
    """What nobody knows is not given a wrong name."""
    assert diagnose([error("Something new")]) is None
    general = error(
        "creating Widget (lab): operation error Widgets: Make, api error Odd: it is odd"
    )
    assert diagnose([general]) is None
    named = diagnose([general, error("Saved plan is stale")])
    assert named
    assert named.cause == "stale_plan"
    failed = TerraformFailed("terraform", "plan", [error("Something new")], returncode=1)
    assert failed.code == "engine"


def failed(*errors: Diagnostic, verb: str = "apply", returncode: int = 1, **more: Any) -> str:
    """Return what is said of a failure."""
    return str(TerraformFailed("terraform", verb, [*errors], returncode=returncode, **more))


BUCKET = (Touched("aws_s3_bucket.data", "create"),)


def test_the_message_names_cause_place_and_log() -> None:
    """One line: the first error, where it is, how many more, the next step, the log."""
    start, end = Position(line=7, column=1), Position(line=7, column=2)
    first = Diagnostic(
        severity="error",
        summary="creating S3 bucket",
        detail="AccessDenied: no.\n\nGeneral advice that nobody reads.",
        address="aws_s3_bucket.data",
        range=Range(filename="cdk.tf.json", start=start, end=end),
    )
    run = ApplyRun(completed=(Touched("aws_eip.vm", "create"),), failed=BUCKET)
    more: dict[str, Any] = {"log": Path("/p/apply.log"), "run": run}
    found = TerraformFailed("terraform", "apply", [first, error("other")], returncode=1, **more)
    assert str(found) == (
        "terraform apply failed: creating S3 bucket: AccessDenied: no"
        " (aws_s3_bucket.data, cdk.tf.json:7), and 1 more error."
        " 1 change made; not made: aws_s3_bucket.data."
        " Next: give the deploying user the action that is named above. Log: /p/apply.log"
    )
    assert (found.code, found.exit_status) == ("denied", EXIT_ENGINE)


def test_a_cause_has_what_is_known_of_its_place() -> None:
    """An address, a line of a file, both or neither; and each other error is counted."""
    start = Position(line=7, column=1)
    line = Range(filename="main.tf", start=start, end=start)
    bare = error("Bad")
    assert failed(bare) == "terraform apply failed: Bad."
    assert "failed: Bad (main.tf:7)." in failed(bare.model_copy(update={"range": line}))
    assert "failed: Bad (x.y)." in failed(bare.model_copy(update={"address": "x.y"}))
    assert "Bad, and 2 more errors." in failed(bare, bare, bare)


def test_a_long_detail_is_cut() -> None:
    """The log has all of it, and the mark of the cut is no full stop that goes."""
    assert "z" * 600 in failed(error("Bad", "z" * 600))
    cut = failed(error("Bad", "z" * 601))
    assert (cut.count("z"), "z…" in cut) == (599, True)


def test_what_was_never_begun_is_named_beside_what_failed() -> None:
    """One failure holds up all that depends on it."""
    run = ApplyRun(failed=BUCKET, not_begun=(Touched("aws_instance.vm", "create"),))
    assert "not made: aws_s3_bucket.data. Never begun: aws_instance.vm" in failed(run=run)


def test_a_silent_end_is_said_as_it_is() -> None:
    """Where nothing was printed, the exit status or the signal is the news."""
    assert "ended with status 3 and said nothing" in failed(returncode=3)
    assert "ended with signal 9 and said nothing" in failed(returncode=-9)


UNLOCK = "terraform force-unlock -force 8ec9"


def test_a_lock_is_told_with_its_holder_and_its_command() -> None:
    """Who holds it, since when, and what to type if that run is gone."""
    lock = LockInfo(ID="8ec9", Who="ada@lab", Operation="OperationTypeApply", Created="noon")
    locked = error("Error acquiring the state lock", "general words")
    assert failed(locked, verb="plan", lock=lock, unlock=UNLOCK) == (
        "terraform plan failed: the state is locked, held by ada@lab (apply) since noon, id 8ec9."
        " Next: wait until it has ended; if you are sure that the Terraform of ada@lab runs nowhere"
        " any more (with two at once what one makes gets lost from the state):"
        " `terraform force-unlock -force 8ec9`."
    )


def test_a_lock_that_was_let_go_of_meanwhile() -> None:
    """S3 refused it, and a moment later there was none to read: nobody is to be waited for."""
    refused = (
        "Error message: operation error S3: PutObject, https response error StatusCode: 412, "
        "api error PreconditionFailed: At least one of the pre-conditions did not hold\n"
        "unable to retrieve file from S3 bucket 'lab-state' with key 'x/terraform.tfstate.tflock': "
        "operation error S3: GetObject, https response error StatusCode: 404, NoSuchKey\n\n"
        "Terraform acquires a state lock to protect the state."
    )
    locked = error("Error acquiring the state lock", refused)
    assert TerraformFailed("terraform", "apply", [locked], returncode=1).code == "locked"
    assert failed(locked) == (
        "terraform apply failed: another Terraform held the state's lock, and has just let go of"
        " it. Next: biomodal-aws plan, which starts from what the other one has made."
    )


def test_a_killed_apply_says_what_to_look_at() -> None:
    """After a kill: what was done, what was begun, the lock and its command."""
    stopped = TerraformStopped(
        "terraform",
        "apply",
        ("interrupt", "terminate", "kill"),
        lock=LockInfo(ID="8ec9"),
        unlock="terraform force-unlock -force 8ec9",
        run=ApplyRun(in_progress=(Touched("aws_instance.vm", "create"),)),
    )
    assert str(stopped) == (
        "terraform apply was killed. 0 changes made; begun, end unknown: aws_instance.vm."
        " The state is still locked, held by unknown (unknown), id 8ec9."
        " Next: if you are sure that the Terraform of whoever holds it runs nowhere any more (with"
        " two at once what one makes gets lost from the state):"
        " `terraform force-unlock -force 8ec9`."
    )
    assert stopped.exit_status == EXIT_INTERRUPTED


def test_a_stopped_look_has_changed_nothing() -> None:
    """A call that only reads is ended at once, which is no loss and should not sound like one."""
    stopped = TerraformStopped("terraform", "show", ("kill",))
    assert str(stopped) == "terraform show was stopped. It only reads: it has changed nothing."


def test_a_long_list_is_shortened() -> None:
    """A hundred failed resources do not fill the screen."""
    many = tuple(Touched(f"x.y[{number}]", "create") for number in range(100))
    message = failed(run=ApplyRun(failed=many))
    assert "x.y[4] and 95 more" in message
    assert len(message) < 300


def test_a_lock_without_room_is_a_full_disk() -> None:
    """To remove a lock helps nothing then."""
    written = 'could not write lock info for "a": write .a.lock.info: no space left on device'
    errors = [error("Error acquiring the state lock", f"Error message: {written}")]
    assert TerraformFailed("terraform", "apply", errors, returncode=1).code == "disk_full"


def test_a_state_that_was_not_saved_is_what_to_see_to() -> None:
    """The disk is named as the cause, and the file that holds what the apply made."""
    written = 'the state has been written to the file "errored.tfstate" in the current directory.'
    errors = [
        error("Failed to save state", "write a.tfstate: no space left on device"),
        error("Failed to persist state to backend", written),
    ]
    failed = TerraformFailed("terraform", "apply", errors, returncode=1)
    assert failed.code == "disk_full"
    assert "no space left" in str(failed)
    assert "terraform state push errored.tfstate" in str(failed)
