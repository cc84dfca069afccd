"""What the project waives of checkov's findings, with reason, owner and end."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Final

from pydantic import BaseModel, TypeAdapter, ValidationError

from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import read_regular
from biomodal_deploy.review.report.model import Waived

WAIVERS: Final = Path("compliance") / "waivers.json"


class _Waiver(BaseModel):
    rule: str
    address: str
    reason: str
    owner: str
    expires: date


def read_waivers(project: Path, addresses: Collection[str], planned: date) -> tuple[Waived, ...]:
    """Return the waivers of resources that a plan has.

    Args:
        addresses: The plan's addresses, without keys.
        planned: The day of the plan, by which a waiver has expired or not: the report of a plan
            is the same on any day.
    """
    path = project / WAIVERS
    try:
        found = TypeAdapter(tuple[_Waiver, ...]).validate_json(read_regular(path))
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise UsageError(f"cannot be read ({error.strerror})", field=str(path)) from None
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"]) or "the top"
        raise UsageError(
            f"not a list of waivers (see {place})", field=str(path), fix="run make check"
        ) from None
    return tuple(
        Waived(
            rule=each.rule,
            address=each.address,
            reason=each.reason,
            owner=each.owner,
            expires=each.expires.isoformat(),
            expired=each.expires < planned,
        )
        for each in found
        if each.address in addresses
    )
