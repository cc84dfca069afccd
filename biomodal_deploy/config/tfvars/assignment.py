"""`--var NAME=VALUE`, taken apart."""

from __future__ import annotations

from biomodal_deploy.errors import UsageError


def assignment(text: str) -> tuple[str, str]:
    """Return the name and the text of the value.

    Raises:
        UsageError: It is no assignment.
    """
    name, equals, value = text.partition("=")
    if not equals or name != name.strip() or not name:
        raise UsageError(
            "A variable is NAME=VALUE without spaces around =",
            field="--var",
            value=name,
            fix="write --var NAME=VALUE, in quotes where the value has spaces",
        )
    return name, value
