"""Tests for biomodal_deploy.cli.next_steps: a printed step works where it was printed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from biomodal_deploy.cli.next_steps import as_typed, completed, steps_for, typed
from tests.support.project import ROOT


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
            "Next: biomodal-aws plan, then biomodal-aws apply",
            ["plan", "--var-file", "a b.tfvars", "--var-file=c.tfvars", "--var", "x=1"],
            "Next: biomodal-aws plan --var-file 'a b.tfvars' --var-file c.tfvars, "  # noqa: ISC004
            "then biomodal-aws apply",
        ),
        (
            "make it with biomodal-aws backend create.",
            ["backend", "check", "--bucket", "states", "--region=eu-west-2"],
            "make it with biomodal-aws backend create --bucket states --region eu-west-2.",
        ),
        (
            "biomodal-aws backend check --bucket x --region y",
            ["backend", "create", "--bucket", "states", "--region", "eu-west-2"],
            "biomodal-aws backend check --bucket x --region y",
        ),
        ("biomodal-aws backend create", ["init", "--region", "z"], "biomodal-aws backend create"),
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


def test_what_is_printed_after_a_success_is_completed_too() -> None:
    """By what was typed, for as long as that command runs."""
    with typed(["plan", "--project-dir", "lab"]):
        assert completed("Next: biomodal-aws apply") == (
            "Next: biomodal-aws apply --project-dir lab"
        )
    assert completed("Next: biomodal-aws apply") == "Next: biomodal-aws apply"


def test_a_plan_s_own_files_are_named_too() -> None:
    """Whatever command says to plan again, and for as long as it runs."""
    with typed(["apply", "p1"]):
        steps_for("lab", [Path("a b.tfvars")])
        assert completed("Next: biomodal-aws plan") == (
            "Next: biomodal-aws plan --stack lab --var-file 'a b.tfvars'"
        )
        assert completed("biomodal-aws apply") == "biomodal-aws apply --stack lab"
    with typed(["apply", "p1", "--stack=lab"]):
        steps_for("lab", [])
        assert completed("biomodal-aws plan") == "biomodal-aws plan --stack lab"
    assert completed("Next: biomodal-aws plan") == "Next: biomodal-aws plan"


def plain_steps(node: ast.AST) -> Iterator[str]:
    """Yield the texts with a next step that are printed as they stand in the code."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Call(func=ast.Name(id="completed")):
                continue
            case ast.Constant(value=str(text)) if "Next: biomodal-aws" in text:
                yield text
        yield from plain_steps(child)


def test_no_renderer_prints_a_step_as_it_stands() -> None:
    """A new line with a next step is completed as well."""
    plain = [
        f"{path.name}: {text}"
        for path in sorted((ROOT / "biomodal_deploy" / "cli" / "render").glob("*.py"))
        for text in plain_steps(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert plain == []
    assert list(plain_steps(ast.parse('print(f"{x} Next: biomodal-aws plan")')))
