"""The two profiles side by side: each difference, its risk, its reason, and the way back.

One source for `biomodal-aws explain` and for `docs/hardening.md`.
"""

from biomodal_deploy.review.hardening.checked import CHECKED, Checked
from biomodal_deploy.review.hardening.difference import Difference
from biomodal_deploy.review.hardening.differences import DIFFERENCES

__all__ = ["CHECKED", "DIFFERENCES", "Checked", "Difference"]
