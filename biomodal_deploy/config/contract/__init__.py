"""The documented interface: what a synthesized directory takes in and gives out.

The app writes it into Terraform JSON and the workflow checks a person's values against it before
anything runs, so each rule stands here once, in both forms. Standard library only: the app pays
for this import at every synthesis.
"""

from biomodal_deploy.config.contract.validation import Rule, Variable, broken_rule
from biomodal_deploy.config.contract.variables import OUTPUTS, all_variables, variables_of

__all__ = ["OUTPUTS", "Rule", "Variable", "all_variables", "broken_rule", "variables_of"]
