"""Completion for bash, zsh and fish, answered without loading a command.

Commands and options come from `completion.json`, which `make docs` writes from the commands
themselves; stacks and plans from the project's folder. Only the standard library is imported:
whoever presses Tab waits for it.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from biomodal_deploy.errors import UsageError

VARIABLE: Final = "_BIOMODAL_AWS_COMPLETE"
TABLE: Final = Path(__file__).with_name("completion.json")
STACKS, PLANS = "@stack", "@plan"
# What a shell takes as one plain word: a name from a file never becomes shell code.
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PLAN: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}")

SCRIPTS: Final = {
    "bash": f"""\
_biomodal_aws() {{
    local IFS=$'\\n'
    COMPREPLY=( $({VARIABLE}=bash "$1" "${{COMP_WORDS[@]:1:COMP_CWORD}}" 2>/dev/null) )
}}
complete -o default -F _biomodal_aws biomodal-aws
""",
    "zsh": f"""\
(( $+functions[compdef] )) || {{ autoload -Uz compinit && compinit }}
_biomodal_aws() {{
    local -a found
    found=("${{(@f)$({VARIABLE}=zsh "${{words[1]}}" "${{(@)words[2,CURRENT]}}" 2>/dev/null)}}")
    if [[ -n "$found" ]]; then _describe 'biomodal-aws' found; else _files; fi
}}
compdef _biomodal_aws biomodal-aws
""",
    "fish": f"""\
function __biomodal_aws_complete
    set -l words (commandline -opc)
    env {VARIABLE}=fish $words[1] $words[2..] (commandline -ct) 2>/dev/null
end
complete -k -c biomodal-aws -a '(__biomodal_aws_complete)'
""",
}


def answer(shell: str, words: Sequence[str], environment: Mapping[str, str] = os.environ) -> str:
    """Return what can stand for the last word, a line each, as a shell reads it."""
    found = dict(_candidates([each for each in words if each != "="], environment))
    match shell:
        case "zsh":
            lines = [f"{word.replace(':', chr(92) + ':')}:{text}" for word, text in found.items()]
        case "fish":
            lines = [f"{word}\t{text}" for word, text in found.items()]
        case _:
            lines = list(found)
    return "\n".join(lines)


def install(environment: Mapping[str, str] = os.environ) -> str:
    """Install completion for the caller's shell; return what was done."""
    shell = shell_of(environment)
    home = Path(environment.get("HOME") or "~").expanduser()
    if shell == "fish":
        config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
        script, start = config / "fish" / "completions" / "biomodal-aws.fish", None
    else:
        data = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
        script = data / "biomodal-aws" / f"completion.{shell}"
        start = Path(environment.get("ZDOTDIR") or home) / ".zshrc"
        start = home / ".bashrc" if shell == "bash" else start
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(SCRIPTS[shell], encoding="utf-8")
    if start is None:
        return f"Completion for fish is in {script}."
    line = f"source {shlex.quote(str(script))}\n"
    text = start.read_text(encoding="utf-8") if start.exists() else ""
    if line not in text:
        with start.open("a", encoding="utf-8") as file:
            file.write(line if text.endswith("\n") or not text else f"\n{line}")
    return f"Completion for {shell} is in {script}, which {start} reads: open a new terminal."


def shell_of(environment: Mapping[str, str] = os.environ) -> str:
    """Return the caller's shell."""
    shell = Path(environment.get("SHELL", "")).name
    if shell not in SCRIPTS:
        raise UsageError(
            "completion is available for bash, zsh and fish only",
            field="SHELL",
            value=environment.get("SHELL", ""),
            fix="set it for this command: SHELL=/bin/bash biomodal-aws --install-completion",
        )
    return shell


def _candidates(words: Sequence[str], environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    *before, current = words or [""]
    if "--" in before:
        return
    if before[:1] == ["help"]:
        before = before[1:]
    name, command, arguments = _command_of(table, before)
    if command is None:
        below = {
            each.removeprefix(f"{name} "): found["help"]
            for each, found in table["commands"].items()
            if each.startswith(f"{name} ")
        }
        yield from _starting(current, below if name else table["names"])
        return
    options: dict[str, Any] = command["options"]
    option, equals, given = current.partition("=")
    if equals and options.get(option) is not None:
        values = _values(options[option], before, environment)
        yield from ((f"{option}={value}", text) for value, text in _starting(given, values))
    elif before and options.get(before[-1]) is not None:
        yield from _starting(current, _values(options[before[-1]], before, environment))
    elif current.startswith("-"):
        yield from _starting(current, {each: "" for each in options if each.startswith("--")})
    elif command["argument"] and (command["many"] or not arguments):
        yield from _starting(current, _values(command["argument"], before, environment))


def _command_of(
    table: Mapping[str, Any], before: Sequence[str]
) -> tuple[str, dict[str, Any] | None, list[str]]:
    """Return the command's name, it, and the arguments that it has; None where it is incomplete."""
    commands, name, command = table["commands"], "", None
    arguments: list[str] = []
    for number, word in enumerate(before):
        takes = command is not None and command["options"].get(before[number - 1]) is not None
        if word.startswith("-") or (number and takes):
            continue
        if command is not None:
            arguments.append(word)
        else:
            name = f"{name} {word}".strip()
            command = commands.get(name)
    return name, command, arguments


def _starting(prefix: str, texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((word, text) for word, text in texts.items() if word.startswith(prefix))


def _values(
    kinds: Sequence[str], before: Sequence[str], environment: Mapping[str, str]
) -> dict[str, str]:
    folder = _project(_given("--project-dir", before), environment)
    if kinds == [STACKS]:
        return dict.fromkeys(_stacks(folder), "")
    if kinds == [PLANS]:
        stack = _given("--stack", before) or environment.get("BIOMODAL_STACK")
        found = {
            each.name: each.parent.name
            for each in folder.glob("plans/*/*Z-*")
            if _PLAN.fullmatch(each.name) and stack in (None, each.parent.name)
        }
        return dict(sorted(found.items(), reverse=True))
    return dict.fromkeys(kinds, "")


def _given(option: str, before: Sequence[str]) -> str | None:
    for number, word in enumerate(before):
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
        if word == option:
            return before[number + 1] if number + 1 < len(before) else None
    return None


def _project(given: str | None, environment: Mapping[str, str]) -> Path:
    if given := given or environment.get("BIOMODAL_PROJECT_DIR"):
        return Path(given).expanduser()
    here = Path.cwd()
    return next((each for each in (here, *here.parents) if (each / "cdktf.json").exists()), here)


def _stacks(folder: Path) -> list[str]:
    """Return the stacks of the settings and of the plans; what cannot be read has none."""
    names = {each.parent.name for each in folder.glob("plans/*/history.jsonl")}
    try:
        settings = json.loads((folder / "cdktf.json").read_text(encoding="utf-8"))
        names.update(settings["context"]["stacks"])
    except (OSError, ValueError, LookupError, TypeError):
        pass
    return sorted(each for each in names if _WORD.fullmatch(each))
