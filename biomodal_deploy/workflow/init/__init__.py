"""A new stack or project: its answers, and the files that they become."""

from biomodal_deploy.workflow.init.answers import Answers, Given
from biomodal_deploy.workflow.init.interview import gather
from biomodal_deploy.workflow.init.project import ProjectDraft, draft_project, write_project
from biomodal_deploy.workflow.init.question import Asker, Choice, Question
from biomodal_deploy.workflow.init.writing import Draft, draft, write

__all__ = [
    "Answers",
    "Asker",
    "Choice",
    "Draft",
    "Given",
    "ProjectDraft",
    "Question",
    "draft",
    "draft_project",
    "gather",
    "write",
    "write_project",
]
