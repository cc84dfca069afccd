"""Terraform expressions (without `${}`) for the choice between a new bucket and an existing one.

Expressions, not Python: the choice is a variable, made in terraform.tfvars after synthesis.
"""

from __future__ import annotations

from typing import Final

MAKES_BUCKET: Final = 'var.use_existing_bucket_url == ""'


def existing_bucket_name() -> str:
    """Return the expression for the name in `use_existing_bucket_url`, empty where it is."""
    return 'trimsuffix(trimprefix(var.use_existing_bucket_url, "s3://"), "/")'


def bucket_name() -> str:
    """Return the expression for the bucket's name, new (named after the VM) or existing."""
    return f"{MAKES_BUCKET} ? var.vm_name : {existing_bucket_name()}"
