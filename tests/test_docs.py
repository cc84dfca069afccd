"""The documentation says what the code does: no page is out of date, and no link is dead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from pydantic import BaseModel

from biomodal_deploy import errors
from biomodal_deploy.config.contract import all_variables
from biomodal_deploy.config.settings import Limits, StackSettings
from biomodal_deploy.known_errors.catalog import catalog
from biomodal_deploy.plan.sealed import Facts, verifying
from biomodal_deploy.vm.ssh_failures import NotConnected
from biomodal_deploy.workflow.lost_state import StateLost
from biomodal_deploy.workflow.reading import NotApplied
from tests.support import commands_page
from tests.support import permissions_page as permissions
from tests.support import troubleshooting_page as troubleshooting
from tests.support.project import ROOT

DOCS: Final = ROOT / "docs"
PACKAGE: Final = ROOT / "biomodal_deploy"
PAGES: Final = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md")))
# Steers the sandbox's own server in tests, and no command.
INTERNAL: Final = {"BIOMODAL_SANDBOX_RECORD"}


def page(name: str) -> str:
    """Return a page of the documentation."""
    return (DOCS / name).read_text(encoding="utf-8")


def sources(*folders: str) -> Iterator[tuple[Path, str]]:
    """Yield the code with its paths."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path, path.read_text(encoding="utf-8")


def test_the_commands_page_is_what_the_code_says() -> None:
    """`make docs` writes it; whoever changes a command runs that."""
    assert page("commands.md") == commands_page.page(), "run: make docs"
    assert "Environment: `AWS_REGION`, `AWS_DEFAULT_REGION`." in page("commands.md")


@pytest.mark.slow
def test_the_permissions_page_is_what_the_data_says() -> None:
    """`make docs` writes it; whoever changes a stack or the permission data runs that."""
    assert page("permissions.md") == permissions.page(permissions.read_stacks(ROOT)), "make docs"


def test_the_troubleshooting_page_is_what_the_catalog_says() -> None:
    """`make docs` writes it; whoever changes what is known of an error runs that."""
    assert page("troubleshooting.md") == troubleshooting.page(), "make docs"


def statuses() -> dict[str, int]:
    """Return every exit status by its name."""
    return {name: value for name, value in vars(errors).items() if name.startswith("EXIT_")}


def test_every_exit_status_is_documented() -> None:
    """The table lists exactly those that the code has, with their numbers."""
    rows = re.findall(r"^\| (\d+) \| `(EXIT_\w+)` \|", page("exit-codes.md"), re.MULTILINE)
    assert {name: int(number) for number, name in rows} == statuses()
    assert [int(number) for number, _ in rows] == sorted(statuses().values())


def test_every_error_code_is_documented() -> None:
    """Programs decide by codes: each one is in the table, with its status."""
    families = (
        errors.UsageError,
        errors.EngineError,
        errors.GuardRefused,
        errors.SealedPlanRefused,
        errors.Interrupted,
        NotConnected,
        NotApplied,
        StateLost,
    )
    known = {each.code: each.exit_status for each in families}
    known["bug"] = errors.EXIT_BUG
    text = page("exit-codes.md")
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", text, re.MULTILINE)
    assert {code: int(number) for code, number in rows} == known
    (listed,) = re.findall(r"have a code of their own, and status 1: ([^.]*)\.", text)
    assert set(re.findall(r"`(\w+)`", listed)) == set(catalog().codes)


def reasons() -> set[str]:
    """Return every word that a refusal of a sealed plan can have as its reason."""
    found: set[str] = set()
    for _, text in sources("biomodal_deploy"):
        found |= set(re.findall(r'SealedPlanRefused\(\s*"(\w+)"', text))
    text = Path(verifying.__file__).read_text()
    words = r'"((?:other|edited|state|dirty)_\w+|expired|not_yet_valid)"'
    found |= set(re.findall(words, text)) - {"state_id"}
    fields = set(Facts.model_fields)
    return found - fields | {"in_use", "outcome_unknown", "unsigned", "bad_signature"}


def test_every_reason_of_a_refusal_is_documented() -> None:
    """A refusal names its reason by a word; the page says what each means."""
    text = page("exit-codes.md").partition("| reason |")[2]
    listed = set(
        re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)))
    )
    assert listed == reasons()


def settings(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield the names of all settings of a stack, as the page spells them."""
    for name, field in model.model_fields.items():
        if field.annotation is Limits:
            yield from settings(Limits, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def test_every_setting_is_described_with_its_default() -> None:
    """The table has one row for each setting, and none for what is no setting."""
    (table,) = re.findall(r"(?s)\| setting \|.*?\n\n", page("settings.md"))
    rows = dict(re.findall(r"^\| `([\w.]+)` \| (.*?) \|", table, re.MULTILINE))
    assert list(rows) == list(settings(StackSettings))
    assert rows["plan_hours"] == f"{StackSettings().plan_hours:g}"
    for name in ("bootstrap", "profile"):
        assert rows[name] == f'`"{getattr(StackSettings(), name)}"`'


def test_every_variable_is_described() -> None:
    """Each variable of a stack stands on a page."""
    text = page("settings.md") + page("hardening.md")
    missing = [each.name for each in all_variables() if f"`{each.name}`" not in text]
    assert missing == []


def test_every_environment_variable_of_ours_is_described() -> None:
    """What steers us from outside is on the settings page."""
    named = {
        name
        for _, text in sources("biomodal_deploy", "constructs", "stacks")
        for name in re.findall(r"\bBIOMODAL_[A-Z_]+\b", text)
    }
    described = set(re.findall(r"`(BIOMODAL_[A-Z_]+)`", page("settings.md")))
    assert named - INTERNAL == described


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    """Relative links name files that are there, and anchors that are in them."""
    text = re.sub(r"(?s)```.*?```", "", path.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = path if not name else path.parent / name
        assert file.exists(), f"{target} is dead"
        if anchor:
            assert anchor in anchors(file), f"{target} has no such heading"


def test_every_module_that_the_map_names_is_there() -> None:
    """CONTRIBUTING's tables lead somebody new to a module at once."""
    rows = re.findall(r"^\|.*\|$", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([\w/]+(?:\.py|/))`", row)}
    assert named
    missing = {each for each in named if not any((it / each).exists() for it in (ROOT, PACKAGE))}
    assert missing <= {"site/"}  # `make site` writes it


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings
    }


def test_every_command_that_a_page_names_is_there() -> None:
    """A page never shows a command, or an option of ours, that does not exist."""
    known = {tuple(name.split()): each for name, each in commands_page.every_command().items()}
    words = {words[0] for words in known}
    for path in PAGES:
        for line in re.findall(r"biomodal-aws ([a-z][^`\n|]*)", path.read_text(encoding="utf-8")):
            first = line.split()[0].rstrip(".,:;)")
            if first not in words:
                continue
            second = (first, *line.split()[1:2])
            command = known.get(second[:1]) or known.get(second)
            options = (
                {option for each in command.params for option in each.opts} if command else set()
            )
            for option in re.findall(r"(?<!\S)--[a-z][a-z0-9-]*", line.partition(" -- ")[0]):
                assert option in options | {"--help"}, f"{path.name}: biomodal-aws {line}"


def test_the_site_s_navigation_names_every_page() -> None:
    """`make site` fails on a page outside of it; this says so before."""
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    named = re.findall(r"^ +- .*: (\S+\.md)$", settings, re.MULTILINE)
    pages = [str(each.relative_to(ROOT / "docs")) for each in (ROOT / "docs").rglob("*.md")]
    assert sorted(named) == sorted(["index.md", *pages])
