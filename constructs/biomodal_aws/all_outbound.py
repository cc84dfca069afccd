"""Egress that both security groups have."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.vpc_security_group_egress_rule import VpcSecurityGroupEgressRule

from biomodal_aws.part import Part


def allow_all_outbound(part: Part, group_id: str) -> None:
    """Let everything out of a security group.

    Args:
        part: The construct that makes the group.
        group_id: The group's id.
    """
    part.named(
        VpcSecurityGroupEgressRule(
            part,
            "egress",
            security_group_id=group_id,
            description="All outbound traffic",
            ip_protocol="-1",
            cidr_ipv4="0.0.0.0/0",
        )
    )
