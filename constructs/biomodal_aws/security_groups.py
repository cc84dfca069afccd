"""The security groups: SSH to the orchestrator VM, everything to Batch hosts, everything out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.vpc_security_group_egress_rule import VpcSecurityGroupEgressRule
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule
from constructs import Construct

from biomodal_aws.part import Part, check_mapping


class _SecurityGroup(Part):
    """A group whose rules are resources of their own: inline blocks and they fight."""

    traffic: ClassVar[Mapping[str, Any]]
    described: ClassVar[str]

    def _make(self, blocks: Mapping[str, str], **arguments: Any) -> None:
        # EC2 deletes no group that a VM or a host has: where that stays, the new one has to exist
        # first. Of the VM's, another name or VPC alone forces one: the two never share a name.
        lifecycle = TerraformResourceLifecycle(create_before_destroy=True)
        group = self.named(SecurityGroup(self, "group", lifecycle=lifecycle, **arguments))
        self.id = group.id
        for word, block in blocks.items():
            # A colon outside an expression is IPv6's.
            source = "cidr_ipv6" if ":" in block and "${" not in block else "cidr_ipv4"
            self._let_in(f"from-{word}", f"from_{word}", word, **{source: block})

    def _let_in(
        self, id_: str, suffix: str, whom: str, **source: Any
    ) -> VpcSecurityGroupIngressRule:
        rule = VpcSecurityGroupIngressRule(
            self,
            id_,
            security_group_id=self.id,
            description=self.described.format(whom),
            **self.traffic,
            **source,
        )
        return self.named(rule, suffix)

    def _let_all_out(self) -> None:
        self.named(
            VpcSecurityGroupEgressRule(
                self,
                "egress",
                security_group_id=self.id,
                description="All outbound traffic",
                ip_protocol="-1",
                cidr_ipv4="0.0.0.0/0",
            )
        )


class SshSecurityGroup(_SecurityGroup):
    """Port 22 from the given ranges, full outbound access (document section "Security Groups").

    Args:
        name: Name of the group; EC2 refuses names that start with `sg-`.
        vpc_id: The VPC of the VM.
        description: The group's description where one that exists is adopted: AWS can change none.
        ssh_cidr_blocks: IPv4 or IPv6 ranges that reach port 22, by a short word for each that
            becomes part of the rule's address. The document opens it to everyone, "can be
            restricted".
        ssh_cidr_list: A Terraform expression (without `${}`) for more ranges, IPv4 or IPv6, that a
            person lists after synthesis. None for no more.
    """

    traffic = {"ip_protocol": "tcp", "from_port": 22, "to_port": 22}  # noqa: RUF012 - never written
    described = "SSH from {}"

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
        check_mapping(id_, "ssh_cidr_blocks", ssh_cidr_blocks)
        super().__init__(scope, id_)
        description = description or "SSH access to the orchestrator VM"
        tags = {"Name": name}
        self._make(ssh_cidr_blocks, name=name, description=description, vpc_id=vpc_id, tags=tags)
        if ssh_cidr_list:
            v6 = 'length(split(":", each.value)) > 1'
            rule = self._let_in(
                "from-listed",
                "from",
                "${each.value}",
                cidr_ipv4=f"${{{v6} ? null : each.value}}",
                cidr_ipv6=f"${{{v6} ? each.value : null}}",
            )
            # Keyed by the range itself: a range added or removed moves no other rule.
            rule.add_override("for_each", f"${{toset({ssh_cidr_list})}}")
        self._let_all_out()


class BatchSecurityGroup(_SecurityGroup):
    """All traffic in from the given sources and all traffic out.

    Args:
        name_prefix: Start of the group's name; AWS adds the rest.
        vpc_id: The VPC of the hosts.
        description: The group's description where one that exists is adopted: AWS can change none.
        ingress_cidr_blocks: IPv4 or IPv6 ranges that reach the hosts on every port, by a short
            word for each that becomes part of the rule's address.
    """

    traffic = {"ip_protocol": "-1"}  # noqa: RUF012 - never written
    described = "All traffic from the {}"

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
        check_mapping(id_, "ingress_cidr_blocks", ingress_cidr_blocks)
        super().__init__(scope, id_)
        description = description or "AWS Batch hosts"
        self._make(
            ingress_cidr_blocks, name_prefix=name_prefix, description=description, vpc_id=vpc_id
        )
        self._let_all_out()
