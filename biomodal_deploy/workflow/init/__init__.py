"""A new deployment: its answers, and the two files that they become."""

from biomodal_deploy.workflow.init.answers import Answers, Given
from biomodal_deploy.workflow.init.interview import gather
from biomodal_deploy.workflow.init.question import Asker, Choice, Question
from biomodal_deploy.workflow.init.writing import Draft, draft, write

__all__ = [
    "Answers",
    "Asker",
    "Choice",
    "Draft",
    "Given",
    "Question",
    "draft",
    "gather",
    "write",
]
