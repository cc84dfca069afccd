"""Questions at a terminal: lists are narrowed by typing, and every answer keeps its rule."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import pytest
from rich.console import Console

from biomodal_deploy.cli.render.init import PAGE, Picker
from biomodal_deploy.config.contract import variables_of
from biomodal_deploy.errors import Interrupted
from biomodal_deploy.workflow.init import Choice, Question
from biomodal_deploy.workflow.init.answers import check_value

VPC = next(each for each in variables_of("native") if each.name == "vpc_id")
MANY = [Choice(f"vpc-{number:08x}", (f"lab {number}",)) for number in range(40)]

Typing = Callable[..., tuple[str, str]]


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch) -> Typing:
    """Answers a question by typing lines; returns the answer and the screen."""

    def answered(question: Question, *lines: str) -> tuple[str, str]:
        waiting = iter(lines)

        def read(*_: object) -> str:
            try:
                return next(waiting)
            except StopIteration:
                raise EOFError from None

        monkeypatch.setattr("builtins.input", read)
        screen = io.StringIO()
        answer = Picker(Console(file=screen, width=100)).ask(question)
        assert list(waiting) == [], "it answered before"
        return answer, screen.getvalue()

    return answered


def question(
    choices: Sequence[Choice] = MANY, default: str | None = None, *, closed: bool = False
) -> Question:
    """Return a question for a VPC."""
    return Question(
        name="vpc_id",
        text="VPC ID",
        check=lambda text: check_value(VPC, text),
        default=default,
        choices=choices,
        closed=closed,
    )


def test_a_number_picks_a_line(typing: Typing) -> None:
    """A page is shown at first, and what else there is."""
    answer, screen = typing(question(), "3")
    assert answer == "vpc-00000002"
    assert "  15  vpc-0000000e  lab 14" in screen
    assert "  16  " not in screen
    assert "25 more lines: + shows them" in screen


def test_a_long_list_is_paged_and_narrowed(typing: Typing) -> None:
    """`+` goes on and comes back to the start; a word leaves the lines that have it."""
    answer, screen = typing(question(), "+", "16")
    assert answer == MANY[15].value
    assert f"  {PAGE * 2}  " in screen
    answer, screen = typing(question(), "+", "+", "+", "1")
    assert answer == MANY[0].value
    answer, screen = typing(question(), "LAB 3", "2")
    assert answer == MANY[30].value  # lab 3, lab 30, ...


def test_an_answer_that_is_not_listed_is_taken_and_said(typing: Typing) -> None:
    """A shared VPC may not be in the list of those who may use it."""
    answer, screen = typing(question(), "vpc-0a1b2c3d4e5f")
    assert answer == "vpc-0a1b2c3d4e5f"
    assert "vpc-0a1b2c3d4e5f is not in the list, and is taken as it is typed." in screen


def test_ids_are_never_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a narrow terminal the details give way."""
    choices = [Choice("subnet-0a1b2c3d4e5f60718", ("eu-west-2a", "10.20.128.0/20", "a-long-name"))]
    monkeypatch.setattr("builtins.input", lambda: "1")
    screen = io.StringIO()
    Picker(Console(file=screen, width=50)).ask(
        Question(name="x", text="X", check=lambda _: None, choices=choices)
    )
    assert "  1  subnet-0a1b2c3d4e5f60718  " in screen.getvalue()


def test_a_broken_rule_is_named_and_asked_again(typing: Typing) -> None:
    """With or without a list, and for an empty answer too."""
    answer, screen = typing(question(()), "", "vpc", "vpc-0a1b2c3d")
    assert answer == "vpc-0a1b2c3d"
    assert screen.count("A VPC id is vpc- and 8 to 17 hexadecimal digits.") == 2
    _, screen = typing(question(), "nowhere", "1")
    assert "A VPC id is" in screen


def test_enter_takes_the_default(typing: Typing) -> None:
    """It stands in the prompt."""
    answer, screen = typing(question(default="vpc-00000007"), "")
    assert answer == "vpc-00000007"
    assert "[vpc-00000007]: " in screen
    # A long list is not in its way, and is there for who wants it.
    assert "vpc-00000001" not in screen
    assert "40 lines: + shows them" in screen
    answer, screen = typing(question(default="vpc-00000007"), "+", "2")
    assert answer == MANY[1].value
    assert "  15  vpc-0000000e" in screen


def test_a_closed_list_has_no_other_answers(typing: Typing) -> None:
    """A part of a choice narrows the list; anything else is refused with the choices."""
    choices = [Choice("module"), Choice("native")]
    kind = Question(
        name="bootstrap", text="How", check=lambda _: None, choices=choices, closed=True
    )
    answer, screen = typing(kind, "other", "nat", "1")
    assert answer == "native"
    assert "must be one of module, native." in screen


def test_nobody_there_any_more_is_an_interruption(typing: Typing) -> None:
    """Ctrl-D and a closed terminal write nothing."""
    with pytest.raises(Interrupted, match="nothing was written"):
        typing(question())
