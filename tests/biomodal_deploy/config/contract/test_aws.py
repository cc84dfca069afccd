"""AWS's patterns: one rule, wherever a region or a bucket is named."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from pydantic import ValidationError

from biomodal_deploy.config.backends import S3Backend
from biomodal_deploy.config.contract import broken_rule, variables_of
from biomodal_deploy.config.stack import StackSettings


@pytest.mark.parametrize(
    ("region", "known"),
    [
        ("eu-west-2", True),
        ("us-gov-west-1", True),
        ("ap-southeast-12", True),
        ("eusc-de-east-1", True),
        ("London", False),
        ("eu-west", False),
        ("eu-west-200", False),
    ],
)
def test_a_region_reads_alike_everywhere(region: str, known: bool) -> None:
    """Variable, stack and backend take the same regions, the sovereign cloud's too."""
    variable = next(each for each in variables_of("native") if each.name == "region")
    assert (broken_rule(variable.rules, region) is None) is known
    for model, values in (
        (StackSettings, {"region": region}),
        (S3Backend, {"kind": "s3", "bucket": "lab-state", "key": "lab", "region": region}),
    ):
        with nullcontext() if known else pytest.raises(ValidationError):
            model.model_validate(values)
