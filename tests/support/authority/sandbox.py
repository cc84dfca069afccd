"""Start a sandbox in which IAM users may do what their policies allow."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from biomodal_deploy.sandbox import Sandbox
from biomodal_deploy.sandbox.account import DEFAULT_ACCOUNT_ID
from tests.support.authority.middleware import RECORD_VARIABLE
from tests.support.project import ROOT


def judged_sandbox(
    workdir: Path | None = None, *, record: Path | None = None, account_id: str = DEFAULT_ACCOUNT_ID
) -> Sandbox:
    """Start a sandbox whose server judges each call of an IAM user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
        if record:
            patch.setenv(RECORD_VARIABLE, str(record))
        return Sandbox.start(
            workdir, account_id=account_id, server="tests.support.authority.server"
        )
