"""Tell the forge, GitHub or GitLab, what a job found; and ask GitHub which commit a run planned.

    python3 ci/forge.py comment REPORT...  one comment on the pull request for each, updated
    python3 ci/forge.py sarif FILE...      GitHub: hand it to code scanning, where that is set up
    python3 ci/forge.py issue REPORT       one open issue, updated; STATUS=success closes it
    python3 ci/forge.py planned            GitHub: the commit that the run PLAN_RUN planned
    python3 ci/forge.py settings          GitLab: fail where others may become the role

A comment or issue of ours is found again by the first line of the report. The token is
GITHUB_TOKEN or GITLAB_TOKEN. The standard library alone: this runs in jobs that hold a token to
write, and those install nothing.
"""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

Json = dict[str, Any]

TITLE: Final = "Drift: changed outside Terraform"
_MARK: Final = "<!-- biomodal-aws "
_MOST_REASON: Final = 100_000
_MOST_SHOWN: Final = 300
_PAGE: Final = 100
_SECONDS: Final = 30
_PLAN_WORKFLOW: Final = ".github/workflows/plan.yml"


class ForgeError(Exception):
    """What cannot be done, in one line."""


@dataclass(frozen=True)
class Api:
    """One forge's API.

    Attributes:
        root: Where it answers, the repository included.
        headers: With the token.
    """

    root: str
    headers: dict[str, str]

    def call(self, method: str, path: str, body: Json | None = None) -> Any:
        """Make a call and return what it answers."""
        request = urllib.request.Request(  # noqa: S310  # the forge names its own address
            f"{self.root}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={**self.headers, "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            why = reason(error)
            raise ForgeError(f"{method} {path}: {error.code} {error.reason}{why}") from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise ForgeError(f"{method} {path}: {error}") from None

    def every(self, path: str) -> Iterator[Json]:
        """Yield all that a list holds, page by page."""
        page, joint = 1, "&" if "?" in path else "?"
        while True:
            found = self.call("GET", f"{path}{joint}per_page={_PAGE}&page={page}")
            yield from found
            if len(found) < _PAGE:
                return
            page += 1


class GitHub:
    """GitHub's words for it."""

    def __init__(self) -> None:
        """Read where the job runs."""
        self.repository = need("GITHUB_REPOSITORY")
        self.api = Api(
            f"{need('GITHUB_API_URL')}/repos/{self.repository}",
            {
                "Authorization": f"Bearer {need('GITHUB_TOKEN')}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )

    def comment(self, report: str) -> str:
        """Write a comment on the pull request, in the place of our last one."""
        path = f"/issues/{need('PR_NUMBER')}/comments"
        for each in self.api.every(path):
            # Anyone may write our first line; only a bot's comment is ours.
            if (each["user"] or {}).get("type") == "Bot" and marked(each["body"], report):
                self.api.call("PATCH", f"/issues/comments/{each['id']}", {"body": report})
                return "updated"
        self.api.call("POST", path, {"body": report})
        return "written"

    def sarif(self, content: str) -> str:
        """Hand SARIF to code scanning; a repository without it has none, and that fails nothing."""
        packed = base64.b64encode(gzip.compress(content.encode())).decode()
        body = {
            "commit_sha": need("PLANNED"),
            "ref": f"refs/pull/{need('PR_NUMBER')}/head",
            "sarif": packed,
        }
        try:
            self.api.call("POST", "/code-scanning/sarifs", body)
        except ForgeError as error:
            return f"not taken ({error})"
        return "handed on"

    def issue(self, report: str, *, clean: bool) -> str:
        """Write the one issue, or close it."""
        for each in self.api.every("/issues?state=open"):
            if (each["user"] or {}).get("type") == "Bot" and marked(each["body"], report):
                state = "closed" if clean else "open"
                self.api.call(
                    "PATCH", f"/issues/{each['number']}", {"body": report, "state": state}
                )
                return "closed" if clean else "updated"
        if clean:
            return "not needed"
        self.api.call("POST", "/issues", {"title": TITLE, "body": report})
        return "written"

    def planned(self) -> str:
        """Return the commit that a run planned, where it is what the protected branch holds.

        Whoever may push a branch may let any code run in a job of it, and keep any file as its
        plan. So the run has to be one of the plan workflow as the protected branch has it: of a
        commit with exactly the same files, and started by a pull request into that branch or by
        hand on it. A pull request's jobs are those of its merge with its base: into another branch,
        which anyone may push, they are whatever that branch says.
        """
        number = need("PLAN_RUN")
        if not number.isdecimal():
            raise ForgeError(f"PLAN_RUN: {number!r} is no number of a run")
        run = self.api.call("GET", f"/actions/runs/{number}")
        workflow = run["path"].partition("@")[0]
        source = (run["head_repository"] or {}).get("full_name")
        if workflow != _PLAN_WORKFLOW or source != self.repository:
            raise ForgeError(f"run {number} is no plan: it is {workflow} of {source}")
        planned, here = run["head_sha"], need("GITHUB_SHA")
        self._check_origin(run, number)
        if self._files(planned) != self._files(here):
            raise ForgeError(
                f"run {number} planned commit {planned}, and the files of {here} are others."
                " Merge first; where the branch moved on, plan again: gh workflow run plan.yml"
            )
        return str(planned)

    def _check_origin(self, run: Json, number: str) -> None:
        branch, event = need("DEFAULT_BRANCH"), run["event"]
        if event == "workflow_dispatch":
            if run["head_branch"] == branch:
                return
            raise ForgeError(f"run {number} was started on {run['head_branch']}, not on {branch}")
        if event != "pull_request":
            raise ForgeError(f"run {number} was started by {event}, which plans nothing to apply")
        # Every one with this commit: the run itself does not say for sure whose it was.
        commit = run["head_sha"]
        pulls = [
            pull
            for pull in self.api.every(f"/commits/{commit}/pulls")
            if pull["head"]["sha"] == commit
        ]
        for pull in pulls:
            moved = any(
                "base" in each["event"]
                for each in self.api.every(f"/issues/{pull['number']}/events")
            )
            if moved or pull["base"]["ref"] != branch:
                was = "was moved to another base" if moved else f"is into {pull['base']['ref']}"
                raise ForgeError(
                    f"run {number}: pull request {pull['number']} of its commit {was}. Plan what "
                    f"{branch} holds: gh workflow run plan.yml --ref {branch}"
                )
        if not pulls:
            raise ForgeError(f"run {number}: no pull request into {branch} has its commit {commit}")

    def _files(self, commit: str) -> str:
        return str(self.api.call("GET", f"/git/commits/{commit}")["tree"]["sha"])

    def settings(self) -> str:
        """Refuse: GitHub's roles trust an environment, which has rules of its own."""
        raise ForgeError("settings: they are GitLab's; GitHub's role trusts an environment")


class GitLab:
    """GitLab's words for it."""

    def __init__(self) -> None:
        """Read where the job runs."""
        headers = {"PRIVATE-TOKEN": need("GITLAB_TOKEN")}
        root = need("CI_API_V4_URL")
        self.api = Api(f"{root}/projects/{need('CI_PROJECT_ID')}", headers)
        self.me = Api(root, headers).call("GET", "/user")["id"]

    def comment(self, report: str) -> str:
        """Write a note on the merge request, in the place of our last one."""
        path = f"/merge_requests/{need('CI_MERGE_REQUEST_IID')}/notes"
        for each in self.api.every(path):
            if each["author"]["id"] == self.me and marked(each["body"], report):
                self.api.call("PUT", f"{path}/{each['id']}", {"body": report})
                return "updated"
        self.api.call("POST", path, {"body": report})
        return "written"

    def issue(self, report: str, *, clean: bool) -> str:
        """Write the one issue, or close it."""
        for each in self.api.every("/issues?state=opened&scope=all"):
            if each["author"]["id"] == self.me and marked(each["description"], report):
                change: Json = {"description": report}
                if clean:
                    change["state_event"] = "close"
                self.api.call("PUT", f"/issues/{each['iid']}", change)
                return "closed" if clean else "updated"
        if clean:
            return "not needed"
        self.api.call("POST", "/issues", {"title": TITLE, "description": report})
        return "written"

    def settings(self) -> str:
        """Refuse a project in which a pipeline of a fork, or any push, may become the apply role.

        The role trusts a project and a branch. A pipeline that runs here for a merge request of a
        fork has this project's path and the fork's branch, which may be named as ours.
        """
        project = self.api.call("GET", "")
        forks = project.get("ci_allow_fork_pipelines_to_run_in_parent_project")
        if forks:
            raise ForgeError(
                "the project runs pipelines of forks: a fork's branch named"
                f" {project['default_branch']} may assume the role that applies. Fix: Settings,"
                " CI/CD, General pipelines: take away 'Run pipelines in the parent project for"
                " merge requests from forks' (docs/ci.md)"
            )
        branch = urllib.parse.quote(project["default_branch"], safe="")
        if not self.api.call("GET", f"/repository/branches/{branch}")["protected"]:
            raise ForgeError(
                f"{project['default_branch']} is not protected: who may push to it may assume the"
                " role that applies. Fix: Settings, Repository, Protected branches"
            )
        if forks is None:
            return "unknown: GITLAB_TOKEN may not read whether pipelines of forks run here"
        return "right"

    def sarif(self, _content: str) -> str:
        """Refuse: GitLab reads JUnit from the job itself."""
        raise ForgeError("sarif: GitLab takes the job's junit.xml")

    def planned(self) -> str:
        """Refuse: GitLab's apply takes the plan of its own pipeline."""
        raise ForgeError("planned: a pipeline of GitLab applies its own plan")


def marked(text: str | None, report: str) -> bool:
    """Whether a text begins as a report does."""
    return (text or "").partition("\n")[0].strip() == report.partition("\n")[0].strip()


def reason(error: urllib.error.HTTPError) -> str:
    """Return what a forge says of its refusal, on one line: the status alone has many causes."""
    try:
        answer = json.loads(error.read(_MOST_REASON))
    except (OSError, ValueError, http.client.HTTPException):
        return ""
    said = answer.get("message") or answer.get("error") if isinstance(answer, dict) else None
    text = said if isinstance(said, str) else json.dumps(said) if said else ""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return f" ({' '.join(plain.split())[:_MOST_SHOWN]})" if plain.strip() else ""


def content_of(name: str, *, report: bool) -> str:
    """Return a file that another job kept, where it is one.

    That job runs what a branch says. A link in its artifact would publish a file of this job, which
    holds a token to write; another first line would write over what another bot said.
    """
    path = Path(name)
    if any(each.is_symlink() for each in (path, *path.parents)):
        raise ForgeError(f"{name} is a link, and none of our reports is one")
    if not path.is_file():
        raise ForgeError(f"{name} is no file: the job that writes it has not, or its log says why")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ForgeError(f"{name} is no UTF-8, and none of our reports is so") from None
    if report and not text.startswith(_MARK):
        raise ForgeError(f"{name} does not begin with {_MARK.strip()}: it is no report of ours")
    return text


def need(name: str) -> str:
    """Return a variable of the environment."""
    value = os.environ.get(name)
    if not value:
        raise ForgeError(f"{name} is not set")
    return value


def run(words: list[str]) -> None:
    """Do what was asked."""
    command, *files = words or [""]
    if command not in {"comment", "issue", "planned", "sarif", "settings"}:
        raise ForgeError("say comment, issue, planned, sarif or settings")
    forge = GitHub() if "GITHUB_API_URL" in os.environ else GitLab()
    if command == "planned":
        print(f"commit={forge.planned()}")
    if command == "settings":
        print(f"settings {forge.settings()}")
    for name in files:
        report = content_of(name, report=command != "sarif")
        if command == "comment":
            done = forge.comment(report)
        elif command == "sarif":
            done = forge.sarif(report)
        else:
            done = forge.issue(report, clean=os.environ.get("STATUS") == "success")
        print(f"{command} {done}: {name}")


if __name__ == "__main__":
    try:
        run(sys.argv[1:])
    except (ForgeError, OSError) as error:
        sys.exit(f"error: {error}")
    except (AttributeError, KeyError, TypeError) as error:
        sys.exit(f"error: the forge's answer is not what its API documents: {error!r}")
