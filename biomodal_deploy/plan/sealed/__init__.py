"""Sealed plans: what was approved is bound by digests to what may run, once."""

from biomodal_deploy.plan.sealed.digests import sha256
from biomodal_deploy.plan.sealed.facts import Actor, Facts, FileDigest, Module, StateId, whoami
from biomodal_deploy.plan.sealed.gathering import backend_of, described_backend, gather, modules_of
from biomodal_deploy.plan.sealed.git import Revision, authors_of, revision_of, signing_key
from biomodal_deploy.plan.sealed.manifest import Manifest
from biomodal_deploy.plan.sealed.sealed import SealedPlan, sealed_plans
from biomodal_deploy.plan.sealed.sealing import Draft, clear_leftovers, drafting, prune
from biomodal_deploy.plan.sealed.use import Use, UseState, consume, record_outcome
from biomodal_deploy.plan.sealed.verifying import Difference, raise_on, verify

__all__ = [
    "Actor",
    "Difference",
    "Draft",
    "Facts",
    "FileDigest",
    "Manifest",
    "Module",
    "Revision",
    "SealedPlan",
    "StateId",
    "Use",
    "UseState",
    "authors_of",
    "backend_of",
    "clear_leftovers",
    "consume",
    "described_backend",
    "drafting",
    "gather",
    "modules_of",
    "prune",
    "raise_on",
    "record_outcome",
    "revision_of",
    "sealed_plans",
    "sha256",
    "signing_key",
    "verify",
    "whoami",
]
