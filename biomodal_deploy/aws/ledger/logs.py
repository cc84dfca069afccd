"""CloudWatch log groups: how much they hold."""

from __future__ import annotations

from pydantic import BaseModel, Field

from biomodal_deploy.aws.clients import Clients


class LogGroup(BaseModel):
    """A log group as CloudWatch describes it."""

    name: str = Field(alias="logGroupName")
    bytes: int = Field(default=0, alias="storedBytes")
    days: int | None = Field(default=None, alias="retentionInDays")


class _Groups(BaseModel):
    groups: tuple[LogGroup, ...] = Field(default=(), alias="logGroups")


def find_log_group(clients: Clients, name: str) -> LogGroup | None:
    """Return a log group; None where there is none of that name.

    The number of bytes is CloudWatch's own, which it brings up to date every few days.
    """
    said = clients.logs().describe_log_groups(logGroupNamePrefix=name)
    groups = _Groups.model_validate(said).groups
    return next((each for each in groups if each.name == name), None)
