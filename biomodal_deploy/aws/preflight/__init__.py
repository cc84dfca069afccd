"""The account preflight: what an apply will meet, asked beforehand and read-only."""

from biomodal_deploy.aws.preflight.runner import run_preflight
from biomodal_deploy.aws.preflight.target import target_from
from biomodal_deploy.aws.resources import owned_by

__all__ = ["owned_by", "run_preflight", "target_from"]
