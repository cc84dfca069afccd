"""Terraform JSON, as far as permissions depend on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from pydantic import BaseModel, Field, JsonValue, ValidationError

from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import read_regular

SYNTHESIZED: Final = "cdk.tf.json"

Body = dict[str, JsonValue]
"""A block's arguments, as written."""


class Document(BaseModel, frozen=True):
    """A configuration: a stack's own, or a module's."""

    terraform: Body = Field(default_factory=dict)
    provider: Body = Field(default_factory=dict)
    variable: dict[str, Body] = Field(default_factory=dict)
    locals: Body = Field(default_factory=dict)
    data: dict[str, dict[str, Body]] = Field(default_factory=dict)
    resource: dict[str, dict[str, Body]] = Field(default_factory=dict)
    module: dict[str, Body] = Field(default_factory=dict)

    def default_tags(self) -> JsonValue:
        """Return the AWS provider's default tags, as written."""
        for provider in listed(self.provider.get("aws")):
            for block in listed(provider.get("default_tags")):
                return block.get("tags")
        return None

    def region(self) -> JsonValue:
        """Return the AWS provider's region, as written."""
        return next((each.get("region") for each in listed(self.provider.get("aws"))), None)

    def backends(self) -> Iterator[tuple[str, Body]]:
        """Give the state backend, if there is one: its type and its arguments."""
        for backend in listed(self.terraform.get("backend")):
            for kind, body in backend.items():
                yield from ((kind, one) for one in listed(body))


def read_document(directory: Path) -> Document:
    """Read a synthesized stack."""
    path = directory / SYNTHESIZED
    try:
        return Document.model_validate_json(read_regular(path))
    except OSError as error:
        reason = f"There is no synthesized stack ({error.strerror})"
    except ValidationError as error:
        reason = f"not Terraform JSON ({error.errors(include_url=False)[0]['msg']})"
    raise UsageError(reason, field=str(path), fix="run biomodal-aws synth")


def described_module(source: str) -> Document | None:
    """Return what is known of a remote module, or None where it is unknown.

    Terraform downloads modules; the permissions have to be known before that, and offline.
    """
    return next((module for mark, module in _modules() if mark in source), None)


def listed(value: JsonValue) -> list[Body]:
    """Return the blocks of a section: Terraform JSON takes one, or a list of them."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]


@cache
def _modules() -> tuple[tuple[str, Document], ...]:
    folder = files("biomodal_deploy.iam") / "data" / "modules"
    texts = [file.read_text(encoding="utf-8") for file in folder.iterdir()]
    return tuple(
        (json.loads(text)["//"]["source"], Document.model_validate_json(text)) for text in texts
    )
