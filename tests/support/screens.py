"""A terminal in memory: what is printed on it, at some width, without colours."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from rich.console import Console

from biomodal_deploy.cli.render import _THEME, _Console


def screen(width: int = 80, **more: Any) -> tuple[Console, io.StringIO]:
    """Return a console, and what is written to it."""
    stream = io.StringIO()
    plain: dict[str, Any] = {"color_system": None, "highlight": False}
    return _Console(file=stream, width=width, theme=_THEME, **{**plain, **more}), stream


def printed(show: Callable[[Console], object], width: int = 80) -> str:
    """Return what is printed on a terminal of a width."""
    console, stream = screen(width)
    show(console)
    return stream.getvalue()
