"""An HTTP request as the call of an AWS API that it is."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from botocore.model import OperationModel

_SCOPE: Final = re.compile(
    r"Credential=(?P<key>[^/]*)/\d{8}/(?P<region>[^/]*)/(?P<service>[^/]+)/aws4_request"
)
_APART: Final = ("header", "querystring")


@dataclass(frozen=True, kw_only=True)
class ApiCall:
    """One call."""

    key_id: str  # the access key that signed it
    region: str  # the region that it is signed for
    service: str  # the service, by its signing name
    operation: str  # the API operation, such as `RunInstances`
    # nested as the service's protocol nests them, joined by dots: `TagSpecification.1.Tag.1.Key`
    parameters: Mapping[str, str]
    invocation: str  # the SDK's id of it, the same in Terraform's log

    def one(self, *names: str) -> str | None:
        """Return the first of these parameters that is given."""
        return next((self.parameters[name] for name in names if self.parameters.get(name)), None)

    def each(self, name: str) -> list[str]:
        """Return a parameter's values: itself, and the items of a list of that name."""
        item = re.compile(re.escape(name) + r"(\.\d+)?")
        return [value for key, value in self.parameters.items() if item.fullmatch(key) and value]

    def under(self, prefix: str) -> dict[str, str]:
        """Return the parameters below a prefix, without it."""
        start = f"{prefix}."
        return {
            key.removeprefix(start): value
            for key, value in self.parameters.items()
            if key.startswith(start)
        }


def parse_call(environ: WSGIEnvironment, body: bytes) -> ApiCall | None:
    """Return the call that a signed request is, or None where it is none."""
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if scope is None:
        return None
    service = scope["service"]
    operation, parameters = _operation(service, environ, body)
    return ApiCall(
        key_id=scope["key"],
        region=scope["region"],
        service=service,
        operation=operation,
        parameters=parameters,
        invocation=environ.get("HTTP_AMZ_SDK_INVOCATION_ID", ""),
    )


def _operation(service: str, environ: WSGIEnvironment, body: bytes) -> tuple[str, dict[str, str]]:
    text = body.decode("utf-8", "replace")
    query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return target.rpartition(".")[2], _flat(json.loads(text or "{}"))
    if service not in ("batch", "s3"):
        form = query | dict(parse_qsl(text, keep_blank_values=True))
        return form.pop("Action", ""), _without_members(form)
    # As it was sent: an ARN in the path has slashes of its own, which arrive encoded.
    path = str(environ.get("RAW_URI") or environ["PATH_INFO"]).partition("?")[0]
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower()
        for name in environ
        if name.startswith("HTTP_")
    }
    found = _matched(service, environ["REQUEST_METHOD"], path, query, headers)
    if found is None:
        return "", {}
    operation, from_path = found
    if service == "batch":
        given = _flat(json.loads(text or "{}"))
    else:
        given = _flat_xml(text) if text.startswith("<") else {}
        given |= _encryption(environ)
    return operation, given | query | from_path


def _encryption(environ: WSGIEnvironment) -> dict[str, str]:
    """Return the headers that say how an object is to be encrypted."""
    start = "x-amz-server-side-encryption"
    return {
        name: str(value)
        for key, value in environ.items()
        if (name := key.removeprefix("HTTP_").replace("_", "-").lower()).startswith(start)
    }


def _matched(
    service: str, method: str, path: str, query: Mapping[str, str], headers: Collection[str]
) -> tuple[str, dict[str, str]] | None:
    """Return the operation of a REST service, and what stands in the path.

    Of several that fit, the one that asks for most: `GET /b?tagging` is not a list.
    """
    best: tuple[int, str, dict[str, str]] | None = None
    given = {*query, *headers}
    for route in _routes(service):
        if route.method != method or not route.query.items() <= query.items():
            continue
        fits = route.path.fullmatch(path.rstrip("/") or "/")
        asks_for = len(route.query) + len(route.needs)
        if fits and route.needs <= given and (best is None or asks_for > best[0]):
            named = {key: unquote(value) for key, value in fits.groupdict().items()}
            best = asks_for, route.operation, named
    return best and best[1:]


@dataclass(frozen=True, kw_only=True)
class _Route:
    """What tells one operation of a REST service from the others."""

    operation: str
    method: str
    path: re.Pattern[str]
    query: Mapping[str, str]  # what stands in its query
    # Parameters of the query and headers that it cannot do without: S3's copies differ from writes
    # by one of them alone.
    needs: frozenset[str]


@cache
def _routes(service: str) -> tuple[_Route, ...]:
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    # As it is delivered: clients take the bucket out of the paths of a model that they share.
    model = ServiceModel(Loader().load_service_model(service, "service-2"), service)
    operations = map(model.operation_model, model.operation_names)
    # S3 has two of a kind: the deprecated one has the same path.
    return tuple(_route(operation) for operation in operations if not operation.deprecated)


def _route(operation: OperationModel) -> _Route:
    uri, _, query = operation.http["requestUri"].partition("?")
    parts = []
    for part in re.split(r"(\{[^}]+\})", uri.rstrip("/") or "/"):
        if part.startswith("{"):
            greedy = part.endswith("+}")
            parts.append(f"(?P<{part.strip('{+}')}>{'.+' if greedy else '[^/]+'})")
        else:
            parts.append(re.escape(part))
    wanted = dict(parse_qsl(query, keep_blank_values=True))
    # SDKs differ on whether they send this constant, which tells nothing that the rest does not.
    wanted.pop("x-id", None)
    shape = operation.input_shape
    members = [shape.members[name] for name in shape.required_members] if shape else []
    sent = [each.serialization for each in members if each.serialization.get("location") in _APART]
    return _Route(
        operation=operation.name,
        method=operation.http["method"],
        path=re.compile("".join(parts)),
        query=wanted,
        needs=frozenset(str(each["name"]).lower() for each in sent if each["location"] == "header")
        | {str(each["name"]) for each in sent if each["location"] == "querystring"},
    )


def _flat(value: object, prefix: str = "") -> dict[str, str]:
    if isinstance(value, dict):
        items = [(str(key), each) for key, each in value.items()]
    elif isinstance(value, list):
        items = [(str(number), each) for number, each in enumerate(value, start=1)]
    else:
        return {prefix.rstrip("."): "" if value is None else str(value)}
    found: dict[str, str] = {}
    for key, each in items:
        found |= _flat(each, f"{prefix}{key}.")
    return found


def _flat_xml(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    counts: dict[str, int] = {}

    def walk(element: ET.Element, prefix: str) -> None:
        for child in element:
            tag = prefix + child.tag.rpartition("}")[2]
            counts[tag] = counts.get(tag, 0) + 1
            name = f"{tag}.{counts[tag]}"
            if len(child):
                walk(child, f"{name}.")
            else:
                found[name] = child.text or ""

    walk(ET.fromstring(text), "")
    return found


def _without_members(form: Mapping[str, str]) -> dict[str, str]:
    # IAM's query protocol says `Tags.member.1.Key` where EC2's says `Tag.1.Key`.
    return {key.replace(".member.", "."): value for key, value in form.items()}
