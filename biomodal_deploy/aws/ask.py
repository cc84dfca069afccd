"""One thing to look at, asked beside the others: what breaks leaves the others whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from biomodal_deploy.aws.clients import WORKERS, Clients
from biomodal_deploy.aws.errors import one_line, trouble_of
from biomodal_deploy.aws.pool import as_finished

_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Question(Generic[_Found]):
    """One thing to look at.

    Attributes:
        kind: A stable word for what it is.
        name: What AWS calls it, or what is looked for.
        ask: Asks and answers.
        address: Where Terraform knows it.
    """

    kind: str
    name: str
    ask: Callable[[], Sequence[_Found]]
    address: str | None = None


@dataclass(frozen=True)
class Silence:
    """Why a question has no answer."""

    line: str
    fix: str | None = None


def ask_all(
    questions: Sequence[Question[_Found]], clients: Clients, seconds: float
) -> list[Sequence[_Found] | Silence]:
    """Ask all at once; return an answer for each, in their order.

    Args:
        questions: What to ask.
        clients: Who asks.
        seconds: How long to wait for all of them.
    """
    found: dict[int, Sequence[_Found] | Silence] = {}
    jobs = [partial(_answer, question, clients) for question in questions]
    for number, outcome in as_finished(jobs, workers=WORKERS, seconds=seconds):
        found[number] = outcome.result()
    late = Silence(f"no answer from AWS in {seconds:g} seconds", "run it again")
    return [found.get(number, late) for number in range(len(questions))]


def _answer(question: Question[_Found], clients: Clients) -> Sequence[_Found] | Silence:
    try:
        return question.ask()
    except (BotoCoreError, ClientError) as error:
        trouble = trouble_of(error, clients)
        return Silence(trouble.line, trouble.fix)
    except Exception as error:  # noqa: BLE001 - an answer of AWS that nobody has seen before
        line = f"reading it broke ({type(error).__name__}: {one_line(str(error))})"
        return Silence(line, "report it as a bug of biomodal-aws")
