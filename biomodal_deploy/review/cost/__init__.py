"""What a plan's environment costs: idle, at its most, and for the data that it keeps."""

from biomodal_deploy.review.cost.estimate import (
    Estimate,
    Line,
    Sums,
    Work,
    estimate,
    idle_lines,
    vcpu_ceiling,
)
from biomodal_deploy.review.cost.prices import PRICES_FILE, STALE_DAYS, Price, Prices
from biomodal_deploy.review.cost.storage import Stored

__all__ = [
    "PRICES_FILE",
    "STALE_DAYS",
    "Estimate",
    "Line",
    "Price",
    "Prices",
    "Stored",
    "Sums",
    "Work",
    "estimate",
    "idle_lines",
    "vcpu_ceiling",
]
