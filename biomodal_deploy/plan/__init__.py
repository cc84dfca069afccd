"""A plan as data: `read_plan` reads and redacts what `terraform show -json` prints."""

from biomodal_deploy.plan.changes import (
    Action,
    AttributeChange,
    OutputChange,
    PlanKind,
    ResourceChange,
)
from biomodal_deploy.plan.model import Counts, Plan
from biomodal_deploy.plan.reading import read_plan
from biomodal_deploy.plan.redactor import HIDDEN_TEXT, Redactor

__all__ = [
    "HIDDEN_TEXT",
    "Action",
    "AttributeChange",
    "Counts",
    "OutputChange",
    "Plan",
    "PlanKind",
    "Redactor",
    "ResourceChange",
    "read_plan",
]
