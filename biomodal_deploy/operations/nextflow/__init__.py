"""What Nextflow has to know of a deployment: `nextflow.config`, and an environment file."""

from __future__ import annotations

from biomodal_deploy.operations.nextflow.config import config_text
from biomodal_deploy.operations.nextflow.environment import environment_text
from biomodal_deploy.operations.nextflow.facts import NextflowFacts, nextflow_facts

__all__ = ["NextflowFacts", "config_text", "environment_text", "nextflow_facts"]
