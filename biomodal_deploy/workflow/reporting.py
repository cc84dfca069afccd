"""From a sealed plan to a report in one of its formats, and to a file."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from biomodal_deploy import files
from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import writing
from biomodal_deploy.plan.sealed import SealedPlan
from biomodal_deploy.review.alerts import Alert, junit, sarif
from biomodal_deploy.review.report import Report
from biomodal_deploy.review.report.building import build_report
from biomodal_deploy.review.report.html import html
from biomodal_deploy.review.report.markdown import markdown
from biomodal_deploy.review.report.plan_json import plan_data
from biomodal_deploy.workflow.approving import approval_status
from biomodal_deploy.workflow.location import Location


class ReportFormat(StrEnum):
    """What a sealed plan is written as."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"


def make_report(location: Location, sealed_plan: SealedPlan) -> Report:
    """Return the report of a sealed plan.

    Args:
        location: The project: whose approvals count, and a hardened stack's waivers.

    Raises:
        SealedPlanRefused: The changes are not those that were sealed.
        EngineError: They are of another format.
        UsageError: The project's waivers cannot be read.
    """
    hardened = location.settings(sealed_plan.manifest.facts.stack).profile == "hardened"
    report = build_report(sealed_plan, waivers_of=location.project_dir if hardened else None)
    return report.model_copy(update={"approvals": approval_status(location, sealed_plan)})


def text_of(report: Report, sealed_plan: SealedPlan, format_: ReportFormat, most_bytes: int) -> str:
    """Return a report as a page, a comment or data.

    Args:
        sealed_plan: What it is of.
        format_: What to write it as; the text for a terminal is made where there is one.
        most_bytes: How long Markdown may be.
    """
    if format_ is ReportFormat.HTML:
        return html(report)
    if format_ is ReportFormat.MARKDOWN:
        return markdown(report, most_bytes)
    return json.dumps(plan_data(sealed_plan, report), indent=2) + "\n"


def save_alerts(
    name: str, alerts: Iterable[Alert], sarif_file: Path | None, junit_file: Path | None
) -> None:
    """Write what a command found for a forge, to the files that are named.

    Args:
        name: What it is of: what JUnit calls the suite.
        sarif_file: The file for SARIF.
        junit_file: The file for JUnit.

    Raises:
        UsageError: The system refuses, or it is a folder.
    """
    if sarif_file is None and junit_file is None:
        return
    found = list(alerts)
    if sarif_file is not None:
        save(sarif(name, found), sarif_file, "--sarif")
    if junit_file is not None:
        save(junit(name, found), junit_file, "--junit")


def save(text: str, path: Path, option: str = "--out") -> None:
    """Write a report to a file: all of it, or nothing.

    Args:
        option: Which option names it.

    Raises:
        UsageError: The system refuses, or it is a folder.
    """
    content = text.encode()
    if path.is_dir():
        raise UsageError("is a folder", field=option, value=str(path), fix="name a file in it")
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        # A pipe or a device, such as /dev/stdout: it must be written to, and not exchanged.
        with writing(path), path.open("wb") as device:
            device.write(content)
        return
    path = path.resolve()  # of a link, the file that it leads to
    with writing(path):
        # It is for others to read, as the user's umask has it: no secret is in it.
        files.write(path, content, mode=files.public_mode())
