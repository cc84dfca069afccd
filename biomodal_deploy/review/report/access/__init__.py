"""Who gains and who loses access by a plan, element by element."""

from biomodal_deploy.review.report.access.judging import AccessChange, Gain, access_changes
from biomodal_deploy.review.report.access.values import Severity

__all__ = ["AccessChange", "Gain", "Severity", "access_changes"]
