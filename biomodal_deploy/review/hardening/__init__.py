"""The two profiles side by side: each difference, its risk, its reason, and the way back.

One source for `biomodal-aws explain` and for `docs/hardening.md`.
"""

from biomodal_deploy.review.hardening.differences import (
    CHECKED,
    DIFFERENCES,
    Checked,
    Difference,
    choose_differences,
)

__all__ = ["CHECKED", "DIFFERENCES", "Checked", "Difference", "choose_differences"]
