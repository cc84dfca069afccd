"""What the CI jobs say to a forge."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from ci.forge import ForgeError, reason, run
from tests.support.forge_server import BOT, PERSON, TOKEN, Forge, forge

REPORT = "<!-- biomodal-aws plan: dev -->\n\nTwo to create.\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Forge]:
    """One stand-in for all."""
    with forge() as held:
        yield held


@pytest.fixture
def github(server: Forge, monkeypatch: pytest.MonkeyPatch) -> Forge:
    """It as a job of GitHub sees it."""
    for name, value in {**server.github(), "GITHUB_TOKEN": TOKEN, "NO_PROXY": "*"}.items():
        monkeypatch.setenv(name, value)
    for name, value in {"DEFAULT_BRANCH": "main", "GITHUB_SHA": "here", "PR_NUMBER": "1"}.items():
        monkeypatch.setenv(name, value)
    server.comments, server.issues, server.calls = [], [], []
    return server


@pytest.fixture
def gitlab(server: Forge, monkeypatch: pytest.MonkeyPatch) -> Forge:
    """It as a job of GitLab sees it."""
    monkeypatch.delenv("GITHUB_API_URL", raising=False)
    for name, value in {**server.gitlab(), "NO_PROXY": "*"}.items():
        monkeypatch.setenv(name, value)
    server.comments, server.issues, server.calls = [], [], []
    return server


@pytest.fixture
def report(tmp_path: Path) -> str:
    """A report."""
    path = tmp_path / "report.md"
    path.write_text(REPORT)
    return str(path)


def test_a_note_of_gitlab_is_ours_or_new(gitlab: Forge, report: str) -> None:
    """What another person began with our first line is theirs."""
    gitlab.comments.append({"id": 1, "author": PERSON, "body": REPORT})
    run(["comment", report])
    run(["comment", report])
    assert gitlab.calls == [
        "POST /api/v4/projects/42/merge_requests/1/notes",
        "PUT /api/v4/projects/42/merge_requests/1/notes/2",
    ]


def test_an_issue_of_gitlab(gitlab: Forge, report: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is open is written again, and closed when there is nothing more to say."""
    run(["issue", report])
    run(["issue", report])
    monkeypatch.setenv("STATUS", "success")
    run(["issue", report])
    (issue,) = gitlab.issues
    assert issue["state_event"] == "close"
    gitlab.issues.clear()
    run(["issue", report])
    assert gitlab.issues == []


def test_what_another_job_kept_is_a_report_or_refused(github: Forge, tmp_path: Path) -> None:
    """Its artifact is what a branch made of it: no link publishes a file, no text is another's."""
    (tmp_path / "secret").write_text(REPORT)
    (tmp_path / "folder").symlink_to(tmp_path)
    link, other, broken = (tmp_path / name for name in ("link.md", "other.md", "broken.md"))
    link.symlink_to(tmp_path / "secret")
    other.write_text("\nAnother bot's first line.\n")
    broken.write_bytes(REPORT.encode() + b"\xff")
    missing = tmp_path / "missing.md"
    for path in (link, tmp_path / "folder" / "secret", other, broken, missing, tmp_path):
        with pytest.raises(ForgeError, match=re.escape(str(path))):
            run(["comment", str(path)])
    with pytest.raises(ForgeError, match="link"):
        run(["sarif", str(link)])
    assert github.calls == []


def test_a_comment_of_a_deleted_account_is_not_ours(github: Forge, report: str) -> None:
    """GitHub documents that an author may be null."""
    github.comments.append({"id": 1, "user": None, "body": REPORT})
    run(["comment", report])
    assert len(github.calls) == 1
    assert github.calls[0].startswith("POST")


def test_a_refusal_says_why() -> None:
    """The status alone has many causes; the forge's own text is kept, on one line."""
    for body, said in {
        b'{"message": "Resource not accessible\\n\\u001b[31m by integration"}': (
            " (Resource not accessible [31m by integration)"
        ),
        b'{"message": {"body": ["is too long"]}}': ' ({"body": ["is too long"]})',
        b"<html>": "",
        b"[]": "",
        b"\xff": "",
    }.items():
        error = HTTPError("https://forge.example", 403, "Forbidden", Message(), BytesIO(body))
        assert reason(error) == said


FORKS = "ci_allow_fork_pipelines_to_run_in_parent_project"


@pytest.mark.parametrize(
    ("project", "protected", "wrong"),
    [
        ({FORKS: True}, True, "release/main may assume the role that applies"),
        ({FORKS: False}, False, "release/main is not protected"),
        ({}, False, "release/main is not protected"),
    ],
)
def test_a_project_that_lets_others_become_the_role_is_refused(
    gitlab: Forge, project: dict[str, object], protected: bool, wrong: str
) -> None:
    """GitLab's subject names a branch and not whose: two settings stand between."""
    gitlab.project, gitlab.protected = project, protected
    with pytest.raises(ForgeError, match=wrong):
        run(["settings"])


