"""checkov as a user runs it: on the synthesized folder, with nothing but the folder's name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest

from compliance.scan import ENVIRONMENT
from tests.support.processes import run_program

_CHECKOV: Final = ENVIRONMENT / "bin" / "checkov"


@pytest.mark.slow
@pytest.mark.skipif(not _CHECKOV.exists(), reason="checkov is not set up: run make check")
def test_a_user_s_checkov_reads_every_stack(synthesized: Path) -> None:
    """Terraform's version, which it cannot read in JSON, stands in a file of its own."""
    done = run_program(
        [_CHECKOV, "--directory", synthesized, "--skip-download", "--output", "json"], timeout=300
    )
    answer = json.loads(done.stdout)
    reports = answer if isinstance(answer, list) else [answer]
    (results,) = (each["results"] for each in reports if each["check_type"] == "terraform_json")
    found = results["passed_checks"] + results["failed_checks"]
    assert {each["file_path"].split("/")[-2] for each in found} == {"biomodal-aws", "native"}
    assert not any(each["results"]["parsing_errors"] for each in reports)
    assert done.returncode == 1, "checkov finds something in the documented profile"
