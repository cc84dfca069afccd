"""The values inside a sealed plan: kept beside the plan file, as secret as it, until the apply."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from biomodal_deploy.config.credentials import holds_private_key
from biomodal_deploy.config.tfvars import Value, read_declared
from biomodal_deploy.config.tfvars.values import texts
from biomodal_deploy.errors import SealedPlanRefused
from biomodal_deploy.plan import Redactor
from biomodal_deploy.plan.sealed import SealedPlan, sha256
from biomodal_deploy.plan.sealed.files import read_private
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.variables import VALUES_FILE, redactor_for

_MOST_BYTES: Final = 50_000_000


@dataclass(frozen=True)
class SealedValues:
    """What a plan was made with.

    Attributes:
        values: The values by variable.
        redactor: Knows those of sensitive variables.
    """

    values: Mapping[str, Value]
    redactor: Redactor


def read_values(stack: Stack, sealed_plan: SealedPlan) -> SealedValues:
    """Read a sealed plan's values.

    Raises:
        SealedPlanRefused: They were changed after they were sealed.
    """
    content = read_private(sealed_plan.path / VALUES_FILE, _MOST_BYTES)
    if sha256(content) != sealed_plan.manifest.variables_sha256:
        raise SealedPlanRefused(
            "edited_values",
            f"The plan {sealed_plan.id} is refused: {VALUES_FILE} was changed after it was sealed. "
            f"Next: biomodal-aws plan --stack {stack.name}",
        )
    # We wrote it, and the digest says that nobody else did. No float: every digit is kept.
    values: dict[str, Value] = json.loads(content, parse_float=Decimal)
    declared = read_declared(stack.directory)
    sensitive = {name for name, variable in declared.items() if variable.sensitive}
    secrets = (
        text
        for name, value in values.items()
        for text in texts(value)
        if name in sensitive or holds_private_key(text)
    )
    return SealedValues(values, redactor_for(secrets))
