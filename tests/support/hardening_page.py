"""`docs/hardening.md`, from the data of `biomodal-aws init --explain`; `make docs` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from biomodal_deploy.config.contract import Variable, variables_of
from biomodal_deploy.review.hardening import CHECKED, EXPLAINED, Difference

PAGE: Final = Path("docs") / "hardening.md"
_HEAD: Final = """\
# The hardened profile

Written from the code by `make docs`; a test fails where it is out of date.

The document calls its configuration an example to be reviewed before production.
`"profile": "hardened"` in `cdktf.json` is that review done. The documented variables stay valid,
all new ones have defaults, and `biomodal-aws init --explain` prints what stands below.

A native stack that exists can change its profile: VM, bucket and repository are changed in
place, and the compute environment is replaced while the queue stays. The module implementation
takes the points that its inputs can express, and the table says which it leaves. Neither profile
changes a bucket that existed before (`use_existing_bucket_url`).

## What checkov says

Of the native implementation, with no check switched off:

| | documented | hardened |
|---|---|---|
| synthesized stack | {documented_stack} failed | 0 without a waiver |
| plan | {documented_plan} failed | 0 without a waiver |

{hardened_waived} findings of the hardened profile are waived, each with reason, owner and expiry,
in `compliance/waivers.json`. `make check` fails for a finding without a waiver, for a waiver that
has expired or that nothing needs any more, and where these numbers are wrong.

## What is proven, and what only a real account can prove

Proven on the sandbox, with real Terraform and AWS provider 5: both profiles are applied, changed in
place, changed into each other and destroyed, and whatever a variable forces to be replaced is
replaced; every second plan is empty; each command runs under the compiled policy of that command
alone ([permissions](permissions.md)). The sandbox refuses what AWS documents that it refuses, such
as deleting an environment that a queue names, or a security group that a VM has.

Not proven, since no AWS account was there: that IAM judges each call on the resources and keys of
its reference, that Batch takes a new template in place while jobs run, that hosts start and join,
that KMS keys work for Auto Scaling's role, and how long AWS takes. For the first real apply:

1. `biomodal-aws doctor`: no failure, and no unknown that somebody has not looked at.
2. Attach what `biomodal-aws policy deployer` prints to a role made for it; use no other rights.
3. `biomodal-aws plan`, then `apply`. For AccessDenied run `biomodal-aws diagnose`; a permission
   that our policy lacks is a bug to be reported with its line.
4. `biomodal-aws plan` again: no changes. `biomodal-aws status`: everything ready.
5. Submit one job to each queue that reads and writes an object of the bucket, and see it end.
6. Change one harmless variable (`batch_max_vcpus`) and apply it; then `biomodal-aws drift`.
7. Where KMS keys are set, restart the VM once and let a host start: both use the key.
8. `biomodal-aws destroy` of this first stack, and read what it says is left.
"""


def page() -> str:
    """Return the whole page."""
    head = _HEAD.format(
        documented_stack=CHECKED.documented_stack_failed,
        documented_plan=CHECKED.documented_plan_failed,
        hardened_waived=CHECKED.hardened_waived,
    )
    parts = [head, *_areas(), "\n## Variables\n", _variables()]
    return "\n".join(parts) + "\n"


def _areas() -> Iterator[str]:
    for area, differences in groupby(EXPLAINED.differences, key=lambda each: each.area):
        yield f"\n## {area}"
        yield from map(_section, differences)


def _section(difference: Difference) -> str:
    rows = {
        "documented": difference.documented,
        "hardened": difference.hardened,
        "risk": difference.risk,
        "reason": difference.reason,
        "way back": difference.back,
        "module": difference.module,
    }
    lines = [f"| {name} | {_cell(text)} |" for name, text in rows.items()]
    return f"\n### {difference.title}\n\n| | |\n|---|---|\n" + "\n".join(lines)


def _variables() -> str:
    of_module = {each.name for each in variables_of("module", "hardened")}
    documented = {each.name for each in variables_of("native")}
    rows = [
        f"| `{each.name}` | {each.type} | {_default(each)} | {_cell(each.description)} | "
        f"{'both' if each.name in of_module else 'native'} |"
        for each in variables_of("native", "hardened")
        if each.name not in documented
    ]
    head = "| variable | type | default | what it is | implementation |\n|---|---|---|---|---|\n"
    return head + "\n".join(rows)


def _default(variable: Variable) -> str:
    match variable.default:
        case bool() as value:
            return f"`{str(value).lower()}`"
        case tuple() as values:
            return "`[" + ", ".join(f'"{each}"' for each in values) + "]`"
        case "":
            return "empty"
        case value:
            return f"`{value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def main() -> int:
    """Write the page into the current folder's docs."""
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
