"""Scan both profiles of the native stack; fail for what the hardened one does not argue."""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from biomodal_deploy.config.settings import Deployment
from biomodal_deploy.review.hardening import CHECKED, Checked
from compliance.plans import NoPlan, plans
from compliance.scan import ScanError, scan
from compliance.waivers import problems, read_waivers

ROOT: Final = Path(__file__).parents[1]
PROFILES: Final = ("documented", "hardened")


def main() -> int:
    """Return 0 where everything is in order, else 1."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        try:
            wrong = list(_judge(Path(folder)))
        except ScanError as error:
            wrong = [str(error)]
    for line in wrong:
        print(f"compliance: {line}", file=sys.stderr)
    print(f"checkov: {len(wrong)} problems in {time.monotonic() - started:.0f} s")
    return 1 if wrong else 0


def _judge(folder: Path) -> list[str]:
    stacks = _synthesized(folder)
    try:
        planned = plans(stacks.values(), folder)
    except NoPlan as error:
        print(f"compliance: only the stacks are scanned, Terraform cannot plan here: {error}")
        planned = {}
    with ThreadPoolExecutor() as pool:
        running = {
            profile: pool.submit(
                scan, stacks[profile], folder / "scan" / profile, planned.get(profile)
            )
            for profile in PROFILES
        }
        found = {profile: each.result() for profile, each in running.items()}
    findings = sorted({each for listed in found["hardened"].values() for each in listed})
    waivers = read_waivers()
    today = datetime.now(tz=UTC).date()
    wrong = list(problems(findings, waivers, today, complete=bool(planned)))
    if planned:
        counted = Checked(
            documented_stack=len(found["documented"]["stack"]),
            documented_plan=len(found["documented"]["plan"]),
            hardened_waived=len(findings),
        )
        print(f"checkov: {counted}")
        if counted != CHECKED:
            wrong.append(f"review/hardening says {CHECKED}, and checkov finds {counted}")
    return wrong


def _synthesized(folder: Path) -> dict[str, Path]:
    # jsii starts here, and not where this module is imported.
    from stacks.synthesis import synthesize

    deployments = {
        profile: Deployment.model_validate({"bootstrap": "native", "profile": profile})
        for profile in PROFILES
    }
    output = folder / "cdktf.out"
    script = ROOT / "scripts" / "install_script.sh"
    synthesize(deployments, install_script=script, output=output)
    return {profile: output / "stacks" / profile for profile in PROFILES}


if __name__ == "__main__":
    sys.exit(main())
