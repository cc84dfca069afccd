"""Roles that an account needs once, before any stack, and the commands that make them.

Source: document section "Pre-existing AWS Service Roles".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from biomodal_deploy.aws.checks import ReportData, Verdict
from biomodal_deploy.config.contract.aws import ECS_INSTANCE_ROLE, ECS_ROLE_POLICY


@dataclass(frozen=True)
class Role:
    """A service-linked role: AWS names it and writes its policy.

    Attributes:
        variable: The variable of the `prerequisites` stack that asks for it.
    """

    name: str
    service: str
    variable: str

    @property
    def command(self) -> str:
        """The command that makes it."""
        return f"aws iam create-service-linked-role --aws-service-name {self.service}"


BATCH_ROLE: Final = Role("AWSServiceRoleForBatch", "batch.amazonaws.com", "batch_service_role")
SPOT_ROLE: Final = Role("AWSServiceRoleForEC2Spot", "spot.amazonaws.com", "spot_service_role")
ECS_VARIABLE: Final = "ecs_instance_role"
# The checks whose roles are made here, with the variable that asks for each.
VARIABLES: Final = {
    "batch-service-role": BATCH_ROLE.variable,
    "spot-service-role": SPOT_ROLE.variable,
    "ecs-instance-role": ECS_VARIABLE,
}

TRUST: Final = """{
    "Version": "2012-10-17",
    "Statement": [{
      "Effect": "Allow",
      "Principal": {"Service": "ec2.amazonaws.com"},
      "Action": "sts:AssumeRole"
    }]
  }"""
# What a check says of a role that is not there at all.
MAKE: Final = "run what `biomodal-aws doctor --commands` prints"

_ECS_ROLE: Final = f"""\
# Create the IAM role
aws iam create-role --role-name {ECS_INSTANCE_ROLE} \\
  --assume-role-policy-document '{TRUST}'

# Attach the AWS managed policy
aws iam attach-role-policy --role-name {ECS_INSTANCE_ROLE} \\
  --policy-arn arn:PARTITION:iam::aws:policy/service-role/{ECS_ROLE_POLICY}

# Create the instance profile
aws iam create-instance-profile --instance-profile-name {ECS_INSTANCE_ROLE}

# Add the role to the instance profile
aws iam add-role-to-instance-profile --instance-profile-name {ECS_INSTANCE_ROLE} \\
  --role-name {ECS_INSTANCE_ROLE}"""


@dataclass(frozen=True)
class Step:
    """One role that has to be created or fixed.

    Attributes:
        variable: The variable of the `prerequisites` stack that makes it; None where the role is
            there and only lacks something.
    """

    variable: str | None
    command: str


def all_steps(partition: str) -> tuple[Step, ...]:
    """Return the steps of an account that has none of the roles."""
    return (
        *(
            Step(role.variable, f"# Create {role.name}\n{role.command}")
            for role in (BATCH_ROLE, SPOT_ROLE)
        ),
        Step(ECS_VARIABLE, _ECS_ROLE.replace("PARTITION", partition)),
    )


def steps(report: ReportData, partition: str) -> tuple[Step, ...]:
    """Return the steps of what a report found missing."""
    made = {step.variable: step for step in all_steps(partition)}
    found = []
    for finding in report.checks:
        if finding.check in VARIABLES and finding.verdict in (Verdict.FAIL, Verdict.WARNING):
            whole = made[VARIABLES[finding.check]]
            missing = finding.fix in (MAKE, BATCH_ROLE.command, SPOT_ROLE.command)
            found.append(whole if missing else Step(None, f"# {finding.line}\n{finding.fix}"))
    return tuple(found)
