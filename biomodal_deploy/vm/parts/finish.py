"""What to answer where the apply did not come so far."""

from __future__ import annotations

from typing import Final

from biomodal_deploy.aws.answers import failed
from biomodal_deploy.aws.preflight import Answer

PLAN: Final = "run biomodal-aws plan: it makes what is missing"


def not_built(what: str) -> Answer:
    """Return the answer for a thing that the state does not hold."""
    return failed(f"the state holds no {what}: an apply did not come to its end", PLAN)


def gone(what: str) -> Answer:
    """Return the answer for a thing that the state holds and AWS does not have."""
    return failed(f"{what} is gone, though the state holds it", PLAN)
