"""What Nextflow has to know of a deployment: `nextflow.config`, and an environment file."""

from __future__ import annotations

from biomodal_deploy.vm.nextflow.config import config_text
from biomodal_deploy.vm.nextflow.environment import environment_text
from biomodal_deploy.vm.nextflow.facts import NextflowFacts, nextflow_facts

__all__ = ["NextflowFacts", "config_text", "environment_text", "nextflow_facts"]
