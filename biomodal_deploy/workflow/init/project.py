"""A new project: the files that make an empty folder one, drafted and written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from string import Template
from typing import Final

from pydantic import JsonValue

from biomodal_deploy.config.settings import (
    APP_SOURCES,
    PROJECT_FILE,
    ProjectFile,
    has_own_app,
    read_stacks,
)
from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import read_regular, write_new, writing
from biomodal_deploy.workflow.init.answers import Answers
from biomodal_deploy.workflow.init.writing import tfvars_text

_TEMPLATE: Final = Path(__file__).with_name("template")
_SCRIPTS: Final = ("install_script.sh", "batch_host.sh")
# What a new repository may hold already; everything else of these names is another program's.
_KEPT: Final = ("README.md", ".gitignore", "requirements.txt")
_WHY: Final = {
    "module": "The stack calls the documented upstream module: exactly the document. The private "
    "key is in the state, and it cannot be rehearsed without the network.",
    "native": "The stack builds the documented environment from constructs of its own: it can be "
    "rehearsed, and Terraform sees the public half of your SSH key alone.",
    "prerequisites": "The stack makes the account's roles that AWS Batch needs, and nothing else.",
}


@dataclass(frozen=True)
class ProjectDraft:
    """A new project, as it will be written.

    Attributes:
        files: Each file's content by its path in the folder, `cdktf.json` last.
        kept: Files that are there and stay as they are.
    """

    folder: Path
    answers: Answers
    files: Mapping[str, bytes]
    kept: tuple[str, ...]


def name_of(folder: Path) -> str | None:
    """Return the name of a project's first stack, from its folder's; None where that gives none."""
    found = re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-")
    return found if re.match("[a-z]", found) and len(found) <= 63 else None


def draft_project(folder: Path, answers: Answers, *, eject_app: bool) -> ProjectDraft:
    """Return what making a project would write.

    Args:
        folder: Where; it need not exist.
        eject_app: Whether the app's sources are copied into it, to be changed there.

    Raises:
        UsageError: One of its files is there with another content, or a setting is wrong.
    """
    files = project_files(answers.name, {answers.name: answers.entry})
    files[answers.var_file] = tfvars_text(answers).encode()
    readme = Template((_TEMPLATE / "README.md").read_text(encoding="utf-8")).substitute(
        name=answers.name, implementation=_WHY[answers.bootstrap]
    )
    files["README.md"] = readme.encode()
    files[".gitignore"] = (_TEMPLATE / "gitignore").read_bytes()
    files["requirements.txt"] = f"biomodal-aws=={version('biomodal-aws')}\n".encode()
    if eject_app:
        files |= {
            f"stacks/{path.name}": path.read_bytes()
            for path in sorted((APP_SOURCES / "stacks").glob("*.py"))
        }
    files[PROJECT_FILE] = files.pop(PROJECT_FILE)
    read_stacks(ProjectFile.model_validate_json(files[PROJECT_FILE]), {})
    there = [name for name, content in files.items() if _differs(folder / name, content)]
    if others := [name for name in there if name not in _KEPT]:
        raise UsageError(
            "already exists, with another content",
            field=", ".join(others),
            fix="name a new folder: biomodal-aws init DIR",
        )
    return ProjectDraft(folder, answers, files, tuple(there))


def project_files(name: str, stacks: Mapping[str, JsonValue]) -> dict[str, bytes]:
    """Return what no project can do without, by path: settings, app command and scripts."""
    settings = {
        "language": "python",
        "app": "python main.py",
        "projectId": name,
        "sendCrashReports": "false",
        "terraformProviders": [],
        "terraformModules": [],
        "context": {"stacks": dict(stacks)},
    }
    return {
        PROJECT_FILE: f"{json.dumps(settings, indent=2)}\n".encode(),
        "main.py": (_TEMPLATE / "main.txt").read_bytes(),
        **{f"scripts/{each}": (APP_SOURCES / "scripts" / each).read_bytes() for each in _SCRIPTS},
    }


def rehearsal_project(
    project: Path, folder: Path, name: str, stacks: Mapping[str, JsonValue]
) -> None:
    """Make a project in a folder, with the scripts, and the app if it has one, of another.

    Args:
        project: The other; it need not be one.
        folder: A private, empty folder.
    """
    files = project_files(name, stacks)
    if (project / PROJECT_FILE).is_file():
        own = [path for each in _SCRIPTS if (path := project / "scripts" / each).is_file()]
        if has_own_app(project):
            own += [project / "main.py", *sorted((project / "stacks").glob("*.py"))]
        files |= {str(path.relative_to(project)): read_regular(path) for path in own}
    for each, content in files.items():
        (folder / each).parent.mkdir(exist_ok=True)
        (folder / each).write_bytes(content)


def write_project(found: ProjectDraft) -> None:
    """Write a project; `cdktf.json` comes last: a folder without it is none, and can be again.

    Raises:
        UsageError: The system refused to write.
    """
    for name, content in found.files.items():
        path = found.folder / name
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        if write_new(path, content):
            # Shared by Git, unlike what else is written: a project holds no secrets.
            path.chmod(0o755 if path.suffix == ".sh" else 0o644)


def _differs(path: Path, content: bytes) -> bool:
    if not (path.exists() or path.is_symlink()):
        return False
    with writing(path):
        return not path.is_file() or path.read_bytes() != content
