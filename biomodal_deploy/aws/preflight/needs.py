"""What has to be allowed, as IAM's simulator is asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from biomodal_deploy.aws.preflight.target import Target

# Condition keys that hold several values in one request.
LIST_KEYS: Final = frozenset({"aws:TagKeys"})


@dataclass(frozen=True)
class Need:
    """Actions that an apply calls on the same resources.

    Attributes:
        actions: The IAM actions.
        resources: ARNs, or `*` where AWS allows nothing narrower.
        context: Condition keys as the calls carry them, with their values.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Needed:
    """What the life cycle of a deployment needs.

    Attributes:
        needs: What has to be allowed.
        gaps: Resources of which nobody knows what they need.
    """

    needs: tuple[Need, ...]
    gaps: tuple[str, ...] = ()


class NeededActions(Protocol):
    """Tells what planning, applying and destroying a deployment calls."""

    def __call__(self, target: Target, *, account: str) -> Needed:
        """Return what has to be allowed in an account."""
