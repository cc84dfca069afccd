"""What the workflow costs over plain Terraform: whole processes, in turns, medians.

    .venv/bin/python -m benchmarks.workflow [--runs 7] [--json figures.json]

Both sides synthesize, plan to a file, read the plan as JSON and apply it, on a stack that needs no
provider and makes one change a run. `plan` of the native stack, with the real AWS provider on the
sandbox, against `terraform init`, `plan -out` and `show -json` by hand, and `apply` of a change to
one setting against `terraform apply` of its plan file: pairs in turns, and the ratio of each pair.
Also: `--help`, `show` of a sealed plan with 5,000 resources,
and each format of the report on one with every action, drift and failed checks. Exit status 2
where a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from biomodal_deploy.plan import read_plan
from biomodal_deploy.plan.sealed import Facts, drafting
from biomodal_deploy.sandbox import Sandbox
from tests.support.everything import everything
from tests.support.light import STACK, LightProject
from tests.support.native import native_project
from tests.support.plans import encoded
from tests.support.sealed_project import sealed_project

RESOURCES = 5000
TARGETS = {
    "plan ratio": 0.95,
    "apply ratio": 1.05,
    "added": 0.4,
    "help": 0.3,
    "show": 2.0,
    "html": 3.0,
    "markdown": 3.0,
    "json": 3.0,
}


def main() -> int:
    """Measure, print a table, and say whether the targets are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    # Where it is set, each of our processes would compile the program first.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours, plain = _turns(folder, options.runs)
        large = _large(folder / "large")
        figures = {
            **_on_aws(folder / "aws", options.runs),
            "ours": statistics.median(ours),
            "plain": statistics.median(plain),
            "added": statistics.median(a - b for a, b in zip(ours, plain, strict=True)),
            "help": _median(options.runs, lambda: _biomodal(folder, "--help")),
            "show": _median(options.runs, lambda: _biomodal(large, "show")),
        }
        told, _ = sealed_project(folder / "told", read_plan(encoded(everything(RESOURCES)))[0])
        for kind in ("html", "markdown", "json"):
            words = ("show", "--format", kind, "--out", "report")
            figures[kind] = _median(options.runs, lambda words=words: _biomodal(told, *words))  # type: ignore[misc]
    table = Table("seconds, median", "measured", "target")
    for what, seconds in figures.items():
        target = TARGETS.get(what)
        table.add_row(what, f"{seconds:.2f}", f"at most {target}" if target else "")
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    return 2 if any(figures[what] > most for what, most in TARGETS.items()) else 0


def _turns(folder: Path, runs: int) -> tuple[list[float], list[float]]:
    ours, plain = LightProject(folder / "ours"), LightProject(folder / "plain")
    # Neither side counts its first init.
    _ours(ours, "first")
    stack = plain.folder / "cdktf.out" / "stacks" / STACK
    _run(["python", "app.py"], plain.folder)
    _run(["terraform", "init", "-no-color"], stack)
    times: tuple[list[float], list[float]] = ([], [])
    for run in range(runs):
        word = f"word{run}"
        times[0].append(_timed(lambda word=word: _ours(ours, word)))  # type: ignore[misc]
        times[1].append(_timed(lambda word=word: _plain(plain, stack, word)))  # type: ignore[misc]
    return times


def _ours(project: LightProject, word: str) -> None:
    _biomodal(project.folder, "plan", "--var", f"word={word}")
    _biomodal(project.folder, "apply")


def _plain(project: LightProject, stack: Path, word: str) -> None:
    _run(["python", "app.py"], project.folder)
    _run(["terraform", "plan", "-no-color", "-var", f"word={word}", "-out=tfplan"], stack)
    _run(["terraform", "show", "-json", "tfplan"], stack)
    _run(["terraform", "apply", "-no-color", "tfplan"], stack)


def _on_aws(folder: Path, runs: int) -> dict[str, float]:
    """Plan the native stack's first apply, and apply a change; each side in its own checkout."""
    folder.mkdir()
    with Sandbox.start(folder) as sandbox, ExitStack() as stack:
        sides = []
        for name in ("ours", "hand"):
            (folder / name).mkdir()
            project = native_project(folder / name, sandbox, vm_name=f"{name}-vm")
            sides.append(stack.enter_context(project))
        ours, hand = sides
        values = ours.folder / "benchmark.tfvars"
        values.write_bytes((ours.stack / "terraform.tfvars").read_bytes())
        environment = sandbox.environment(os.environ)

        def plan(*words: str) -> None:
            _biomodal(ours.folder, "plan", "--var-file", values.name, *words, env=environment)

        def plan_by_hand() -> None:
            hand.terraform.must(hand.stack, "init", "-input=false")
            hand.plan()

        def apply() -> None:
            _biomodal(ours.folder, "apply", env=environment)

        def apply_by_hand() -> None:
            hand.terraform.must(hand.stack, "apply", "-input=false", "tfplan")

        # Neither side counts its first init.
        plan()
        plan_by_hand()
        plans = [(_timed(plan), _timed(plan_by_hand)) for _ in range(runs)]
        apply()
        apply_by_hand()
        applies = []
        for run in range(runs):
            change = f"bucket_force_destroy={'false' if run % 2 else 'true'}"
            plan("--var", change)
            hand.plan("-var", change)
            applies.append((_timed(apply), _timed(apply_by_hand)))
    return {**_compared("plan", plans), **_compared("apply", applies)}


def _compared(what: str, pairs: Sequence[tuple[float, float]]) -> dict[str, float]:
    return {
        what: statistics.median(ours for ours, _ in pairs),
        f"{what} by hand": statistics.median(by_hand for _, by_hand in pairs),
        f"{what} ratio": statistics.median(ours / by_hand for ours, by_hand in pairs),
    }


def _large(folder: Path) -> Path:
    """Seal a plan of many resources, as `plan` would have."""
    project = LightProject(folder)
    project.run("synth")
    changes = [
        {
            "address": f'terraform_data.many["{index}"]',
            "mode": "managed",
            "type": "terraform_data",
            "name": "many",
            "change": {"actions": ["create"], "before": None, "after": {"input": "x" * 200}},
        }
        for index in range(RESOURCES)
    ]
    document = {"format_version": "1.2", "resource_changes": changes}
    plan = read_plan(json.dumps(document).encode())[0]
    facts = Facts(
        stack=STACK,
        directory=f"cdktf.out/stacks/{STACK}",
        backend="local",
        backend_sha256="0" * 64,
        terraform_version="1.11.4",
        synthesized_sha256="0" * 64,
    )
    with drafting(folder / "plans", STACK) as draft:
        draft.plan_file.write_bytes(b"large")
        draft.seal(plan, facts, lifetime=timedelta(hours=1))
    return folder


def _biomodal(folder: Path, *words: str, env: Mapping[str, str] | None = None) -> None:
    _run([sys.executable, "-m", "biomodal_deploy", *words], folder, env)


def _run(argv: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(argv)} ended with {done.returncode}: {done.stderr.decode()}")


def _median(runs: int, work: Callable[[], None]) -> float:
    return statistics.median(_timed(work) for _ in range(runs))


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
