"""Terraform expressions (without `${}`) for the choice between a new bucket and an existing one.

Expressions, not Python: the choice is a variable, made in terraform.tfvars after synthesis.
"""

from __future__ import annotations

import json
from typing import Final

MAKES_BUCKET: Final = 'var.use_existing_bucket_url == ""'


def existing_bucket_name() -> str:
    """Return the expression for the name in `use_existing_bucket_url`, empty where it is."""
    return 'trimsuffix(trimprefix(var.use_existing_bucket_url, "s3://"), "/")'


def bucket_name(adopted: str | None = None) -> str:
    """Return the expression for the bucket's name, new (named after the VM) or existing.

    Args:
        adopted: The name of a managed bucket that an adoption brought, or None.
    """
    own = "var.vm_name" if adopted is None else json.dumps(adopted)
    return f"{MAKES_BUCKET} ? {own} : {existing_bucket_name()}"
