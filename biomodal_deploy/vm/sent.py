"""Programs that are sent to other machines: the texts of modules, one after the other."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

_OURS: Final = "from biomodal_deploy."
_FUTURE: Final = "from __future__ import annotations\n"


def as_program(*names: str) -> str:
    """Return modules of this package as one program for a `python3` that has the standard library.

    Args:
        names: Their files below `vm`, what is imported first; an import of ours takes one line.
    """
    texts = [files("biomodal_deploy.vm").joinpath(name).read_text("utf-8") for name in names]
    lines = [
        line
        for line in "".join(texts).splitlines(keepends=True)
        if line != _FUTURE and not line.startswith(_OURS)
    ]
    return _FUTURE + "".join(lines)
