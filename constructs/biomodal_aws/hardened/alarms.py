"""Who hears when the VM fails or money runs out."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.budgets_budget import BudgetsBudget, BudgetsBudgetCostFilter
from cdktf_cdktf_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm
from constructs import Construct

from biomodal_aws.part import Part


class Alarms(Part):
    """An alarm on a failing or stopped VM and a monthly budget, each where it is asked for.

    Args:
        name: Start of the alarm's and the budget's names.
        instance_id: The VM.
        topic_arn: A Terraform expression (without `${}`) for the SNS topic; empty for no alarm.
        budget_usd: The same for the month's US dollars; 0 for no budget.
        email: The same for who hears of the budget; empty for nobody.
        tag: The same for key and value of the tag whose cost the budget counts. The account's
            owner has to activate it as a cost allocation tag once.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        instance_id: str,
        topic_arn: str,
        budget_usd: str,
        email: str,
        tag: tuple[str, str],
    ) -> None:
        super().__init__(scope, id_)
        alarm = self.named(
            CloudwatchMetricAlarm(
                self,
                "alarm",
                alarm_name=f"{name}-status",
                alarm_description="The orchestrator VM fails EC2's status checks or is stopped",
                namespace="AWS/EC2",
                metric_name="StatusCheckFailed",
                dimensions={"InstanceId": instance_id},
                statistic="Maximum",
                comparison_operator="GreaterThanOrEqualToThreshold",
                threshold=1,
                period=60,
                evaluation_periods=3,
                # A stopped VM sends no data at all, and the default state for that notifies nobody.
                treat_missing_data="breaching",
                alarm_actions=[f"${{{topic_arn}}}"],
                ok_actions=[f"${{{topic_arn}}}"],
            )
        )
        self.made_if(f'{topic_arn} != ""', alarm)
        budget = self.named(
            BudgetsBudget(
                self,
                "budget",
                name=f"{name}-monthly",
                budget_type="COST",
                time_unit="MONTHLY",
                limit_unit="USD",
                # AWS answers with one decimal, and a plan compares texts.
                limit_amount=f'${{format("%.1f", {budget_usd})}}',
                cost_filter=[
                    BudgetsBudgetCostFilter(
                        name="TagKeyValue",
                        values=[f'${{format("user:%s$%s", {tag[0]}, {tag[1]})}}'],
                    )
                ],
            )
        )
        self.made_if(f"{budget_usd} > 0", budget)
        budget.add_override("dynamic.notification", _notifications(email))


def _notifications(email: str) -> dict[str, object]:
    """Return the notifications as a dynamic block: AWS takes none that nobody hears."""
    kinds = "{ ACTUAL = 80, FORECASTED = 100 }"
    return {
        "for_each": f'${{{email} == "" ? {{}} : {kinds}}}',
        "content": {
            "notification_type": "${notification.key}",
            "threshold": "${notification.value}",
            "threshold_type": "PERCENTAGE",
            "comparison_operator": "GREATER_THAN",
            "subscriber_email_addresses": [f"${{{email}}}"],
        },
    }
