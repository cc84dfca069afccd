"""The two profiles side by side: each difference, its risk, its reason, and the way back.

One source for `biomodal-aws init --explain` and for `docs/hardening.md`.
"""

from biomodal_deploy.review.hardening.differences import (
    CHECKED,
    DIFFERENCES,
    Checked,
    Difference,
)

__all__ = ["CHECKED", "DIFFERENCES", "Checked", "Difference"]
