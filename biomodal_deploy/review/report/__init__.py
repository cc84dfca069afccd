"""A sealed plan, told to a reviewer: as Markdown, as a page, as data."""

from biomodal_deploy.review.report.building import build_report, report_of
from biomodal_deploy.review.report.model import Report

__all__ = ["Report", "build_report", "report_of"]
