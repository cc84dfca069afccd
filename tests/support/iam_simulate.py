"""A second evaluator of IAM policies, written by others: the npm package iam-simulate."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeAlias

import pytest

from biomodal_deploy.engine.toolchain import find_node
from biomodal_deploy.iam.evaluate import Request
from biomodal_deploy.iam.policies import Policy
from tests.support.processes import run_program
from tests.support.project import ROOT

_SCRIPT: Final = Path(__file__).with_suffix(".mjs")
_PACKAGE: Final = ROOT / "node_modules" / "@cloud-copilot" / "iam-simulate"


Question: TypeAlias = tuple[Sequence[Policy], Sequence[Request]]
"""Policies that one user holds together, and what that user asks for."""


def simulate(account: str, *questions: Question) -> list[list[str]]:
    """Return the answer to each request: `Allowed`, a denial, or what is wrong with the question.

    Context keys that AWS's reference does not list for an action are left out of the request.
    """
    if not _PACKAGE.is_dir():
        pytest.skip("iam-simulate is not installed: make setup")
    asked = [
        {
            "policies": [each.as_json() for each in policies],
            "requests": [
                {
                    "action": each.action,
                    # Of an action that takes no resource, IAM asks about everything.
                    "resource": each.resource if each.resource.startswith("arn:") else "*",
                    "context": {key: [*values] for key, values in each.context.items() if values},
                }
                for each in requests
            ],
        }
        for policies, requests in questions
    ]
    done = run_program(
        [str(find_node().path), str(_SCRIPT)],
        input=json.dumps({"account": account, "questions": asked}),
    )
    assert done.returncode == 0, done.stderr
    answers: list[list[str]] = json.loads(done.stdout)
    return answers
