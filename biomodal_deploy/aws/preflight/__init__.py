"""The account preflight: what an apply will meet, asked beforehand and read-only."""

from biomodal_deploy.aws.owned import owned_by
from biomodal_deploy.aws.preflight.needs import Need, Needed, NeededActions
from biomodal_deploy.aws.preflight.runner import run_preflight
from biomodal_deploy.aws.preflight.target import Bootstrap, Target, target_from

__all__ = [
    "Bootstrap",
    "Need",
    "Needed",
    "NeededActions",
    "Target",
    "owned_by",
    "run_preflight",
    "target_from",
]
