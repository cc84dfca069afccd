"""Progress as lines, where nothing can be drawn over."""

from __future__ import annotations

from biomodal_deploy.cli.render.progress import Progress
from biomodal_deploy.engine.process import InterruptSent, Line
from biomodal_deploy.engine.terraform.events import parse
from tests.support.screens import screen

WARNING = (
    '{"@level":"warn","@message":"Warning: AWS resource not found during refresh","type":'
    '"diagnostic","diagnostic":{"severity":"warning","summary":'
    '"AWS resource not found during refresh","address":"aws_eip.vm"}}'
)


def test_a_warning_names_its_resource() -> None:
    """The provider has the same words for each resource that it misses."""
    console, stream = screen()
    Progress(console).event(parse(Line("stdout", WARNING)))
    assert "AWS resource not found during refresh (aws_eip.vm)" in stream.getvalue()


def test_forced_colours_are_no_spinner() -> None:
    """A console that only pretends to be a terminal gets each step as a line."""
    console, stream = screen(force_terminal=True)
    with Progress(console) as progress:
        progress.step("Planning")
    assert "Planning ..." in stream.getvalue()


def test_a_stop_that_takes_long_says_how_to_end_it() -> None:
    """At first Terraform is to be left alone; one that hangs ends at the next Ctrl-C."""
    console, stream = screen()
    for seconds in (5, 20):
        Progress(console).event(InterruptSent("interrupt", seconds))
    first, later = stream.getvalue().split("20 s")[0].split("5 s")
    assert ("do not kill" in first, "Ctrl-C again" in first) == (True, False)
    assert "Ctrl-C again" in later.replace("\n", " ")
