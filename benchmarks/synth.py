"""How long synthesis takes, and how much memory: `python -m benchmarks.synth`.

Contenders build the same resources, those of the native stack, and take turns, so that whatever
else the machine does meets them all. What is measured is the whole process, from its start to its
end. Prints tables in Markdown; `--docs` puts them into a page, `--json` writes all figures.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks import contenders, measuring
from benchmarks.contenders import Contender

OURS: Final = "this project"
FIRST: Final = "this project, first run ever"
UNSLICED: Final = "this project, bindings unsliced"
STOCK: Final = "this project, bindings as shipped"
CDKTN: Final = "this project on cdktn 0.24 + cdktn-provider-aws 25.8.1"
CDKTN_STOCK: Final = "the same, bindings as shipped"
EMPTY: Final = "an empty cdktf app"
BEGIN: Final = "<!-- benchmark: begin -->"
END: Final = "<!-- benchmark: end -->"
GROWTH: Final = (1, 10, 50, 100)


@dataclass
class Measured:
    """What was measured of a contender."""

    seconds: list[float] = field(default_factory=list)
    peaks: list[int] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The median of the wall times."""
        return median(self.seconds)

    @property
    def peak(self) -> int:
        """The largest peak of memory, in MiB."""
        return max(self.peaks)


def measure(
    contestants: Sequence[Contender], *, rounds: int, memory_rounds: int
) -> dict[str, Measured]:
    """Measure contenders in turns, after a run of each that does not count."""
    results = {each.name: Measured() for each in contestants}
    for number in range(-1, rounds + memory_rounds):
        for each in contestants:
            print(f"round {number + 1}: {each.name}", file=sys.stderr)
            each.prepare()
            result, run = results[each.name], (each.argv, each.directory, each.environment)
            if number < rounds:
                taken = measuring.seconds(run[0], directory=run[1], environment=run[2])
                if number >= 0:
                    result.seconds.append(taken)
            else:
                peak = measuring.peak_mib(run[0], directory=run[1], environment=run[2])
                result.peaks.append(peak)
    return results


def race(folder: Path, *, rounds: int) -> dict[str, Measured]:
    """Compare the ways to synthesize one stack."""
    app, home, other = contenders.project(folder / "one", 1), folder / "home", folder / "first"
    home.mkdir()
    contestants = [
        contenders.ours(OURS, app, home),
        contenders.empty(EMPTY, app, home),
        contenders.ours(FIRST, app, other, first=True),
        contenders.cdktn(CDKTN, app, home, path="fast"),
        contenders.cdktn(CDKTN_STOCK, app, home, path="stock"),
        contenders.ours(UNSLICED, app, home, path="unsliced"),
        contenders.ours(STOCK, app, home, path="stock"),
    ]
    return measure(contestants, rounds=rounds, memory_rounds=2)


def grow(folder: Path, *, rounds: int) -> dict[str, Measured]:
    """Measure how time and memory grow with the number of stacks."""
    home = folder / "home"
    contestants = [
        contenders.ours(str(count), contenders.project(folder / f"grown-{count}", count), home)
        for count in GROWTH
    ]
    return measure(contestants, rounds=max(3, rounds // 2), memory_rounds=1)


def targets(race_: dict[str, Measured], growth: dict[str, Measured]) -> dict[str, tuple[str, bool]]:
    """Return what was aimed at, what came of it, and whether that is enough."""
    ours = race_[OURS].median
    stock, cdktn, empty = (race_[name].median for name in (STOCK, CDKTN_STOCK, EMPTY))
    first = race_[FIRST].median
    hundred = growth[str(GROWTH[-1])].median
    return {
        "at least 30 times faster than the bindings as shipped": _ratio(stock / ours, least=30),
        "at least 3 times faster than cdktn": _ratio(cdktn / ours, least=3),
        "at most 1.3 times an empty cdktf app": (f"{ours / empty:.2f}", ours <= 1.3 * empty),
        "at most 160 MiB": (f"{race_[OURS].peak} MiB", race_[OURS].peak <= 160),
        "first run ever: under 12 s": (f"{first:.1f} s", first < 12),
        "100 stacks: within 7 s": (f"{hundred:.1f} s", hundred <= 7),
    }


def _ratio(value: float, *, least: float) -> tuple[str, bool]:
    return f"{value:.1f}", value >= least


def table(race_: dict[str, Measured], growth: dict[str, Measured]) -> str:
    """Return all figures as Markdown."""
    ours = race_[OURS].median
    lines = ["| | wall time | times ours | peak memory |", "|---|---:|---:|---:|"]
    for name, each in sorted(race_.items(), key=lambda item: item[1].median):
        times = f"{each.median / ours:.1f}"
        lines.append(f"| {name} | {each.median:.2f} s | {times} | {each.peak} MiB |")
    lines += ["", "| stacks | wall time | peak memory |", "|---:|---:|---:|"]
    for count, each in growth.items():
        lines.append(f"| {count} | {each.median:.2f} s | {each.peak} MiB |")
    lines += ["", "| target | measured | |", "|---|---:|---|"]
    for target, (value, met) in targets(race_, growth).items():
        lines.append(f"| {target} | {value} | {'met' if met else '**missed**'} |")
    return "\n".join(lines)


def publish(page: Path, text: str) -> None:
    """Put text in the place of what a former run put into a page."""
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"error: {page} has no place for the tables ({BEGIN} ... {END})")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def machine() -> dict[str, Any]:
    """Return what it was measured on."""
    node = subprocess.run((contenders.node(), "--version"), capture_output=True, check=True)
    return {
        "processors": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "node": node.stdout.decode().strip(),
    }


def described(found: dict[str, Any], rounds: int) -> str:
    """Return what it was measured on as a sentence."""
    return (
        f"Medians of {rounds} runs each, in turns, on {found['processors']} processors "
        f"({found['system']}), Python {found['python']}, Node {found['node']}."
    )


def main() -> int:
    """Run the benchmark; exit with 2 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="timed runs of each contender")
    parser.add_argument("--docs", type=Path, help="a page to put the tables into")
    parser.add_argument("--json", type=Path, help="where to write all figures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="biomodal-aws-benchmark-") as name:
        race_ = race(Path(name), rounds=options.rounds)
        growth = grow(Path(name), rounds=options.rounds)
    reached = targets(race_, growth)
    found = machine()
    text = f"{table(race_, growth)}\n\n{described(found, options.rounds)}"
    print(text)
    if options.docs:
        publish(options.docs, text)
    if options.json:
        figures = {
            "machine": found,
            "rounds": options.rounds,
            "contenders": {name: vars(each) for name, each in race_.items()},
            "stacks": {name: vars(each) for name, each in growth.items()},
            "targets": {
                name: {"value": value, "met": met} for name, (value, met) in reached.items()
            },
        }
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0 if all(met for _, met in reached.values()) else 2


if __name__ == "__main__":
    sys.exit(main())
