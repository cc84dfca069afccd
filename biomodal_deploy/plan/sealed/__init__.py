"""Sealed plans: what was approved is bound by digests to what may run, once."""

from biomodal_deploy.plan.sealed.facts import Facts, RuntimeFacts, StateId, authors_of, signing_key
from biomodal_deploy.plan.sealed.files import sha256
from biomodal_deploy.plan.sealed.gathering import backend_of, described_backend, gather
from biomodal_deploy.plan.sealed.manifest import Manifest
from biomodal_deploy.plan.sealed.sealed_plan import SealedPlan, sealed_plans
from biomodal_deploy.plan.sealed.sealing import Draft, drafting, prune
from biomodal_deploy.plan.sealed.use import Use, UseState, consume, record_outcome
from biomodal_deploy.plan.sealed.verifying import Difference, raise_on, verify

__all__ = [
    "Difference",
    "Draft",
    "Facts",
    "Manifest",
    "RuntimeFacts",
    "SealedPlan",
    "StateId",
    "Use",
    "UseState",
    "authors_of",
    "backend_of",
    "consume",
    "described_backend",
    "drafting",
    "gather",
    "prune",
    "raise_on",
    "record_outcome",
    "sealed_plans",
    "sha256",
    "signing_key",
    "verify",
]
