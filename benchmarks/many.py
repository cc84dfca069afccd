"""What a set of stacks costs: the native one many times over, against the sandbox.

    .venv/bin/python -m benchmarks.many [--stacks 50] [--jobs 2] [--json figures.json]

One stack names a subnet that is not there, so its plan fails. The others have to be planned
and sealed whole, the list has to name each, and the memory of all processes together has to stay
below 6 GiB: the command's own, each stack's, Terraform's and the providers'. The sandbox is
no part of that. Exit status 2 where something of this is not so.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks.measuring import Watched, watched
from biomodal_deploy.errors import EXIT_ENGINE
from biomodal_deploy.plan.sealed import SealedPlan
from biomodal_deploy.sandbox import Sandbox
from biomodal_deploy.workflow.sets.running import default_jobs
from tests.support.project import app_environment, copy_app, write_stacks

MOST_MIB: Final = 6 * 1024
RESOURCES: Final = 20
MISSING_SUBNET: Final = "subnet-00000000"


def main() -> int:
    """Plan the set once, print a table, and say whether everything is as it has to be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stacks", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=default_jobs())
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    names = [f"lab-{number:02}" for number in range(options.stacks)]
    broken = names[len(names) // 3]
    with tempfile.TemporaryDirectory(prefix="biomodal-aws-benchmark-") as name:
        folder = Path(name)
        project = copy_app(folder / "project")
        with Sandbox.start(folder) as sandbox:
            _write(project, sandbox, names, broken)
            argv = [sys.executable, "-m", "biomodal_deploy", "plan", "--all", "--detailed-exitcode"]
            found = watched(
                [*argv, "--jobs", str(options.jobs)],
                directory=project,
                environment=_environment(folder, project, sandbox),
            )
        faults = [*_faults_on_screen(found, names, broken), *_faults_on_disk(project, broken)]
    if found.peak > MOST_MIB:
        faults.append(f"{found.peak} MiB are more than {MOST_MIB}")
    figures = {
        "stacks": len(names),
        "jobs": options.jobs,
        "seconds": round(found.seconds, 1),
        "seconds_each": round(found.seconds / len(names), 1),
        "peak_mib": found.peak,
        "most_processes": found.processes,
        "faults": faults,
    }
    _show(figures, faults)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 2 if faults else 0


def _write(project: Path, sandbox: Sandbox, names: list[str], broken: str) -> None:
    (project / "environments").mkdir()
    for name in names:
        text = sandbox.tfvars_text(name)
        if name == broken:
            text = re.sub(r"subnet-[0-9a-f]+", MISSING_SUBNET, text)
        (project / "environments" / f"{name}.tfvars").write_text(text)
    write_stacks(
        project,
        {
            name: {"bootstrap": "native", "var_files": [f"environments/{name}.tfvars"]}
            for name in names
        },
    )


def _environment(folder: Path, project: Path, sandbox: Sandbox) -> dict[str, str]:
    home = folder / "home"
    home.mkdir()
    # A home of its own, but the user's cache: the AWS bindings are cut to size once.
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    variables = app_environment(project, {"HOME": str(home), "XDG_CACHE_HOME": cache})
    return sandbox.environment(variables)


def _faults_on_screen(found: Watched, names: list[str], broken: str) -> list[str]:
    """Return what is wrong with what is printed, and with the exit status."""
    rows = dict(re.findall(r"^(lab-\d+): (to review|[a-z]+)", found.out, re.MULTILINE))
    wanted = {name: "failed" if name == broken else "to review" for name in names}
    faults = [
        f"{name} is {rows.get(name)} on screen" for name in names if rows.get(name) != wanted[name]
    ]
    total = f"{len(names)} stacks: "
    counts = Counter(wanted.values())
    sums = [line for line in found.out.splitlines() if line.startswith(total)]
    if not any(f"{counts['to review']} to review" in line for line in sums):
        faults.append(f"the sum is: {sums or found.err.strip()}")
    if "\n  terraform plan failed: no matching EC2 Subnet" not in found.out:
        faults.append("nothing says why one failed")
    if found.status != EXIT_ENGINE:
        faults.append(f"the exit status is {found.status}")
    return faults


def _faults_on_disk(project: Path, broken: str) -> list[str]:
    """Return what is wrong with the sealed plans."""
    faults = []
    for folder in sorted((project / "environments").glob("*.tfvars")):
        name = folder.stem
        plans = [
            path
            for path in (project / "plans" / name).glob("*")
            if (path / "manifest.json").is_file()
        ]
        if len(plans) != (name != broken):
            faults.append(f"{name} has {len(plans)} sealed plans")
            continue
        creates = [SealedPlan.load(path).plan().counts.create for path in plans]
        if any(count != RESOURCES for count in creates):
            faults.append(f"the plan of {name} makes {creates} resources")
    return faults


def _show(figures: dict[str, object], faults: list[str]) -> None:
    table = Table("many stacks", "measured", "target")
    for name, value in figures.items():
        if name != "faults":
            target = f"at most {MOST_MIB}" if name == "peak_mib" else ""
            table.add_row(name.replace("_", " "), str(value), target)
    console = Console()
    console.print(table)
    for fault in faults:
        console.print(f"wrong: {fault}")


if __name__ == "__main__":
    sys.exit(main())
