"""Variables: one rule for where values come from, and one private file that takes them on.

In this order, later ones winning: the settings that stand for a variable, `TF_VAR_name` where the
caller passes its environment, `terraform.tfvars`, `terraform.tfvars.json`, then `*.auto.tfvars` and
`*.auto.tfvars.json` by name, all of the project directory; each file and each value as given.
"""

from biomodal_deploy.config.tfvars.declared import DeclaredVariable, read_declared
from biomodal_deploy.config.tfvars.resolve import Check, ResolvedVariables, resolve
from biomodal_deploy.config.tfvars.values import Value, write_private

__all__ = [
    "Check",
    "DeclaredVariable",
    "ResolvedVariables",
    "Value",
    "read_declared",
    "resolve",
    "write_private",
]
