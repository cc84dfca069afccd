"""Roles that an account needs once, before any stack of AWS Batch."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.data_aws_partition import DataAwsPartition
from constructs import Construct

from biomodal_aws.iam.account_roles import EcsInstanceRole, ServiceLinkedRole
from biomodal_deploy.config.contract import variables_of
from stacks.base import BaseStack


class PrerequisitesStack(BaseStack):
    """What the document's section "Pre-existing AWS Service Roles" asks for, each where asked.

    A stack of its own: these roles serve everything in the account that uses AWS Batch, and must
    not go when one stack is destroyed.

    Args:
        scope: The app.
        id_: The stack's name.
    """

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_, variables=variables_of("prerequisites"))
        self.aws_provider(">= 5.0, < 7.0")
        partition = DataAwsPartition(self, "partition")
        partition.override_logical_id("current")
        ServiceLinkedRole(
            self, "batch", service="batch.amazonaws.com", create="var.batch_service_role"
        )
        ServiceLinkedRole(
            self, "spot", service="spot.amazonaws.com", create="var.spot_service_role"
        )
        EcsInstanceRole(
            self,
            "ecs_instance",
            partition=partition.partition,
            create="var.ecs_instance_role",
        )
