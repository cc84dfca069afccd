"""Who gains and who loses access by a plan, element by element."""

from biomodal_deploy.review.report.access.judging import (
    AccessChange,
    Gain,
    access_changes,
    drift_access,
)

__all__ = ["AccessChange", "Gain", "access_changes", "drift_access"]
