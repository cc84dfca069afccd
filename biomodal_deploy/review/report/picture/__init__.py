"""The stack as a picture: every planned resource, its action by shape, sign and colour."""

from biomodal_deploy.review.report.picture.drawing import WIDTHS, draw
from biomodal_deploy.review.report.picture.nodes import diagram_of

__all__ = ["WIDTHS", "diagram_of", "draw"]
