"""The security group of the Batch hosts."""

from __future__ import annotations

from collections.abc import Mapping

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule
from constructs import Construct

from biomodal_aws.all_outbound import allow_all_outbound
from biomodal_aws.part import Part


class BatchSecurityGroup(Part):
    """All traffic in from the given sources and all traffic out.

    Args:
        name_prefix: Start of the group's name; AWS adds the rest.
        vpc_id: The VPC of the hosts.
        description: The group's description where one that exists is adopted: AWS can change none.
        ingress_cidr_blocks: IPv4 ranges that reach the hosts on every port, by a short word for
            each that becomes part of the rule's address.

    Attributes:
        id: The group's id.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name_prefix: str,
        vpc_id: str,
        description: str | None = None,
        ingress_cidr_blocks: Mapping[str, str],
    ) -> None:
        super().__init__(scope, id_)
        group = self.named(
            SecurityGroup(
                self,
                "group",
                name_prefix=name_prefix,
                description=description or "AWS Batch hosts",
                vpc_id=vpc_id,
                # A group in use cannot be deleted: a replacement has to exist first.
                lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
            )
        )
        self.id = group.id
        for word, block in ingress_cidr_blocks.items():
            self.named(
                VpcSecurityGroupIngressRule(
                    self,
                    f"from-{word}",
                    security_group_id=group.id,
                    description=f"All traffic from the {word}",
                    ip_protocol="-1",
                    cidr_ipv4=block,
                ),
                f"from_{word}",
            )
        allow_all_outbound(self, group.id)
