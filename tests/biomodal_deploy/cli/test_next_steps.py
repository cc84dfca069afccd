"""Tests for biomodal_deploy.cli.next_steps: a printed step works where it was printed."""

from __future__ import annotations

import pytest

from biomodal_deploy.cli.next_steps import as_typed


@pytest.mark.parametrize(
    ("message", "arguments", "expected"),
    [
        ("Next: biomodal-aws plan.", ["apply"], "Next: biomodal-aws plan."),
        (
            "run biomodal-aws plan, then biomodal-aws apply.",
            ["status", "--stack", "lab", "--project-dir=a b"],
            "run biomodal-aws plan --project-dir 'a b' --stack lab, "  # noqa: ISC004 - one line
            "then biomodal-aws apply --project-dir 'a b' --stack lab.",
        ),
        (
            "Next: biomodal-aws plan --stack lab",
            ["apply", "--stack", "lab"],
            "Next: biomodal-aws plan --stack lab",
        ),
        (
            "Next: biomodal-aws plan --all",
            ["apply", "--stack=lab"],
            "Next: biomodal-aws plan --all",
        ),
        ("run biomodal-aws plan.", ["apply", "--all"], "run biomodal-aws plan --all."),
        ("run biomodal-aws show p1", ["apply", "--all"], "run biomodal-aws show p1"),
        (
            "Next: biomodal-aws plan --help",
            ["plan", "--project-dir", "x", "--nope"],
            "Next: biomodal-aws plan --help",
        ),
        ("run biomodal-aws synth", ["output", "--stack", "lab"], "run biomodal-aws synth"),
        ("run biomodal-aws plan", ["plan", "--stack", "lab-*"], "run biomodal-aws plan"),
        ("run biomodal-aws plan", ["connect", "--", "--stack", "x"], "run biomodal-aws plan"),
        ("biomodal-aws keygen vm", ["plan", "--stack", "lab"], "biomodal-aws keygen vm"),
        (
            "biomodal-aws apply p1 (see backend check)",
            ["apply", "--stack", "lab"],
            "biomodal-aws apply --stack lab p1 (see backend check)",
        ),
        (
            "`biomodal-aws policy deployer` prints it",
            ["doctor", "--stack", "lab"],
            "`biomodal-aws policy deployer --stack lab` prints it",
        ),
    ],
)
def test_a_step_names_what_the_command_was_told(
    message: str, arguments: list[str], expected: str
) -> None:
    """Project and stack are added where the step lacks them and its command takes them."""
    assert as_typed(message, arguments) == expected
