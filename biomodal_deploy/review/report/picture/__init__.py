"""The stack as a picture: every planned resource, its action by shape, sign and colour."""

from biomodal_deploy.review.report.picture.drawing import WIDTHS, draw
from biomodal_deploy.review.report.picture.nodes import Node, Scene, scene_of

__all__ = ["WIDTHS", "Node", "Scene", "draw", "scene_of"]
