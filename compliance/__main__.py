"""Scan both profiles of the native stack; fail for what the hardened one does not argue.

The hardened profile is scanned with a KMS key of its own as well: waivers that the key lifts do not
count there.
"""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from biomodal_deploy.config.settings import StackSettings
from biomodal_deploy.review.hardening import CHECKED, Checkov
from compliance.plans import NoPlan, plans
from compliance.scan import ScanError, scan
from compliance.waivers import problems, read_waivers

ROOT: Final = Path(__file__).parents[1]
PROFILES: Final = ("documented", "hardened")
KEYED: Final = "hardened-with-a-key"
_KEY: Final = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"


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
        planned = plans((stacks[profile] for profile in PROFILES), folder)
    except NoPlan as error:
        print(f"compliance: only the stacks are scanned, Terraform cannot plan here: {error}")
        planned = {}
    with ThreadPoolExecutor() as pool:
        running = {
            profile: pool.submit(
                scan, stacks[profile], folder / "scan" / profile, planned.get(profile)
            )
            for profile in (*PROFILES, KEYED)
        }
        found = {profile: each.result() for profile, each in running.items()}
    findings = sorted({each for listed in found["hardened"].values() for each in listed})
    waivers = read_waivers()
    today = datetime.now(tz=UTC).date()
    wrong = list(problems(findings, waivers, today, complete=bool(planned)))
    lasting = [each for each in waivers if each.lifted_by is None]
    wrong += (
        f"with kms_key_arn: {line}"
        for line in problems(found[KEYED]["stack"], lasting, today, complete=False)
    )
    if planned:
        counted = Checkov(
            documented_stack_failed=len(found["documented"]["stack"]),
            documented_plan_failed=len(found["documented"]["plan"]),
            hardened_waived=len(findings),
        )
        print(f"checkov: {counted}")
        if counted != CHECKED:
            wrong.append(f"review/hardening says {CHECKED}, and checkov finds {counted}")
    return wrong


def _synthesized(folder: Path) -> dict[str, Path]:
    # jsii starts here, and not where this module is imported.
    from stacks.synthesis import synthesize

    stacks = {
        profile: StackSettings.model_validate({"bootstrap": "native", "profile": profile})
        for profile in PROFILES
    }
    stacks[KEYED] = StackSettings(bootstrap="native", profile="hardened", kms_key_arn=_KEY)
    output = folder / "cdktf.out"
    script = ROOT / "scripts" / "install_script.sh"
    synthesize(stacks, install_script=script, output=output)
    return {name: output / "stacks" / name for name in stacks}


if __name__ == "__main__":
    sys.exit(main())
