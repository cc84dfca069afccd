"""Tests of `biomodal_deploy.iam.templates`."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from biomodal_deploy.iam.functions import UNKNOWN
from biomodal_deploy.iam.templates import SUFFIX, fill

VALUES: dict[str, JsonValue] = {
    "name": "dev",
    "prefix": "dev-",
    "empty": "",
    "flag": True,
    "arn": "arn:aws:iam::123456789012:instance-profile/path/ecs",
    "many": ["a", "b"],
    "unknown": UNKNOWN,
}


@pytest.mark.parametrize(
    ("template", "texts"),
    [
        ("*", ("*",)),
        ("{name}/*", ("dev/*",)),
        ("{none|name}", ("dev",)),
        ("{empty|prefix*}", (f"dev-{SUFFIX}",)),
        ("{flag}", ("true",)),
        ("{arn:name}", ("ecs",)),
        ("x-{many}", ("x-a", "x-b")),
        ("{none}", (UNKNOWN,)),
        ("{unknown}", (UNKNOWN,)),
    ],
)
def test_placeholders(template: str, texts: tuple[str, ...]) -> None:
    """The first alternative that is set fills a placeholder, a list gives a text for each."""
    assert fill(template, VALUES.get) == texts
