"""What goes into a support bundle: versions, tools, settings, logs and history, all cleaned."""

from __future__ import annotations

import io
import json
import platform
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from biomodal_deploy.config.tfvars import read_declared
from biomodal_deploy.config.tfvars.values import to_json
from biomodal_deploy.engine.toolchain import inspect
from biomodal_deploy.errors import BiomodalError
from biomodal_deploy.plan.redactor import HIDDEN_TEXT
from biomodal_deploy.review.diagnosis.support import Cleaner, write_bundle
from biomodal_deploy.workflow.diagnosing import Diagnosed
from biomodal_deploy.workflow.failed_runs import logs_beside
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.variables import Given, given_values

_ENTRIES: Final = 100
_README: Final = """\
A support bundle of biomodal-aws.

README.txt      this
versions.json   versions and platform, and which Terraform, Node and providers run, and why
settings.json   the deployment's settings, and its variables: sensitive ones hidden
diagnosis.json  what `biomodal-aws diagnose` says
logs/           what was read, and the other logs of the same run
history.jsonl   the last entries of the deployment's history

Taken out: the values of sensitive variables, keys, tokens and passwords that show by their form,
and account ids. Names stay: of resources, hosts and people. Read it before you send it.
"""


@dataclass(frozen=True)
class Support:
    """A support bundle that was written.

    Attributes:
        path: Where it is.
        files: What it holds.
    """

    path: Path
    files: tuple[str, ...]

    def as_data(self) -> JsonValue:
        """Return it as data."""
        return {"path": str(self.path), "files": list(self.files)}


def write_support(target: Path, found: Diagnosed, data: object) -> Support:
    """Write a support bundle.

    Args:
        target: A folder or an archive, which must not exist yet.
        found: What was diagnosed.
        data: The diagnosis as data.

    Raises:
        UsageError: The target exists, or cannot be written.
    """
    given = _given(found.stack)
    cleaner = Cleaner(given.redactor.text if given else str, Path.home())
    files = {"README.txt": _README}
    parts: dict[str, object] = {
        "versions.json": _versions(),
        "settings.json": _settings(found.stack, given),
        "diagnosis.json": data,
    }
    for name, part in parts.items():
        files[name] = cleaner.text(json.dumps(part, indent=2, default=str, ensure_ascii=False))
    for name, content in _logs(found, cleaner):
        files[f"logs/{name}"] = content
    if found.stack and (lines := _history(found.stack, cleaner)):
        files["history.jsonl"] = lines
    return Support(write_bundle(target, files), tuple(files))


def _versions() -> Mapping[str, object]:
    tools: object
    try:
        tools = [
            {"name": tool.name, "version": tool.version, "path": tool.path, "why": tool.reason}
            for tool in inspect().tools
        ]
    except BiomodalError as error:
        tools = str(error)
    return {
        "biomodal-aws": version("biomodal-aws"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "tools": tools,
    }


def _given(stack: Stack | None) -> Given | None:
    if stack is not None:
        with suppress(BiomodalError):
            return given_values(stack, (), (), Path.cwd())
    return None


def _settings(stack: Stack | None, given: Given | None) -> Mapping[str, object]:
    if stack is None:
        return {"deployment": None}
    settings = {"deployment": stack.name, "settings": stack.settings.model_dump(mode="json")}
    if given is None:
        return {**settings, "variables": "they could not be read"}
    declared = read_declared(stack.directory)
    values: dict[str, object] = json.loads(to_json(given.resolved.values))
    return {
        **settings,
        "variables": {
            name: {
                "value": HIDDEN_TEXT if declared[name].sensitive else value,
                "from": given.resolved.origins.get(name),
            }
            for name, value in values.items()
            if name in declared
        },
    }


def _logs(found: Diagnosed, cleaner: Cleaner) -> Iterator[tuple[str, str]]:
    if found.path is None:
        yield "input.log", cleaner.log(io.BytesIO(found.kept))
        return
    paths = logs_beside(found.path) if found.run else [found.path]
    for path in paths:
        with path.open("rb") as stream:
            yield path.name, cleaner.log(stream)


def _history(stack: Stack, cleaner: Cleaner) -> str:
    with suppress(BiomodalError):
        entries = stack.history.entries()[-_ENTRIES:]
        return "".join(f"{cleaner.text(entry.line().decode())}\n" for entry in entries)
    return ""
