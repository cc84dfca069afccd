"""What Terraform says while it works: its `-json` lines as typed values.

Nothing that it prints is lost or crashes: a type of a later Terraform becomes an `UnknownEvent`,
a line that is no event (a plugin's panic, plain text of `init` before 1.9) a `TextLine`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import (
    BaseModel,
    Field,
    JsonValue,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import from_json, to_json

from biomodal_deploy.engine.process import InterruptSent, Line, Stream

_ANSI: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# Of a line that was too long to be read as JSON: enough to recognise it by.
_SHOWN: Final = 4096
# A shorter line of a secret (a brace, an `END`) would mask half of everything else.
_TELLING: Final = 8
_AS_GO_WRITES_JSON: Final = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&"}


class _Read(BaseModel, frozen=True, defer_build=True):
    pass


class Resource(_Read):
    """The resource that an event is about."""

    addr: str
    module: str = ""
    resource_type: str = ""


class Position(_Read):
    """A place in a file of the configuration, counted from 1."""

    line: int
    column: int


class Range(_Read):
    """Where in the configuration a diagnostic points."""

    filename: str
    start: Position
    end: Position


class Snippet(_Read):
    """The lines of the configuration that a diagnostic points at."""

    context: str | None = None
    code: str = ""


class Diagnostic(_Read):
    """An error or a warning, as in `validate -json` and in the stream."""

    severity: str
    summary: str
    detail: str = ""
    address: str | None = None
    range: Range | None = None
    snippet: Snippet | None = None

    @property
    def is_error(self) -> bool:
        """Whether Terraform stopped for it."""
        return self.severity == "error"


class _Event(_Read):
    level: str = Field(default="info", alias="@level")
    message: str = Field(default="", alias="@message")
    timestamp: str = Field(default="", alias="@timestamp")


class VersionEvent(_Event):
    """The first line: which product, and which version of the event format."""

    type: Literal["version"] = "version"
    terraform: str | None = None
    tofu: str | None = None


class LogEvent(_Event):
    """A plain message, and what `init` says of its steps."""

    type: Literal["log", "init_output"]


class DiagnosticEvent(_Event):
    """An error or a warning."""

    type: Literal["diagnostic"] = "diagnostic"
    diagnostic: Diagnostic


class Change(_Read):
    """What a plan does to one resource, or what changed outside Terraform.

    Attributes:
        action: Terraform's word for it; one of a later version is kept as it is.
    """

    resource: Resource
    action: str
    reason: str | None = None


class ChangeEvent(_Event):
    """One planned change, or one resource that drifted."""

    type: Literal["planned_change", "resource_drift"]
    change: Change


class ChangeSummary(_Read):
    """Terraform's own counts."""

    add: int = 0
    change: int = 0
    remove: int = 0
    imported: int = Field(default=0, alias="import")
    operation: str = ""

    @property
    def total(self) -> int:
        """All of them together."""
        return self.add + self.change + self.remove + self.imported


class SummaryEvent(_Event):
    """The end of a plan or of an apply that went through."""

    type: Literal["change_summary"] = "change_summary"
    changes: ChangeSummary


class OutputChange(_Read):
    """One output; the value of a sensitive one is not kept, `output` reads it where asked for."""

    sensitive: bool = False
    action: str | None = None
    value: JsonValue = Field(default=None, repr=False)

    @field_validator("value")
    @classmethod
    def _hide(cls, value: JsonValue, found: ValidationInfo) -> JsonValue:
        # Fields are validated in their order, so whether it is sensitive is known by now.
        return None if found.data.get("sensitive", True) else value


class OutputsEvent(_Event):
    """The outputs that a plan changes or that an apply wrote."""

    type: Literal["outputs"] = "outputs"
    outputs: dict[str, OutputChange] = {}


class Hook(_Read):
    """What happens to one resource."""

    resource: Resource
    action: str = ""
    id_value: str | None = None
    elapsed_seconds: float = 0.0
    provisioner: str | None = None
    output: str | None = None


class ApplyEvent(_Event):
    """One resource's change began, goes on, is done or failed."""

    type: Literal["apply_start", "apply_progress", "apply_complete", "apply_errored"]
    hook: Hook


class ProvisionEvent(_Event):
    """One resource's provisioner began, prints, is done or failed."""

    type: Literal[
        "provision_start", "provision_progress", "provision_complete", "provision_errored"
    ]
    hook: Hook


class RefreshEvent(_Event):
    """One resource is being read, or was."""

    type: Literal["refresh_start", "refresh_complete"]
    hook: Hook


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """An event of a type, or of a shape, that this version does not know."""

    type: str
    message: str
    fields: dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line that is no event.

    Attributes:
        left_out: How many bytes of a line that was too long are missing.
    """

    text: str
    stream: Stream = "stdout"
    left_out: int = 0


_Known: TypeAlias = (
    VersionEvent
    | LogEvent
    | DiagnosticEvent
    | ChangeEvent
    | SummaryEvent
    | OutputsEvent
    | ApplyEvent
    | ProvisionEvent
    | RefreshEvent
)
Event: TypeAlias = _Known | UnknownEvent | TextLine | InterruptSent


@cache
def _known() -> TypeAdapter[_Known]:
    """Return what reads a line; made once, and only where Terraform runs."""
    return TypeAdapter(Annotated[_Known, Field(discriminator="type")])


def parse(line: Line) -> Event:
    """Read one line that Terraform printed; never fails."""
    if line.left_out or not line.text.startswith("{"):
        text = line.text[:_SHOWN] if line.left_out else line.text
        return TextLine(plain(text), line.stream, line.left_out)
    try:
        return _known().validate_json(line.text)
    except ValidationError:
        return _unknown(line)


def plain(text: str) -> str:
    """Return a text without colours."""
    return _ANSI.sub("", text)


def spellings(value: str) -> frozenset[str]:
    r"""Return every way a value may stand in what Terraform prints, for those that mask it.

    As it is, as JSON, as Go writes JSON (`<` is `\u003c`), and each of its lines by itself.
    """
    lines = (line.strip() for line in value.splitlines())
    parts = [value, *(line for line in lines if len(line) >= _TELLING)]
    quoted = [to_json(part).decode()[1:-1] for part in parts]
    escaped = [part.translate(_AS_GO_WRITES_JSON) for part in quoted]
    return frozenset(filter(None, (*parts, *quoted, *escaped)))


def _unknown(line: Line) -> UnknownEvent | TextLine:
    try:
        fields = from_json(line.text)
    except ValueError:
        return TextLine(plain(line.text), line.stream)
    if not isinstance(fields.get("type"), str):
        return TextLine(line.text, line.stream)
    return UnknownEvent(fields["type"], str(fields.get("@message", "")), fields)
