"""The CDKTF app, which `cdktf synth` runs: the stacks of cdktf.json, from `stacks/`."""

import sys
from pathlib import Path

from biomodal_deploy.app import synthesize_project

if __name__ == "__main__":
    sys.exit(synthesize_project(Path(__file__).parent))
