"""The patches that the hardened profile needs: the same calls go wrong without them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from biomodal_deploy.operations.install_log import InstallState, read_install
from biomodal_deploy.sandbox.patches import budgets, console, protection
from biomodal_deploy.sandbox.patches.change import Change
from tests.support.project import ROOT

REGION: Final = "us-east-1"
ACCOUNT: Final = "123456789012"
NOTIFICATION: Final[dict[str, Any]] = {
    "NotificationType": "ACTUAL",
    "ComparisonOperator": "GREATER_THAN",
    "Threshold": 80,
    "ThresholdType": "PERCENTAGE",
}
SUBSCRIBERS: Final = [{"SubscriptionType": "EMAIL", "Address": "lab@example.org"}]
TAGS: Final = [{"Key": "environment", "Value": "development"}]
Use = Callable[[Callable[[], list[Change]]], None]


def launch(ec2: Any, **more: Any) -> bool:
    """Launch an instance and return whether it is protected."""
    answer = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, **more)
    attribute = ec2.describe_instance_attribute(
        InstanceId=answer["Instances"][0]["InstanceId"], Attribute="disableApiTermination"
    )
    return bool(attribute["DisableApiTermination"]["Value"])


def test_a_launch_is_protected(aws: Callable[[str], Any], use: Use) -> None:
    """Where it asks for that; without the patch it is not."""
    assert launch(aws("ec2"), DisableApiTermination=True) is False
    use(protection.launches_can_be_protected)
    assert launch(aws("ec2"), DisableApiTermination=True) is True
    assert launch(aws("ec2"), DisableApiTermination=False) is False
    assert launch(aws("ec2")) is False


def make_budget(client: Any, name: str = "monthly") -> None:
    """Make a budget with one notification."""
    client.create_budget(
        AccountId=ACCOUNT,
        Budget={
            "BudgetName": name,
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": "100", "Unit": "USD"},
        },
        NotificationsWithSubscribers=[{"Notification": NOTIFICATION, "Subscribers": SUBSCRIBERS}],
        ResourceTags=TAGS,
    )


def test_a_budget_s_subscribers_can_be_read(aws: Callable[[str], Any], use: Use) -> None:
    """Those of the notification that is asked about."""
    client = aws("budgets")
    make_budget(client)

    def read(notification: dict[str, Any]) -> Any:
        return client.describe_subscribers_for_notification(
            AccountId=ACCOUNT, BudgetName="monthly", Notification=notification
        )["Subscribers"]

    with pytest.raises(NotImplementedError):
        read(NOTIFICATION)
    use(budgets.subscribers_can_be_read)
    assert read(NOTIFICATION) == SUBSCRIBERS
    assert read({**NOTIFICATION, "NotificationType": "FORECASTED"}) == []


def test_a_budget_s_tags_can_be_read(aws: Callable[[str], Any], use: Use) -> None:
    """Those that it was made with."""
    client = aws("budgets")
    arn = f"arn:aws:budgets::{ACCOUNT}:budget/monthly"
    with pytest.raises(NotImplementedError):
        client.list_tags_for_resource(ResourceARN=arn)
    use(budgets.tags_can_be_read)
    make_budget(client)
    assert client.list_tags_for_resource(ResourceARN=arn)["ResourceTags"] == TAGS


def test_the_console_shows_the_first_boot(aws: Callable[[str], Any], use: Use) -> None:
    """The install script's own words, to its end; without the patch nobody ever sees it end."""
    script = (ROOT / "scripts" / "install_script.sh").read_text()

    def install(user_data: str) -> InstallState:
        ec2 = aws("ec2")
        launched = ec2.run_instances(
            ImageId="ami-12345678", MinCount=1, MaxCount=1, UserData=user_data
        )
        instance = launched["Instances"][0]["InstanceId"]
        return read_install(ec2.get_console_output(InstanceId=instance)["Output"]).state

    assert install(script) is InstallState.UNSEEN
    use(console.console_shows_the_first_boot)
    assert install(script) is InstallState.DONE
    assert install("#!/bin/sh\necho another script\n") is InstallState.UNSEEN
