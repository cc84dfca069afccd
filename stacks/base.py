"""What every stack has: variables, outputs and version constraints."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from cdktf import (
    TerraformOutput,
    TerraformStack,
    TerraformVariable,
    TerraformVariableValidationConfig,
)
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderDefaultTags
from constructs import Construct

from biomodal_aws._bindings.framework import provider_versions
from biomodal_deploy.config.contract import OUTPUTS, Variable
from biomodal_deploy.config.contract.aws import OWN_TAG

REQUIRED_VERSION: Final = ">= 1.0"


class BaseStack(TerraformStack):
    """A stack, named as in cdktf.json.

    Args:
        scope: The app.
        id_: The stack's name.
        variables: Its Terraform variables.

    Attributes:
        contract: Its variables as data.
        required_version: The constraint on Terraform's version.
        variables: The Terraform variables by name.
    """

    def __init__(self, scope: Construct, id_: str, *, variables: tuple[Variable, ...]) -> None:
        super().__init__(scope, id_)
        self.require_terraform(REQUIRED_VERSION)
        # Scopes of their own: a variable and an output may have one name, two constructs may not.
        declared = Construct(self, "variables")
        self.contract = variables
        self.variables = {each.name: _declare(declared, each) for each in variables}

    def require_terraform(self, constraint: str) -> None:
        """State Terraform's versions, in place of what was stated before."""
        # Synthesis writes it into a file of its own: checkov reads no JSON that has it.
        self.required_version = constraint

    def require_aws_provider(self, constraint: str) -> None:
        """State the AWS provider's versions, in place of the exact one that the bindings emit."""
        self.add_override("terraform.required_providers.aws.source", "hashicorp/aws")
        self.add_override("terraform.required_providers.aws.version", constraint)

    def aws_provider(self, constraint: str | None = None) -> None:
        """Configure the AWS provider: region, and default tags from variables.

        Args:
            constraint: The provider's versions; those that the bindings are made from where None.
        """
        AwsProvider(
            self,
            "aws",
            region=self.text("region"),
            default_tags=[AwsProviderDefaultTags(tags=self.tags() | self.own_tag())],
        )
        self.require_aws_provider(constraint or provider_versions())

    def tags(self) -> dict[str, str]:
        """Return the tag that is chosen for everything, from variables."""
        return {self.text("tag_key"): self.text("tag_value")}

    def own_tag(self) -> dict[str, str]:
        """Return the tag that nothing of another stack has, where this one is for a VM.

        Policies know by it what is this stack's own: its neighbours may share `tag_key` and
        `tag_value`.
        """
        return {OWN_TAG: self.text("vm_name")} if "vm_name" in self.variables else {}

    def add_outputs(self, values: Mapping[str, str]) -> None:
        """Declare the documented outputs.

        Args:
            values: An expression for each of them.
        """
        scope = Construct(self, "outputs")
        for name, description in OUTPUTS.items():
            output = TerraformOutput(scope, name, value=values[name], description=description)
            output.override_logical_id(name)

    def refuse(self, values: Mapping[str, str], var_files: Sequence[str]) -> None:
        """Let Terraform refuse values of variables that are another stack's.

        Args:
            values: The value by variable.
            var_files: The files that hold this stack's own.
        """
        options = " ".join(f"--var-file={each}" for each in var_files)
        for name in sorted(values.keys() & self.variables.keys()):
            self.variables[name].add_validation(
                condition=f"${{var.{name} != {json.dumps(values[name])}}}",
                error_message="This is another stack's value, from the project's own files. "
                f"Give {self.node.id} its own: {options}.",
            )

    def text(self, name: str) -> str:
        """Return the reference to a string variable."""
        return self.variables[name].string_value

    def number(self, name: str) -> float:
        """Return the reference to a number variable, for arguments that want a number."""
        return float(self.variables[name].number_value)


def _declare(scope: Construct, variable: Variable) -> TerraformVariable:
    declared = TerraformVariable(
        scope,
        variable.name,
        type=variable.type,
        description=variable.description,
        default=list(variable.default) if isinstance(variable.default, tuple) else variable.default,
        validation=[
            TerraformVariableValidationConfig(
                condition=rule.expression(variable.name), error_message=rule.message
            )
            for rule in variable.rules
        ]
        or None,
    )
    declared.override_logical_id(variable.name)
    return declared
