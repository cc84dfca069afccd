"""Leave: a stack as plain Terraform that stands alone, and still manages the same resources."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from biomodal_deploy import files
from biomodal_deploy.config.backends import LocalBackend, local_path
from biomodal_deploy.config.settings import OUTDIR_VARIABLE
from biomodal_deploy.engine.synthesis import synthesize
from biomodal_deploy.engine.terraform import TerraformCli
from biomodal_deploy.engine.terraform.locks import DEFAULT_WORKSPACE
from biomodal_deploy.errors import EngineError, UsageError
from biomodal_deploy.files import read_regular
from biomodal_deploy.plan.sealed.gathering import LOCK_FILE
from biomodal_deploy.workflow.backend_checks import check_config_files, config_files
from biomodal_deploy.workflow.init.writing import hcl
from biomodal_deploy.workflow.location import Step
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.state_files import local_state_of, resources_in
from biomodal_deploy.workflow.terraform_setup import (
    open_engine,
    project_lock,
    workspace_of,
)
from biomodal_deploy.workflow.variables import given_values

# The output that every stack with a VM has: it carries the check of where the state is.
_CHECKED: Final = "vm_name"
# A condition has to refer to something of the configuration, hence a local. It looks for a file of
# our own: Terraform makes an empty state file to lock it, before it looks at any condition.
_EXISTS: Final = "fileexists(local.beside_the_state)"
_MARK: Final = "A folder that biomodal-aws eject wrote finds its state by this file.\n"
_PRECONDITIONS_SINCE: Final = '">= 1.2"'
_FILES: Final = {"variable": "variables", "output": "outputs"}
_BLOCK: Final = re.compile(r"^(\w+).*?^\}$", re.MULTILINE | re.DOTALL)

Text = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Ejected:
    """A stack as plain Terraform.

    Attributes:
        stack: The stack.
        directory: The folder.
        files: What was written there.
        init: The command that begins there.
    """

    stack: str
    directory: Path
    files: tuple[str, ...]
    init: str


def eject(
    stack: Stack,
    folder: Path,
    *,
    as_json: bool = False,
    var_files: Sequence[Path] = (),
    variables: Sequence[str] = (),
) -> Ejected:
    """Write a stack as plain Terraform that has the same state.

    Args:
        stack: The stack, freshly synthesized.
        folder: A folder that is not there yet, or is empty.

    Raises:
        UsageError: The folder holds something, or a value is missing or wrong.
        EngineError: The app writes no HCL, or Terraform failed.
    """
    folder = folder.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError("already exists", field=str(folder), fix="name a new folder")
    check_config_files(stack)
    given = given_values(stack, var_files, variables, Path.cwd())
    workspace = workspace_of(stack)
    local = isinstance(stack.settings.backend, LocalBackend)
    if local and workspace != DEFAULT_WORKSPACE:
        raise UsageError(
            "the state of a local workspace cannot be ejected",
            field="TF_WORKSPACE",
            value=workspace,
            fix="move it to another backend first: biomodal-aws backend migrate",
        )
    state = local_state_of(stack) if local else None
    texts = _json(stack, state) if as_json else _hcl(stack, state)
    texts = _with_scripts(stack, texts) | _beside_the_json(stack)
    values = given.resolved.values.items()
    texts["terraform.tfvars"] = "".join(f"{name} = {hcl(value)}\n" for name, value in values)
    for path in config_files(stack):
        texts[path.name] = read_regular(path).decode()
    for lock in (project_lock(stack), stack.directory / LOCK_FILE):
        if lock.exists():
            texts.setdefault(LOCK_FILE, read_regular(lock).decode())
    if state and resources_in(state) != 0:
        files.replace(_mark(state), _MARK.encode(), mode=files.public_mode())
    _write(folder, texts)
    engine = open_engine(stack, directory=folder, workspace=DEFAULT_WORKSPACE)
    engine.format()
    return Ejected(
        stack=stack.name,
        directory=folder,
        files=tuple(sorted(texts)),
        init=_init_command(stack, engine, workspace),
    )


def _init_command(stack: Stack, engine: TerraformCli, workspace: str) -> str:
    product = engine.binary.product
    configured = [f"-backend-config={path.name}" for path in config_files(stack)]
    command = shlex.join([product, "init", *configured])
    if workspace == DEFAULT_WORKSPACE or stack.settings.backend.kind == "cloud":
        return command
    return f"{command} && {shlex.join([product, 'workspace', 'select', workspace])}"


def _hcl(stack: Stack, state: Path | None) -> Text:
    stack.on_event(Step("Synthesizing HCL"))
    environment = stack.location.environment
    with files.scratch(files.private_dir(stack.location.plans), "eject") as folder:
        # Below the scratch folder, which this process holds a lock on, as the app does on its own.
        output = folder / "out"
        wanted = {"SYNTH_HCL_OUTPUT": "true", OUTDIR_VARIABLE: str(output)}
        synthesize(stack.location.project_dir, environment={**environment, **wanted})
        path = output / "stacks" / stack.name / "cdk.tf"
        if not path.exists():
            raise EngineError("the app writes no HCL", advice="biomodal-aws eject DIR --json")
        text = read_regular(path).decode()
    texts = {f"{name}.tf": "" for name in ("main", *_FILES.values())}
    for block in _BLOCK.finditer(text):
        name = f"{_FILES.get(block[1], 'main')}.tf"
        texts[name] += ("\n" if texts[name] else "") + block[0] + "\n"
    if state:
        path_text = hcl(str(state))
        texts["main.tf"] = texts["main.tf"].replace(hcl(local_path(stack.name)), path_text)
        if resources_in(state) != 0:
            head = f'output "{_CHECKED}" {{\n'
            texts["main.tf"] += f"\nlocals {{\nbeside_the_state = {hcl(str(_mark(state)))}\n}}\n"
            check = f"condition = {_EXISTS}\nerror_message = {hcl(_lost(state))}"
            texts["outputs.tf"] = texts["outputs.tf"].replace(
                head, f"{head}precondition {{\n{check}\n}}\n"
            )
    return texts


def _json(stack: Stack, state: Path | None) -> Text:
    document = json.loads(read_regular(stack.directory / "cdk.tf.json"))
    if state:
        document["terraform"]["backend"]["local"]["path"] = str(state)
        output = document.get("output", {}).get(_CHECKED)
        if output and resources_in(state) != 0:
            mark = str(_mark(state)).replace("${", "$${")
            document.setdefault("locals", {})["beside_the_state"] = mark
            check = {"condition": f"${{{_EXISTS}}}", "error_message": _lost(state)}
            output["precondition"] = [check]
    document = _without_notes(document)
    parts: dict[str, dict[str, Any]] = {name: {} for name in ("main", *_FILES.values())}
    for kind, blocks in document.items():
        parts[_FILES.get(kind, "main")][kind] = blocks
    return {f"{name}.tf.json": json.dumps(part, indent=2) + "\n" for name, part in parts.items()}


def _mark(state: Path) -> Path:
    return state.with_suffix(".ejected")


def _beside_the_json(stack: Stack) -> Text:
    """Return what is HCL whatever the rest is: Terraform's version, and blocks of an adoption."""
    return {
        path.name: read_regular(path).decode().replace('">= 1.0"', _PRECONDITIONS_SINCE)
        for path in sorted(stack.directory.glob("*.tf"))
        if path.name != "cdk.tf"
    }


