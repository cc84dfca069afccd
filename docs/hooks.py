"""The site of `make site`: README as its first page, and links to files that no page is made of."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any, Final

from mkdocs.structure.files import File

# In strict mode mkdocs counts what its loggers warn of, and fails.
_LOG: Final = logging.getLogger("mkdocs.hooks.site")
_ROOT: Final = Path(__file__).resolve().parents[1]
_LINK: Final = re.compile(r"(?<!!)\[([^][]*)\]\((?!\w+:|#)([^()#\s]+)(#[^()\s]*)?\)")


def on_files(files: Any, *, config: Any) -> Any:
    """Add README as the first page."""
    text = (_ROOT / "README.md").read_text(encoding="utf-8")
    files.append(File.generated(config, "index.md", content=text))
    return files


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Any) -> str:  # noqa: ARG001
    """Make links to other files of the repository plain text, once those files are there."""
    is_first = page.file.src_uri == "index.md"
    folder = _ROOT if is_first else (_ROOT / "docs" / page.file.src_uri).parent

    def linked(found: re.Match[str]) -> str:
        text, name, anchor = found[1], found[2], found[3] or ""
        target = (folder / name).resolve()
        if not target.exists():
            _LOG.warning("%s: there is no %s", page.file.src_uri, name)
        if target.is_relative_to(_ROOT / "docs"):
            return f"[{text}]({name.removeprefix('docs/') if is_first else name}{anchor})"
        if target == _ROOT / "README.md":
            return f"[{text}]({'../' * page.file.src_uri.count('/')}index.md{anchor})"
        return text

    return _LINK.sub(linked, markdown)
