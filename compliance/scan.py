"""checkov on a synthesized stack and on a plan: a child process, without network."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from compliance.finding import Finding

ENVIRONMENT: Final = Path(__file__).parents[1] / ".venv-checkov"
STACK_FILE: Final = "cdk.tf.json"
PLAN_FILE: Final = "plan.json"
_FRAMEWORKS: Final = ("terraform_json", "terraform_plan")
_LIMIT_S: Final = 300
# A key on a line of its own, one space for each level.
_KEY: Final = re.compile(r'^( {1,3})"([^"]+)": \{$')


class _Check(BaseModel):
    model_config = ConfigDict(extra="ignore")

    check_id: str
    check_name: str
    resource: str
    file_line_range: tuple[int, int]


class _Results(BaseModel):
    model_config = ConfigDict(extra="ignore")

    passed_checks: list[_Check]
    failed_checks: list[_Check]
    parsing_errors: list[str]


class _Report(BaseModel):
    model_config = ConfigDict(extra="ignore")

    check_type: str
    results: _Results


class ScanError(Exception):
    """checkov did not answer, or could not read what it was given."""


def scan(stack: Path, folder: Path, plan: str | None = None) -> dict[str, list[Finding]]:
    """Return what fails, by what was read: `stack`, and `plan` where there is one.

    Args:
        stack: The synthesized directory.
        folder: An empty folder to work in.
        plan: What `terraform show -json` says of a plan.

    Raises:
        ScanError: checkov did not answer as expected.
    """
    document = json.loads((stack / STACK_FILE).read_bytes())
    constructs = dict(_constructs(document))
    text = json.dumps(document, indent=1)
    folder.mkdir(parents=True)
    (folder / STACK_FILE).write_text(text, encoding="utf-8")
    if plan is not None:
        (folder / PLAN_FILE).write_text(plan, encoding="utf-8")
    addresses = _addresses(text)
    found: dict[str, list[Finding]] = {}
    for report in _reports(folder):
        if report.results.parsing_errors or not report.results.passed_checks:
            raise ScanError(f"checkov could not read {stack}: {report.results.parsing_errors}")
        of_plan = report.check_type == "terraform_plan"
        found["plan" if of_plan else "stack"] = sorted(
            _finding(
                check,
                check.resource if of_plan else addresses[check.file_line_range[1] - 2],
                constructs,
            )
            for check in report.results.failed_checks
        )
    if set(found) != ({"stack"} if plan is None else {"stack", "plan"}):
        raise ScanError(f"checkov read only {', '.join(found) or 'nothing'} of {stack}")
    return found


def _reports(folder: Path) -> list[_Report]:
    command = [
        str(ENVIRONMENT / "bin" / "checkov"),
        *("--directory", str(folder), "--framework", *_FRAMEWORKS),
        # Rules come with the package: no downloads, no platform.
        *("--skip-download", "--output", "json", "--compact", "--soft-fail"),
    ]
    # What people have set for their own use of checkov must not change the verdict.
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("BC_", "CKV_", "CHECKOV_", "PRISMA_", "AWS_"))
    }
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**kept, "LOG_LEVEL": "ERROR"},
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
            check=True,
        )
        answer: Any = json.loads(done.stdout)
    except FileNotFoundError:
        raise ScanError("checkov is not set up: run make check") from None
    except (subprocess.SubprocessError, ValueError) as error:
        raise ScanError(f"checkov did not answer: {error}") from None
    return [
        _Report.model_validate(each) for each in (answer if isinstance(answer, list) else [answer])
    ]


def _finding(check: _Check, address: str, constructs: Mapping[str, str]) -> Finding:
    plain = re.sub(r"\[[^\]]*\]", "", address)
    return Finding(check.check_id, plain, constructs.get(plain, plain), check.check_name)


def _addresses(text: str) -> list[str]:
    """Return for each line the address of the block around it.

    checkov names a resource of a stack by its name alone, without its type, and gives its lines.
    """
    keys = ["", "", ""]
    addresses = []
    for line in text.splitlines():
        if match := _KEY.match(line):
            keys[len(match[1]) - 1] = match[2]
        kind, type_, name = keys
        addresses.append(f"data.{type_}.{name}" if kind == "data" else f"{type_}.{name}")
    return addresses


def _constructs(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for kind, prefix in (("resource", ""), ("data", "data.")):
        for type_, named in document.get(kind, {}).items():
            for name, block in named.items():
                yield f"{prefix}{type_}.{name}", str(block["//"]["metadata"]["path"])
