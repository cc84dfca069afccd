"""What a plan's environment costs: idle, at its most, and for the data that it keeps."""

from biomodal_deploy.review.cost.estimate import Estimate, Line, estimate
from biomodal_deploy.review.cost.prices import PRICES_FILE, STALE_DAYS, Prices
from biomodal_deploy.review.cost.storage import Stored

__all__ = ["PRICES_FILE", "STALE_DAYS", "Estimate", "Line", "Prices", "Stored", "estimate"]
