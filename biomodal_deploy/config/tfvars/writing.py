"""Write values for Terraform: one file, for the user's eyes only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from biomodal_deploy.config.tfvars.values import Value, to_json
from biomodal_deploy.files import private_dir, replace

FILE_NAME: Final = "variables.tfvars.json"


def write_private(values: Mapping[str, Value], directory: Path) -> Path:
    """Write values to a file of mode 0600 and return its path.

    The same values give the same bytes. It is named so that Terraform does not read it unasked.

    Args:
        directory: Where it goes; made with mode 0700 where it is missing.

    Raises:
        UsageError: The system refused to write.
    """
    # Imported here: reading variables must not wait for it.

    path = private_dir(directory) / FILE_NAME
    replace(path, to_json(values).encode())
    return path
