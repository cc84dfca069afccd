"""Synthesis from the workflow's side: run the app command of `cdktf.json`, read what it wrote."""

from biomodal_deploy.engine.synthesis.cache import clear_cache
from biomodal_deploy.engine.synthesis.result import Synthesis, SynthesizedDirectory
from biomodal_deploy.engine.synthesis.run import synthesize

__all__ = ["Synthesis", "SynthesizedDirectory", "clear_cache", "synthesize"]
