"""The two files of a new stack: drafted, shown, and written together or not at all."""

from __future__ import annotations

import difflib
import fcntl
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from biomodal_deploy.config.json_source import past_blank
from biomodal_deploy.config.settings import (
    PROJECT_FILE,
    ProjectFile,
    read_project_file,
    read_stacks,
)
from biomodal_deploy.config.tfvars.values import Value, as_text
from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import read_regular, replace, write_new, writing
from biomodal_deploy.workflow.init.answers import FOLDER, Answers, require_name

_PATH: Final = ("context", "stacks")
_TEMPLATE: Final = re.compile(r"[$%](?=\{)")
_ESCAPE: Final = re.compile(r"\\.")
# JSON's own escapes that Terraform does not know.
_OTHERS: Final = {r"\b": r"\u0008", r"\f": r"\u000c"}
_DECODER: Final = json.JSONDecoder()
_BLANKS: Final = " \t\r\n"
_INDENT: Final = re.compile(r"\n([ \t]+)")


@dataclass(frozen=True)
class Draft:
    """A new stack, as it will be written."""

    answers: Answers
    project_dir: Path
    before: str
    after: str
    variables: str

    @property
    def var_file(self) -> Path:
        """Where its file of variables goes."""
        return self.project_dir / self.answers.var_file

    def difference(self) -> str:
        """Return what changes in `cdktf.json`, as a unified diff."""
        return "".join(
            difflib.unified_diff(
                self.before.splitlines(keepends=True),
                self.after.splitlines(keepends=True),
                PROJECT_FILE,
                PROJECT_FILE,
            )
        )


def stacks_of(project_dir: Path) -> Mapping[str, JsonValue]:
    """Return the stacks that are there by name, as they stand in `cdktf.json`.

    Raises:
        UsageError: `cdktf.json` is missing or no JSON.
    """
    stacks = read_project_file(project_dir).context.get("stacks")
    return stacks if isinstance(stacks, dict) else {}


def draft(project_dir: Path, answers: Answers) -> Draft:
    """Return what writing a stack would write.

    Raises:
        UsageError: Its name or file is taken, or its settings do not fit, by themselves or beside
            the other stacks.
    """
    taken = stacks_of(project_dir)
    require_name(answers.name, taken)
    with writing(project_dir / PROJECT_FILE):
        # Not read_text: it would turn the line ends of another system into ours.
        before = read_regular(project_dir / PROJECT_FILE).decode()
    after = with_member(before, (*_PATH, answers.name), answers.entry)
    # Read as every command will read it: its own rules, and that no two share a state.
    read_stacks(ProjectFile.model_validate_json(after), {})
    found = Draft(answers, project_dir, before, after, tfvars_text(answers))
    _refuse_another(found)
    return found


def write(found: Draft) -> None:
    """Write a stack's file of variables, then its entry in `cdktf.json`.

    What was changed there since it was drafted stays. A file of variables that is there already is
    left alone: with the same text it is what was stopped before, and with another the stack
    is refused.

    Raises:
        UsageError: There is such a stack or file by now, or the system refused to write.
    """
    with _alone(found.project_dir):
        found = draft(found.project_dir, found.answers)
        with writing(found.var_file):
            found.var_file.parent.mkdir(exist_ok=True)
        made = write_new(found.var_file, found.variables.encode())
        if not made:
            _refuse_another(found)
        try:
            _replace(found.project_dir / PROJECT_FILE, found.after.encode())
        except BaseException:
            if made:
                found.var_file.unlink(missing_ok=True)
            raise


