"""docs/troubleshooting.md, written from the same data as `biomodal-aws diagnose` by `make docs`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from biomodal_deploy.known_errors.catalog import AREAS, Catalog, catalog
from biomodal_deploy.known_errors.model import Entry

PAGE: Final = Path("docs") / "troubleshooting.md"
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")

_HEAD: Final = """\
# Troubleshooting

Written from the code by `make docs`; a test fails where it is out of date.

Something failed? Ask for its cause:

```sh
biomodal-aws diagnose                # the newest run of this project that failed
biomodal-aws diagnose apply.log      # any log: Terraform, the AWS CLI, cloud-init, SSH, Nextflow
ssh VM sudo cat /var/log/cloud-init-output.log | biomodal-aws diagnose -
```

It names each cause once, in order, with what mends it and the next command, which changes nothing
that cannot be had back. Where AWS refused something, it prints the missing statement: the
deployment's own, as [the compiled policy](permissions.md) has it, or what the error itself says.
Nothing is changed, and AWS is not asked. Exit status 0 where a cause is named, 2 where none is:
what nobody knows is printed word for word.

Before it fails: `biomodal-aws doctor` asks the account for most of what stands below. After the
apply: `biomodal-aws status --deep` looks at the machine itself. Deployed, and something looks
wrong? See [operations](operations.md).

## Find it

Words in capitals stand for what your error says there.

{index}"""


def page() -> str:
    """Return the whole page."""
    known = catalog()
    parts = [_HEAD.format(index=_index(known))]
    for area, title in AREAS.items():
        parts.append(f"\n## {title}\n")
        parts += [_section(entry) for entry in _entries(known, area)]
    return "\n".join(parts)


def _index(known: Catalog) -> str:
    lines = []
    for area, title in AREAS.items():
        lines += ["", f"**{title}**", "", *map(_link, _entries(known, area))]
    return "\n".join(lines[1:]) + "\n"


def _link(entry: Entry) -> str:
    return f"- [{_plain(entry.title)}](#{entry.id})"


def _entries(known: Catalog, area: str) -> Iterator[Entry]:
    return (entry for entry in known.entries if entry.area == area)


def _section(entry: Entry) -> str:
    lines = [
        f"### {entry.id}",
        "",
        f"**{_plain(entry.title)}.** {_prose(entry.cause)}",
        "",
        "```text",
        _example(entry),
        "```",
        "",
        f"- Fix: {_prose(entry.fix)}.",
    ]
    if entry.variables:
        lines.append(f"- Set: {', '.join(f'`{each}`' for each in entry.variables)}")
    lines.append(f"- Next: `{_capitals(entry.next)}`")
    if entry.statement:
        lines.append("- The missing statement: `biomodal-aws diagnose` prints it")
    lines += [f"- Source: {'; '.join(map(_plain, entry.source))}", ""]
    return "\n".join(lines)


def _example(entry: Entry) -> str:
    return "\n".join(line.rstrip() for line in entry.example.strip().splitlines())


def _capitals(text: str) -> str:
    text = text.replace("{unlock}", "terraform -chdir=DIRECTORY force-unlock ID")
    return _PLACEHOLDER.sub(lambda found: found[1].upper(), text)


def _prose(text: str) -> str:
    """Return a text as Markdown: what stands between backticks stays as it is."""
    parts = _capitals(text).split("`")
    parts[::2] = [_plain(part) for part in parts[::2]]
    return "`".join(parts)


def _plain(text: str) -> str:
    return re.sub(r"([*_<|\\])", r"\\\1", text).replace("`", "\\`")


def main() -> int:
    """Write the page into the current folder's docs."""
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