@pytest.mark.parametrize(("project", "said"), [({FORKS: False}, "right"), ({}, "unknown")])
def test_the_settings_of_a_project(
    gitlab: Forge, capsys: pytest.CaptureFixture[str], project: dict[str, object], said: str
) -> None:
    """Where the token may not read one, that is no pass and no failure."""
    gitlab.project, gitlab.protected = project, True
    run(["settings"])
    assert capsys.readouterr().out.startswith(f"settings {said}")
    assert gitlab.calls == []


def planned(github: Forge, number: str = "5", **changed: object) -> str:
    """Ask for the commit of a run, refused or not."""
    github.trees = {"here": "files", "there": "files", "elsewhere": "others"}
    github.runs["5"] = {
        "path": ".github/workflows/plan.yml@main",
        "head_sha": "there",
        "head_repository": {"full_name": "lab/biomodal"},
        "event": "workflow_dispatch",
        "head_branch": "main",
        **changed,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAN_RUN", number)
        try:
            run(["planned"])
        except ForgeError as error:
            return str(error)
    return ""


def test_the_commit_that_a_run_planned(github: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    """It may have another name than the one that was merged, and has to have the same files."""
    assert planned(github) == ""
    assert capsys.readouterr().out == "commit=there\n"


EVENTS = (
    *("push", "schedule", "pull_request_target", "pull_request_review", "merge_group", "release"),
    *("workflow_run", "workflow_call", "repository_dispatch", "issue_comment", "dynamic"),
)


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        # Another workflow, a fork, or other files could have kept anything as their plan.
        ({"head_sha": "elsewhere"}, "Merge first"),
        ({"path": ".github/workflows/mine.yml"}, "is no plan"),
        ({"head_repository": {"full_name": "mallory/biomodal"}}, "is no plan"),
        ({"head_repository": None}, "is no plan"),
        ({"head_sha": "gone"}, "404"),
        # On another branch the workflow is that branch's own, whatever files its commit has.
        ({"head_branch": "mine"}, "was started on mine"),
        # Of all kinds only a pull request and a start by hand are what was reviewed.
        *(({"event": event}, f"was started by {event}") for event in EVENTS),
        # A run is a number, and nothing else reaches the API.
        ({"number": "../../user"}, "is no number of a run"),
    ],
)
def test_a_run_that_is_no_plan_of_this_branch_is_refused(
    github: Forge, changed: dict[str, Any], line: str
) -> None:
    """It was not reviewed, or not as what it would apply."""
    assert line in planned(github, **changed)


def pull(base: str = "main", sha: str = "there") -> dict[str, object]:
    """Return a pull request as GitHub tells it."""
    return {"number": 3, "head": {"sha": sha}, "base": {"ref": base}}


@pytest.mark.parametrize(
    ("pulls", "events", "line"),
    [
        ([pull()], [{"event": "merged"}], ""),
        ([pull(), pull("mine", sha="elsewhere")], [], ""),
        ([], [], "no pull request into main"),
        ([pull(sha="elsewhere")], [], "no pull request into main"),
        ([pull("mine")], [], "is into mine"),
        ([pull(), pull("mine")], [], "is into mine"),
        ([pull()], [{"event": "base_ref_changed"}], "moved to another base"),
        ([pull()], [{"event": "automatic_base_change_succeeded"}], "moved to another base"),
    ],
)
def test_a_pull_request_is_one_into_the_default_branch(
    github: Forge, pulls: list[dict[str, object]], events: list[dict[str, object]], line: str
) -> None:
    """Into a branch that anyone may push, its jobs are what that branch says: also for a while."""
    github.pulls, github.events = pulls, events
    said = planned(github, event="pull_request", head_branch="topic")
    assert line in said
    assert bool(said) is bool(line)


def test_a_token_that_is_refused_is_one_line(
    github: Forge, report: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line names the call and not the token."""
    monkeypatch.setenv("GITHUB_TOKEN", "expired")
    with pytest.raises(ForgeError, match=r"^GET /issues/1/comments.*: 401") as caught:
        run(["comment", report])
    assert "expired" not in str(caught.value)
    assert BOT["type"] == "Bot"


def test_code_scanning_is_no_condition(
    github: Forge, report: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A repository without it has no results, and the job goes on; GitLab has none at all."""
    monkeypatch.setenv("PLANNED", "a" * 40)
    run(["sarif", report])
    assert "handed on" in capsys.readouterr().out
    (scan,) = github.scans
    assert (scan["ref"], scan["commit_sha"]) == ("refs/pull/1/head", "a" * 40)
    monkeypatch.setenv("GITHUB_REPOSITORY", "lab/without")
    run(["sarif", report])
    assert "not taken" in capsys.readouterr().out


def test_gitlab_has_no_code_scanning(gitlab: Forge, report: str) -> None:
    """It reads the job's own test report."""
    with pytest.raises(ForgeError, match="sarif"):
        run(["sarif", report])
