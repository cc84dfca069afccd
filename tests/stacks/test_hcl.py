"""Repairs of cdktf's HCL, fault by fault; tests/engine proves them on Terraform."""

from __future__ import annotations

from typing import Final

from stacks.hcl import repaired

# As cdktf 0.21 writes them.
CDKTF: Final = """\
terraform {
required_providers {
  aws = {
version = "~> 5.100"
source  = "hashicorp/aws"
}
}
}


variable "name" {
description = "Empty by default"
type = string
}

variable "region" {
type = string
}

variable "force" {
type = bool
}

resource "aws_instance" "vm" {
  tags = {
    "a" = "b"
}
lifecycle {
ignore_changes = [
"ami",
"user_data_base64"
]
}
depends_on = [
"aws_iam_role_policy.vm"
]
subnets = [
"subnet-1"
]
}
"""


def test_each_fault_is_repaired() -> None:
    """Falsy defaults are put back, references not quoted, blocks indented; twice is as once."""
    text = repaired(CDKTF, defaults={"name": "", "region": None, "force": False})
    assert 'variable "name" {\n  default = ""\n' in text
    assert 'variable "force" {\n  default = false\n' in text
    assert 'variable "region" {\n  type = string\n}' in text
    # In `depends_on` and `ignore_changes`, and nowhere else.
    assert "    ignore_changes = [\n      ami,\n      user_data_base64\n    ]\n" in text
    assert "  depends_on = [\n    aws_iam_role_policy.vm\n  ]\n" in text
    assert '  subnets = [\n    "subnet-1"\n  ]\n' in text
    # Two spaces a level, one empty line between blocks, one line end at the end.
    assert "terraform {\n  required_providers {\n    aws = {\n      version" in text
    assert "\n\n\n" not in text
    assert '}\n\nvariable "name" {' in text
    assert text.endswith("}\n")
    # What is right stays as it is, a later cdktf's output among it.
    assert repaired(text, defaults={}) == text
