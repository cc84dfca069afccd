"""Tests for biomodal_deploy.workflow.importing: the id of what exists, from what was planned."""

from __future__ import annotations

import pytest

from biomodal_deploy.workflow.importing import known_id
from tests.support.plans import plan, resource


@pytest.mark.parametrize(
    ("kind", "after", "expected"),
    [
        ("aws_batch_compute_environment", {"compute_environment_name": "lab"}, "lab"),
        ("aws_batch_compute_environment", {"name": "lab"}, "lab"),  # AWS provider 6
        ("aws_iam_role_policy", {"role": "lab", "name": "vm"}, "lab:vm"),
        ("aws_batch_job_queue", {"name": "lab"}, None),  # its ARN needs account and region
        ("aws_instance", {"name": "lab"}, None),
    ],
)
def test_an_id_comes_from_the_name(kind: str, after: dict[str, str], expected: str | None) -> None:
    """As the provider takes it; None where AWS alone knows it."""
    (change,) = plan(resource(f"{kind}.x", "create", None, after)).changes
    assert known_id(change) == expected
