"""AWS's descriptions of its services, read once a process and not by each test's session.

EC2's alone is five megabytes of JSON, and its client a class with 700 methods: making one takes
longer than most tests. What is shared is what botocore itself keeps of a description; sessions,
their settings, credentials and handlers stay each test's own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

import botocore.session
from botocore import client, loaders, regions


def share_models() -> None:
    """Have all sessions of this process read and compile each description once."""
    botocore.session.create_loader = cache(loaders.create_loader)
    regions.EndpointProvider = _once_for(regions.EndpointProvider)  # type: ignore[attr-defined]
    creator: Any = client.ClientCreator
    creator._load_service_model = _remembered(creator._load_service_model)
    make = _remembered(creator._create_methods)
    # A copy: handlers add methods of their own to a class in the making.
    creator._create_methods = wraps(make)(lambda self, model: {**make(self, model)})


def _remembered(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method whose answer depends on its loader and arguments alone."""
    kept: dict[object, Any] = {}

    @wraps(method)
    def ask(self: Any, *args: Any, **more: Any) -> Any:
        asked = (self._loader, args, tuple(more.items()))
        if asked not in kept:
            kept[asked] = method(self, *args, **more)
        return kept[asked]

    return ask


def _once_for(make: Callable[..., Any]) -> Callable[..., Any]:
    """Return a constructor that makes one object of the same data, which are kept alive."""
    kept: dict[tuple[int, int], tuple[Any, ...]] = {}

    def give(ruleset_data: Any, partition_data: Any, excluded_params: Any = None) -> Any:
        asked = (id(ruleset_data), id(partition_data))
        if asked not in kept:
            made = make(ruleset_data, partition_data, excluded_params)
            kept[asked] = made, ruleset_data, partition_data
        return kept[asked][0]

    return give