def _lost(state: Path) -> str:
    return (
        f"The state is not here: {state.parent} is another folder, or on another machine, and a "
        "plan without the state would create everything a second time. Copy that folder here, or "
        "change the backend in main.tf and remove this precondition."
    )


def _without_notes(value: Any) -> Any:
    """Leave out cdktf's own comments, such as construct paths."""
    if isinstance(value, Mapping):
        return {key: _without_notes(each) for key, each in value.items() if key != "//"}
    return [_without_notes(each) for each in value] if isinstance(value, list) else value


def _with_scripts(stack: Stack, texts: Text) -> Text:
    """Bring the scripts along, each under its own name in place of cdktf's folder of a digest."""
    found: Text = {}
    for path in sorted((stack.directory / "assets").rglob("*")):
        if not path.is_file():
            continue
        name, old = f"scripts/{path.name}", path.relative_to(stack.directory).as_posix()
        if any(old in text for text in texts.values()):
            found[name] = read_regular(path).decode()
            texts = {each: text.replace(old, name) for each, text in texts.items()}
    return {**texts, **found}


def _write(folder: Path, texts: Text) -> None:
    with files.writing(folder):
        for name, text in texts.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            # Values may be private; the rest is for everybody to read.
            private = name.endswith(".tfvars")
            mode = files.PRIVATE_FILE if private else files.public_mode()
            files.write(path, text.encode(), mode=mode)