def _refuse_another(found: Draft) -> None:
    path = found.var_file
    if not (path.exists() or path.is_symlink()):
        return
    with writing(path):
        same = path.is_file() and path.read_bytes() == found.variables.encode()
    if not same:
        raise UsageError(
            "already exists, and is left as it is",
            field=found.answers.var_file,
            fix=f"give the stack another name, or move the file out of {FOLDER}/",
        )


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole, with the mode of the one in whose place it comes."""
    path = path.resolve()
    replace(path, content, mode=stat.S_IMODE(path.stat().st_mode))


@contextmanager
def _alone(project_dir: Path) -> Iterator[None]:
    """Let one command at a time add a stack; the lock goes with the process."""
    descriptor = os.open(project_dir, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def tfvars_text(answers: Answers) -> str:
    """Return the file's text: what was answered, what is missing, what stays at its default."""
    answered, left, missing = [], [], []
    for name, variable in answers.variables.items():
        if name in answers.values:
            value = hcl(answers.values[name])
            answered.append(f"# {variable.description}\n{name} = {value}\n")
        elif variable.default is None:
            missing.append(f"# {variable.description}\n# {name} = null\n")
        else:
            default = variable.default
            value = hcl(list(default) if isinstance(default, tuple) else default)
            left.append(f"# {variable.description}\n# {name} = {value}\n")
    heading = (
        f"# The values of {answers.name}; its settings are in cdktf.json. Commit both: they are "
        "what a plan\n# is reviewed against. Nothing here is a secret.\n"
    )
    defaults = ["# Left at their defaults: take the # away to set one.\n"] if left else []
    required = ["# Required: fill these in and take the # away.\n"] if missing else []
    return "\n".join([heading, *required, *missing, *answered, *defaults, *left])


def hcl(value: Value) -> str:
    """Return a value as an expression of Terraform's language."""
    if isinstance(value, dict):
        members = ", ".join(f"{_quoted(key)} = {hcl(item)}" for key, item in value.items())
        return f"{{ {members} }}" if members else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(hcl, value))}]"
    if isinstance(value, str):
        return _quoted(value)
    return "null" if value is None else as_text(value)


def _quoted(text: str) -> str:
    escaped = json.dumps(text, ensure_ascii=False)
    escaped = _ESCAPE.sub(lambda found: _OTHERS.get(found[0], found[0]), escaped)
    # A brace behind $ or % would begin a template; doubling the mark fails behind another mark.
    return _TEMPLATE.sub(lambda mark: f"\\u{ord(mark[0]):04x}", escaped)


def with_member(text: str, path: Sequence[str], value: JsonValue) -> str:
    """Return a JSON text with a new last member in one of its objects.

    Objects that are missing on the way are added. Indentation and line ends follow the text.

    Args:
        text: A JSON object, known to be valid.
        path: The names that lead to the new member, its own last.
    """
    start = past_blank(text, 0)
    names = list(path)
    while len(names) > 1 and (inner := _member(text, start, names[0])) is not None:
        start = inner
        names.pop(0)
    for name in reversed(names[1:]):
        value = {name: value}
    return _inserted(text, start, names[0], value)


def _inserted(text: str, start: int, name: str, value: JsonValue) -> str:
    close = _DECODER.raw_decode(text, start)[1] - 1
    first = past_blank(text, start + 1)
    empty = first == close
    line_end = "\r\n" if "\r\n" in text else "\n"
    found = _INDENT.search(text)
    step = found[1] if found else "  "
    end = len(text[:close].rstrip(_BLANKS))
    if not empty and "\n" not in text[start:first]:
        # The object stands on one line, and so does what joins it.
        return f"{text[:end]}, {json.dumps(name)}: {json.dumps(value)}{text[end:]}"
    outer = _indent_of_line(text, start)
    inner = outer + step if empty else _indent_of_line(text, first)
    body = json.dumps(value, indent=step, ensure_ascii=False).replace("\n", line_end + inner)
    member = f"{line_end}{inner}{json.dumps(name)}: {body}"
    if empty:
        return f"{text[: start + 1]}{member}{line_end}{outer}{text[close:]}"
    return f"{text[:end]},{member}{text[end:]}"


def _member(text: str, start: int, name: str) -> int | None:
    """Return where the value of an object's member begins, where it is an object."""
    place = past_blank(text, start + 1)
    while text[place] == '"':
        key, place = _DECODER.raw_decode(text, place)
        value = past_blank(text, past_blank(text, place) + 1)
        if key == name:
            return value if text[value] == "{" else None
        place = past_blank(text, _DECODER.raw_decode(text, value)[1])
        if text[place] != ",":
            return None
        place = past_blank(text, place + 1)
    return None


def _indent_of_line(text: str, place: int) -> str:
    line = text[text.rfind("\n", 0, place) + 1 : place]
    return line[: len(line) - len(line.lstrip(" \t"))]
