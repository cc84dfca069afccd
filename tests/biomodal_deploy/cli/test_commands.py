"""Every command explains itself, and costs nothing until it works."""

from __future__ import annotations

import importlib.metadata
import inspect
import pkgutil
import re
import shlex
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from typing import Final

import pytest
from typer.core import TyperArgument, TyperOption

from biomodal_deploy.cli import commands
from biomodal_deploy.cli.app import COMMANDS, GROUPS, MORE, command_line
from biomodal_deploy.cli.boundary import run
from biomodal_deploy.errors import EXIT_DONE
from tests.support.commands_page import every_command

FOUND: Final = every_command()
# Its output is that of the command which it runs.
NO_FORMAT: Final = {"sandbox run"}


@cache
def help_of(name: str) -> str:
    """Return what a command prints of itself, and nothing but that."""
    with redirect_stdout(StringIO()) as printed, redirect_stderr(StringIO()) as wrong:
        assert run([*name.split(), "--help"]) == EXIT_DONE
    assert wrong.getvalue() == ""
    return printed.getvalue()


each_command = pytest.mark.parametrize("name", sorted(FOUND))


@each_command
def test_help_has_an_example(name: str) -> None:
    """It says what the command does, and shows one that can be copied."""
    assert f"Usage: biomodal-aws {name}" in help_of(name)
    example = inspect.cleandoc(FOUND[name].help or "").partition("Example: ")[2]
    assert f"biomodal-aws {name}" in example
    assert shlex.split(example)
    assert "\n" not in example


@each_command
def test_every_option_of_an_example_is_there(name: str) -> None:
    """An example never shows an option that was renamed."""
    example = inspect.cleandoc(FOUND[name].help or "").partition("Example: ")[2]
    ours = example.partition(f"biomodal-aws {name}")[2].partition(" -- ")[0]
    options = {option for each in FOUND[name].params for option in each.opts}
    assert {word for word in ours.split() if word.startswith("--")} <= options


@each_command
def test_what_a_command_does_and_takes_is_explained(name: str) -> None:
    """In a line that 80 columns do not cut off; no argument and no option is without a sentence."""
    sentence = inspect.cleandoc(FOUND[name].help or "").partition("\n")[0]
    longest = max(len(each.split()[-1]) for each in FOUND)
    assert len(sentence) <= 80 - len("  ") - longest - len("  ")
    params = [each for each in FOUND[name].params if isinstance(each, TyperArgument | TyperOption)]
    assert [each.name for each in params if not each.help] == []


@each_command
def test_what_an_option_takes_is_named_in_plain_words(name: str) -> None:
    """FILE, N and NAME, and not Python's names of types; choices stand as they are."""
    options = help_of(name).partition("Options:")[2]
    shown = re.findall(r"^  -[^<\n]*<([^>]*)>", options, re.MULTILINE)
    assert all("|" in each for each in shown), shown


@each_command
def test_every_command_speaks_to_programs(name: str) -> None:
    """`--output` is there, with `json` among its choices."""
    if name in NO_FORMAT:
        return
    (option,) = [each for each in FOUND[name].params if "--output" in each.opts]
    assert "-o" in option.opts
    assert re.search(r"-o, --output <[a-z|]*\bjson\b", help_of(name))


@each_command
def test_what_needs_a_project_can_be_told_where_it_is(name: str) -> None:
    """`--project-dir` and `--stack` go together, and read the same variables everywhere."""
    options = {each.opts[0]: each for each in FOUND[name].params}
    if "--stack" in options:
        assert options["--stack"].envvar == "BIOMODAL_STACK"
        assert options["--project-dir"].envvar == "BIOMODAL_PROJECT_DIR"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_shows_a_commands_own_help(name: str) -> None:
    """The line in the list of commands is the first line of the command's own help."""
    command = command_line([name]).commands[name]
    assert COMMANDS[name] == inspect.cleandoc(command.help or "").partition("\n")[0]


def test_every_module_of_a_command_is_in_the_table() -> None:
    """A command that is forgotten in the table would not be there."""
    modules = {each.name for each in pkgutil.iter_modules(commands.__path__)}
    assert modules == {name.replace("-", "_") for name in COMMANDS}


def test_help_waits_for_nothing() -> None:
    """None of the workflow's libraries is loaded to print a few lines."""
    code = (
        "import sys\n"
        "from biomodal_deploy.cli.boundary import run\n"
        "status = run(['--help'])\n"
        "heavy = {'pydantic', 'rich', 'boto3', 'botocore', 'moto', 'cdktf'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "plan" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "later"),
    [
        # The first line of a plan does not wait for the AWS library.
        ("applying", {"boto3", "botocore.client", "botocore.parsers"}),
        # What a plan needs after synthesis is imported while the app's process works.
        ("commands.plan", {"biomodal_deploy.cli.applying", "biomodal_deploy.review"}),
    ],
)
def test_what_is_needed_later_is_imported_later(module: str, later: set[str]) -> None:
    """Nobody waits for it before anything has begun."""
    code = f"import sys, biomodal_deploy.cli.{module}; print({later!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_without_a_word_it_prints_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever types the name alone wants to know what there is."""
    assert run([]) == EXIT_DONE
    printed = capsys.readouterr().out
    listed = re.findall(r"^  ([a-z][a-z-]+)  ", printed, re.MULTILINE)
    assert listed == [name for group in GROUPS.values() for name in group]
    assert ", ".join(MORE) in " ".join(printed.partition("help more")[2].split())
    assert "130 interrupted" in printed


def test_a_newcomer_meets_twenty_commands_at_most() -> None:
    """What is needed less often belongs in MORE, which the list of commands names in one line."""
    assert sum(map(len, GROUPS.values())) <= 20


@pytest.mark.parametrize("words", [["more"], ["help", "more"], ["more", "-h"]])
def test_the_others_are_explained_on_request(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """`help more` has a line for each command that the list only names."""
    assert run(words) == EXIT_DONE
    printed = capsys.readouterr().out
    assert all(
        re.search(rf"^  {name}  +{re.escape(MORE[name])}$", printed, re.MULTILINE) for name in MORE
    )


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever reports something can say what they run."""
    assert run(["--version"]) == EXIT_DONE
    assert capsys.readouterr().out == f"biomodal-aws {importlib.metadata.version('biomodal-aws')}\n"
