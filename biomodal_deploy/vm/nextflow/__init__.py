"""What Nextflow has to know of a stack: `nextflow.config`, and an environment file."""

from __future__ import annotations

from biomodal_deploy.vm.nextflow.facts import nextflow_facts
from biomodal_deploy.vm.nextflow.files import config_text, environment_text

__all__ = ["config_text", "environment_text", "nextflow_facts"]
