"""The machine's provider mirror with the AWS provider's program behind a small script.

Terraform reads and hashes a provider's whole package each time it starts one: 700 MB for AWS's, a
fifth of what such a command takes. The script's package is one line, and what runs is the real one.
"""

from __future__ import annotations

import atexit
import os
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import Final

from biomodal_deploy.engine.toolchain import find_provider_source
from biomodal_deploy.engine.toolchain.mirror_search import HOST, platform_name
from biomodal_deploy.engine.toolchain.provider_mirror import AWS, SETTING

# Terraform and its provider talk over a socket of their own folder: encryption takes a tenth.
PLAIN: Final = "TF_DISABLE_PLUGIN_TLS"


def kept_settings() -> dict[str, str]:
    """Return what makes this process's Terraform quicker, for environments without its settings."""
    return {name: os.environ[name] for name in (SETTING, PLAIN) if name in os.environ}


def set_mirror() -> None:
    """Have this process and its children use such a mirror until this process ends.

    The mirror stays where the machine has no unpacked one, or a setting names one.
    """
    os.environ[PLAIN] = "1"
    if SETTING in os.environ:
        return
    source = find_provider_source(wanted={AWS: "~> 5.100"})
    # Other providers would have to come along.
    if source.kind != "mirror" or source.include != (AWS,) or source.location is None:
        return
    packages = [
        program
        for version in source.versions
        for program in (Path(source.location) / HOST / AWS / version / platform_name()).glob(
            "terraform-provider-aws_*"
        )
    ]
    if not packages:
        return
    folder = Path(tempfile.mkdtemp(prefix="mirror-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for program in packages:
        script = folder / program.relative_to(source.location)
        script.parent.mkdir(parents=True)
        script.write_text(f'#!/bin/sh\nexec {shlex.quote(str(program))} "$@"\n')
        script.chmod(0o755)
    os.environ[SETTING] = str(folder)
