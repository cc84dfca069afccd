"""What is asked of IAM for calls of IAM itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from biomodal_deploy.iam import Place
from biomodal_deploy.sandbox.patches import services
from tests.support.authority.account import Account
from tests.support.authority.call import ApiCall
from tests.support.authority.requests import requests_of
from tests.support.moto import ACCOUNT, REGION, Use

PATH = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/spot.amazonaws.com"


@pytest.mark.parametrize(
    ("operation", "parameters", "arn"),
    [
        (
            "CreateServiceLinkedRole",
            {"AWSServiceName": "spot.amazonaws.com"},
            f"{PATH}/AWSServiceRoleForEC2Spot",
        ),
        (
            "CreateServiceLinkedRole",
            {"AWSServiceName": "spot.amazonaws.com", "CustomSuffix": "lab"},
            f"{PATH}/AWSServiceRoleForEC2Spot_lab",
        ),
        (
            "GetServiceLinkedRoleDeletionStatus",
            {"DeletionTaskId": "task/aws-service-role/spot.amazonaws.com/AWSServiceRoleForX/1-2"},
            f"{PATH}/AWSServiceRoleForX",
        ),
    ],
)
def test_service_linked_roles(
    aws: Callable[[str], Any], use: Use, operation: str, parameters: dict[str, str], arn: str
) -> None:
    """They are judged by the path of their service, before they are there and after."""
    use(services.service_linked_role_names)
    call = ApiCall(
        key_id="KEY",
        region=REGION,
        service="iam",
        operation=operation,
        parameters=parameters,
        invocation="",
    )
    account = Account(Place.of(REGION, ACCOUNT))
    [asked] = requests_of(call, account)
    assert (asked.action, asked.resource) == (f"iam:{operation}", arn)
    service = parameters.get("AWSServiceName")
    assert asked.context.get("iam:AWSServiceName") == ((service,) if service else None)
