"""JSON Schemas of what people write and programs read, made from the typed models.

`cdktf.schema.json` beside this module is that of `cdktf.json`: `make docs` writes it, and
`biomodal-aws init --schema` prints it for an editor.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import TypeAdapter

from biomodal_deploy.config.settings import Context, ProjectFile

SETTINGS_SCHEMA: Final = Path(__file__).with_name("cdktf.schema.json")
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_ATTRIBUTE: Final = re.compile(r"^    (\w+(?:, \w+)*): ((?:.*\n?)(?:     +.*\n?)*)", re.MULTILINE)


def schema_of(kind: Any, mode: Literal["validation", "serialization"]) -> dict[str, Any]:
    """Return the JSON Schema of a type, its fields described as in their class's docstring."""
    schema = TypeAdapter(kind).json_schema(mode=mode)
    for each in (schema, *schema.get("$defs", {}).values()):
        describe(each)
    return {"$schema": DIALECT, **schema}


def settings_schema() -> dict[str, Any]:
    """Return the JSON Schema of `cdktf.json`: cdktf's own keys beside ours are left open."""
    schema = schema_of(ProjectFile, "validation")
    context = schema_of(Context, "validation")
    # A name that breaks the pattern is refused and not passed over.
    context["properties"]["stacks"]["additionalProperties"] = False
    schema["properties"].pop("text")
    schema["properties"]["context"] = {
        key: context[key] for key in ("description", "properties", "type")
    }
    return {**schema, "title": "cdktf.json", "$defs": context["$defs"]}


def describe(schema: dict[str, Any]) -> None:
    """Give each property the words of its class's docstring."""
    text, _, attributes = inspect.cleandoc(schema.get("description", "")).partition("Attributes:")
    if text:
        schema["description"] = " ".join(text.split())
    for names, words in _ATTRIBUTE.findall(attributes):
        for name in names.split(", "):
            for key in (name, *_ALIASES.get(name, ())):
                if key in schema.get("properties", {}):
                    schema["properties"][key]["description"] = " ".join(words.split())


_ALIASES: Final = {"principals": ("from",), "needed": ("for",)}


def main() -> int:
    """Write the schema of `cdktf.json` beside this module."""
    SETTINGS_SCHEMA.write_text(json.dumps(settings_schema(), indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
