"""`--var NAME=VALUE`, taken apart."""

from __future__ import annotations

import re
from typing import Final

from biomodal_deploy.errors import UsageError

# A name of Terraform's: letters of any script, digits, underscores and hyphens.
_NAME: Final = re.compile(r"[^\W\d][\w-]{0,63}")


def assignment(text: str) -> tuple[str, str]:
    """Return the name and the text of the value.

    Raises:
        UsageError: It is no assignment.
    """
    name, equals, value = text.partition("=")
    if not equals or not _NAME.fullmatch(name):
        raise UsageError(
            "A variable is NAME=VALUE without spaces around =",
            field="--var",
            # Only a word is repeated: what else stands there may be a secret, such as a key.
            value=name if not name or _NAME.fullmatch(name.strip()) else None,
            fix="write --var NAME=VALUE, in quotes where the value has spaces",
        )
    return name, value
