"""The messages between Python and Node."""

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from biomodal_aws._bindings.wire import Pipes, Wire

BINDINGS = "@cdktf/provider-aws"
GREETING = {"hello": "@jsii/runtime@1.0.0"}


class Node:
    """A Node that has its replies ready."""

    def __init__(self, replies: Iterable[object]) -> None:
        self._requests = io.BytesIO()
        text = b"".join(json.dumps(reply).encode() + b"\n" for reply in replies)
        self.pipes: Pipes = (self._requests, io.BytesIO(text))

    @property
    def heard(self) -> list[dict[str, Any]]:
        """The requests so far."""
        return [json.loads(line) for line in self._requests.getvalue().splitlines()]


def load(name: str) -> dict[str, str]:
    """Return jsii's request to load an assembly."""
    return {"name": name, "version": "1.0.0", "tarball": f"{name}.tgz", "api": "load"}


def ask(wire: Wire, request: object) -> Any:
    """Send a request as jsii does, and return the reply."""
    wire.write(json.dumps(request).encode() + b"\n")
    wire.flush()
    return json.loads(wire.readline())


def test_loads_are_not_waited_for() -> None:
    """A load is answered before Node has said anything."""
    node = Node([])
    wire = Wire(node.pipes, lambda: Path("slice.tgz"))
    assert ask(wire, load("cdktf"))["ok"]["assembly"] == "cdktf"
    assert node.heard == [load("cdktf")]


def test_a_request_gets_its_own_reply() -> None:
    """The replies to earlier loads are read first, and not given to anyone."""
    node = Node([GREETING, {"ok": "loaded"}, {"ok": "created"}])
    wire = Wire(node.pipes, lambda: Path("slice.tgz"), greeting=True)
    ask(wire, load("cdktf"))
    assert ask(wire, {"api": "create", "fqn": "cdktf.App"}) == {"ok": "created"}


@pytest.mark.parametrize(
    "request_",
    [
        {"api": "create", "fqn": f"{BINDINGS}.instance.Instance"},
        {"api": "invoke", "args": [{"$jsii.struct": {"fqn": f"{BINDINGS}.instance.Config"}}]},
        {"api": "invoke", "args": [{"$jsii.enum": f"{BINDINGS}.instance.Kind/A"}]},
    ],
)
def test_the_bindings_are_loaded_when_a_type_is_named(request_: object) -> None:
    """Until then it is not known which submodules Python will have imported."""
    node = Node([{"ok": "app"}, {"ok": "loaded"}, {"ok": "created"}])
    wire = Wire(node.pipes, lambda: Path("slice.tgz"))
    ask(wire, load(BINDINGS))
    ask(wire, {"api": "create", "fqn": "cdktf.App"})
    assert [each["api"] for each in node.heard] == ["create"]
    assert ask(wire, request_) == {"ok": "created"}
    assert node.heard[1] == load(BINDINGS) | {"tarball": "slice.tgz"}


def test_words_like_a_type_are_not_one() -> None:
    """A user's text cannot load the bindings, or pass for a load."""
    node = Node([{"ok": "set"}])
    wire = Wire(node.pipes, lambda: pytest.fail("nothing is to be loaded"))
    ask(wire, load(BINDINGS))
    text = f'"{BINDINGS}.instance" and "api": "load"'
    assert ask(wire, {"api": "set", "value": text}) == {"ok": "set"}


def test_a_failed_load_starts_node_once_more() -> None:
    """Where jsii's package cache is broken, the loads are repeated without it."""
    broken = Node([GREETING, {"error": "Cannot use the package cache"}])
    sound = Node([GREETING, {"ok": "loaded"}, {"ok": "created"}])
    reasons = []

    def restart(reason: str) -> Pipes:
        reasons.append(reason)
        return sound.pipes

    wire = Wire(broken.pipes, lambda: Path("slice.tgz"), greeting=True, restart=restart)
    ask(wire, load("cdktf"))
    assert ask(wire, {"api": "create", "fqn": "cdktf.App"}) == {"ok": "created"}
    assert reasons == ["Cannot use the package cache"]
    assert [each["api"] for each in sound.heard] == ["load", "create"]


def test_a_load_that_fails_twice_is_an_error() -> None:
    """Node's own words reach the user, and there is no third attempt."""
    nodes = [Node([GREETING, {"error": "no space left"}]) for _ in range(2)]
    wire = Wire(
        nodes[0].pipes,
        lambda: Path("slice.tgz"),
        greeting=True,
        restart=lambda _: nodes[1].pipes,
    )
    ask(wire, load("cdktf"))
    with pytest.raises(RuntimeError, match="no space left"):
        ask(wire, {"api": "create", "fqn": "cdktf.App"})


def test_nothing_is_started_over_once_objects_exist() -> None:
    """A late failure is an error: a new Node would not know the objects made so far."""
    node = Node([{"ok": "app"}, {"error": "no space left"}])
    wire = Wire(node.pipes, lambda: Path("slice.tgz"), restart=lambda _: pytest.fail("too late"))
    ask(wire, load(BINDINGS))
    ask(wire, {"api": "create", "fqn": "cdktf.App"})
    with pytest.raises(RuntimeError, match="no space left"):
        ask(wire, {"api": "create", "fqn": f"{BINDINGS}.instance.Instance"})


@pytest.mark.parametrize("greeting", [True, False])
def test_a_node_that_ended_is_an_error(greeting: bool) -> None:
    """Its silence is not taken for a reply."""
    wire = Wire(Node([]).pipes, lambda: Path("slice.tgz"), greeting=greeting)
    with pytest.raises(RuntimeError, match="has ended"):
        ask(wire, {"api": "create", "fqn": "cdktf.App"})
