"""A plan as data: `read_plan` reads and redacts what `terraform show -json` prints."""

from biomodal_deploy.plan.changes import (
    Action,
    AttributeChange,
    Check,
    DeferredChange,
    OutputChange,
    PlanKind,
    ResourceChange,
    Variable,
)
from biomodal_deploy.plan.model import Counts, Plan
from biomodal_deploy.plan.reading import read_plan
from biomodal_deploy.plan.redactor import HIDDEN_TEXT, UNKNOWN_TEXT, Redactor, leaves

__all__ = [
    "HIDDEN_TEXT",
    "UNKNOWN_TEXT",
    "Action",
    "AttributeChange",
    "Check",
    "Counts",
    "DeferredChange",
    "OutputChange",
    "Plan",
    "PlanKind",
    "Redactor",
    "ResourceChange",
    "Variable",
    "leaves",
    "read_plan",
]
