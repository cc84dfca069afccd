"""The security group of the orchestrator VM: SSH in, everything out."""

from __future__ import annotations

from collections.abc import Mapping

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule
from constructs import Construct

from biomodal_aws.all_outbound import allow_all_outbound
from biomodal_aws.part import Part


class SshSecurityGroup(Part):
    """Port 22 from the given ranges, full outbound access (document section "Security Groups").

    Rules are resources of their own, never inline blocks: the provider lets the two fight.

    Args:
        name: Name of the group; EC2 refuses names that start with `sg-`.
        vpc_id: The VPC of the VM.
        description: The group's description where one that exists is adopted: AWS can change none.
        ssh_cidr_blocks: IPv4 ranges that reach port 22, by a short word for each that becomes part
            of the rule's address. The document opens it to everyone, "can be restricted".
        ssh_cidr_list: A Terraform expression (without `${}`) for more ranges, IPv4 or IPv6, that a
            person lists after synthesis. None for no more.

    Attributes:
        id: The group's id.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        vpc_id: str,
        description: str | None = None,
        ssh_cidr_blocks: Mapping[str, str],
        ssh_cidr_list: str | None = None,
    ) -> None:
        super().__init__(scope, id_)
        group = self.named(
            SecurityGroup(
                self,
                "group",
                name=name,
                description=description or "SSH access to the orchestrator VM",
                vpc_id=vpc_id,
                tags={"Name": name},
                # EC2 deletes no group that a VM has: where the VM stays, the new one has to exist
                # first. Another name or VPC alone forces one, so the two never share a name.
                lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
            )
        )
        self.id = group.id
        for word, block in ssh_cidr_blocks.items():
            self.named(
                VpcSecurityGroupIngressRule(
                    self,
                    f"from-{word}",
                    security_group_id=group.id,
                    description=f"SSH from {word}",
                    ip_protocol="tcp",
                    from_port=22,
                    to_port=22,
                    cidr_ipv4=block,
                ),
                f"from_{word}",
            )
        if ssh_cidr_list:
            self._listed(group.id, ssh_cidr_list)
        allow_all_outbound(self, group.id)

    def _listed(self, group_id: str, ranges: str) -> None:
        rule = self.named(
            VpcSecurityGroupIngressRule(
                self,
                "from-listed",
                security_group_id=group_id,
                description="SSH from ${each.value}",
                ip_protocol="tcp",
                from_port=22,
                to_port=22,
                cidr_ipv4='${length(split(":", each.value)) > 1 ? null : each.value}',
                cidr_ipv6='${length(split(":", each.value)) > 1 ? each.value : null}',
            ),
            "from",
        )
        # Keyed by the range itself: a range added or removed moves no other rule.
        rule.add_override("for_each", f"${{toset({ranges})}}")
