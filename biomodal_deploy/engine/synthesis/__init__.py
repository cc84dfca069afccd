"""Synthesis from the workflow's side: run the app command of `cdktf.json`, read what it wrote."""

from biomodal_deploy.engine.synthesis.run import Synthesis, SynthesizedDirectory, synthesize

__all__ = ["Synthesis", "SynthesizedDirectory", "synthesize"]
