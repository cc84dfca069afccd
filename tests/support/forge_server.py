"""A stand-in for the API of GitHub and of GitLab: as much of it as the CI templates call.

A stand-in, because the real ones cannot be reached from a test. It answers on loopback, checks
the token, pages its lists, and keeps what is written to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from tests.support.loopback import Handler, serving

Json = dict[str, Any]
TOKEN: Final = "forge-token"
BOT: Final[Json] = {"type": "Bot", "id": 7}
PERSON: Final[Json] = {"type": "User", "id": 8}

_GITHUB: Final = re.compile(r"/repos/lab/biomodal(/.*)")
_GITLAB: Final = re.compile(r"/api/v4(/.*)")


@dataclass
class Forge:
    """What the forge holds."""

    root: str = ""  # where it answers
    comments: list[Json] = field(default_factory=list)  # of the one pull or merge request
    issues: list[Json] = field(default_factory=list)
    runs: dict[str, Json] = field(default_factory=dict)  # GitHub's runs, by number
    trees: dict[str, str] = field(default_factory=dict)  # the tree of each commit
    pulls: list[Json] = field(default_factory=list)  # GitHub's pull requests of every commit
    events: list[Json] = field(default_factory=list)  # what happened to every one of them
    project: Json = field(default_factory=dict)  # GitLab's project, its settings included
    protected: bool = True  # whether GitLab's default branch is
    scans: list[Json] = field(default_factory=list)  # what GitHub's code scanning was given
    calls: list[str] = field(default_factory=list)  # every call that wrote something

    def github(self) -> dict[str, str]:
        """Return what a job of GitHub finds in its environment."""
        return {"GITHUB_API_URL": self.root, "GITHUB_REPOSITORY": "lab/biomodal"}

    def gitlab(self) -> dict[str, str]:
        """Return what a job of GitLab finds in its environment."""
        return {
            "CI_API_V4_URL": f"{self.root}/api/v4",
            "CI_PROJECT_ID": "42",
            "CI_MERGE_REQUEST_IID": "1",
            "GITLAB_TOKEN": TOKEN,
        }

    def answer(self, method: str, path: str, query: Json, body: Json) -> Any:
        """Answer one call; None where there is nothing of that name."""
        if method != "GET":
            self.calls.append(f"{method} {path}")
        if found := _GITHUB.fullmatch(path):
            return self._github(method, found[1], query, body)
        if found := _GITLAB.fullmatch(path):
            return self._gitlab(method, found[1], query, body)
        return None

    def _github(self, method: str, path: str, query: Json, body: Json) -> Any:
        if path == "/issues/1/comments":
            return self._list(self.comments, method, query, {**body, "user": BOT})
        if path == "/issues":
            found = [each for each in self.issues if each["state"] == "open"]
            return self._list(
                found if method == "GET" else self.issues,
                method,
                query,
                {**body, "user": BOT, "state": "open"},
            )
        if number := re.fullmatch(r"/issues/comments/(\d+)", path):
            return _change(self.comments, number[1], body)
        if number := re.fullmatch(r"/issues/(\d+)", path):
            return _change(self.issues, number[1], body)
        if path == "/code-scanning/sarifs":
            return self._list(self.scans, method, query, body)
        if re.fullmatch(r"/commits/\w+/pulls", path):
            return self._list(self.pulls, method, query, body)
        if re.fullmatch(r"/issues/\d+/events", path):
            return self._list(self.events, method, query, body)
        if number := re.fullmatch(r"/actions/runs/(\d+)", path):
            return self.runs.get(number[1])
        if (commit := re.fullmatch(r"/git/commits/(\w+)", path)) and commit[1] in self.trees:
            return {"tree": {"sha": self.trees[commit[1]]}}
        return None

    def _gitlab(self, method: str, path: str, query: Json, body: Json) -> Any:
        if path == "/user":
            return {"id": BOT["id"]}
        path = path.removeprefix("/projects/42")
        if path == "":
            return {"default_branch": "release/main", **self.project}
        if path == "/repository/branches/release%2Fmain":
            return {"name": "release/main", "protected": self.protected}
        if path == "/merge_requests/1/notes":
            return self._list(self.comments, method, query, {**body, "author": BOT})
        if path == "/issues":
            return self._list(self.issues, method, query, {**body, "author": BOT})
        if number := re.fullmatch(r"/merge_requests/1/notes/(\d+)", path):
            return _change(self.comments, number[1], body)
        if number := re.fullmatch(r"/issues/(\d+)", path):
            return _change(self.issues, number[1], body)
        return None

    def _list(self, held: list[Json], method: str, query: Json, new: Json) -> Any:
        if method == "POST":
            number = len(held) + 1
            held.append({**new, "id": number, "number": number, "iid": number})
            return held[-1]
        size, page = int(query["per_page"]), int(query["page"])
        return held[(page - 1) * size : page * size]


def _change(held: list[Json], number: str, body: Json) -> Json | None:
    for each in held:
        if str(each["id"]) == number:
            each.update(body)
            return each
    return None


@contextmanager
def forge() -> Iterator[Forge]:
    """Start one, and stop it."""
    held = Forge()

    class Answers(Handler):
        def answer(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            body = json.loads(self.body() or b"{}")
            tokens = {self.headers.get("Authorization"), self.headers.get("PRIVATE-TOKEN")}
            known = bool(tokens & {f"Bearer {TOKEN}", TOKEN})
            found = held.answer(self.command, parts.path, query, body) if known else None
            status = (200 if found is not None else 404) if known else 401
            self.say(json.dumps(found if found is not None else {}).encode(), status)

    with serving(Answers) as held.root:
        yield held
