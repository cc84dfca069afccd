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


class _Closed(io.BytesIO):
    """A pipe that nobody reads any more."""

    def flush(self) -> None:
        """Fail as such a pipe does."""
        raise BrokenPipeError


class Node:
    """A Node that has its replies ready."""

    def __init__(self, replies: Iterable[object]) -> None:
        self._requests = io.BytesIO()
        text = b"".join(json.dumps(reply).encode() + b"\n" for reply in replies)
        self._replies = io.BytesIO(text)
        self.pipes: Pipes = (self._requests, self._replies)

    @property
    def heard(self) -> list[dict[str, Any]]:
        """The requests so far."""
        return [json.loads(line) for line in self._requests.getvalue().splitlines()]

    @property
    def unread(self) -> int:
        """How many replies nobody has read yet."""
        return self._replies.getvalue()[self._replies.tell() :].count(b"\n")


def load(name: str) -> dict[str, str]:
    """Return jsii's request to load an assembly."""
    return {"name": name, "version": "1.0.0", "tarball": f"{name}.tgz", "api": "load"}


def name(ref: str = "cdktf.TerraformVariable@10003", method: str = "overrideLogicalId") -> Any:
    """Return jsii's request to call a method from which nothing comes back."""
    return {"objref": {"$jsii.byref": ref}, "method": method, "args": ["a"], "api": "invoke"}


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
        nodes[0].pipes, lambda: Path("slice.tgz"), greeting=True, restart=lambda _: nodes[1].pipes
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


def test_a_node_that_never_started_is_not_started_again() -> None:
    """What ended it is not the package cache, and a closed pipe is the same news as silence."""
    node = Node([])
    wire = Wire(
        (_Closed(), node.pipes[1]),
        lambda: Path("slice.tgz"),
        greeting=True,
        restart=lambda reason: pytest.fail(reason),
    )
    ask(wire, load("cdktf"))
    with pytest.raises(RuntimeError, match="has ended"):
        ask(wire, {"api": "create", "fqn": "cdktf.App"})


@pytest.mark.parametrize("method", ["overrideLogicalId", "addOverride"])
@pytest.mark.parametrize("ref", ["cdktf.TerraformStack@1", f"{BINDINGS}.instance.Instance@10"])
def test_what_returns_nothing_is_not_waited_for(ref: str, method: str) -> None:
    """It is answered before Node has said anything, and its reply is given to nobody."""
    node = Node([{"ok": {"result": None}}, {"ok": {"result": None}}, {"ok": "got"}])
    wire = Wire(node.pipes, lambda: Path("slice.tgz"))
    for _ in range(2):
        assert ask(wire, name(ref, method)) == {"ok": {"result": None}}
    assert node.unread == 3
    assert ask(wire, {"api": "get", "property": "id"}) == {"ok": "got"}
    assert [each["api"] for each in node.heard] == ["invoke", "invoke", "get"]


@pytest.mark.parametrize(
    "request_",
    [
        name(method="synth"),
        name(ref="@cdktf/provider-random.pet.Pet@10003"),
        {"api": "invoke", "args": [json.dumps(name())]},
    ],
)
def test_what_may_return_something_is_waited_for(request_: object) -> None:
    """Only cdktf's own methods are known to return nothing, whatever a user's text looks like."""
    wire = Wire(Node([{"ok": "said"}]).pipes, lambda: Path("slice.tgz"))
    assert ask(wire, request_) == {"ok": "said"}


def test_what_went_wrong_meanwhile_is_raised_next() -> None:
    """Nothing is lost, and later replies still belong to their own requests."""
    node = Node([{"error": "fqn was requested"}, {"ok": "first"}, {"ok": "second"}])
    wire = Wire(node.pipes, lambda: Path("slice.tgz"))
    ask(wire, name())
    with pytest.raises(RuntimeError, match="fqn was requested"):
        ask(wire, {"api": "get", "property": "id"})
    assert ask(wire, {"api": "get", "property": "id"}) == {"ok": "second"}


def test_replies_are_read_before_they_fill_the_pipe() -> None:
    """However many are not waited for, Node never has to wait for us."""
    node = Node([{"ok": {"result": None}}] * 1000)
    wire = Wire(node.pipes, lambda: Path("slice.tgz"))
    for number in range(1000):
        ask(wire, name())
        assert node.unread >= 1000 - number - 1
        assert node.unread <= 1000 - number + 101
    assert len(node.heard) == 1000


def test_a_load_waits_for_what_came_before_it() -> None:
    """The replies come in the order of the requests, and a failed load is no success."""
    node = Node([{"ok": {"result": None}}, {"error": "no space left"}])
    wire = Wire(node.pipes, lambda: Path("slice.tgz"))
    ask(wire, name())
    with pytest.raises(RuntimeError, match="no space left"):
        wire.load("late", "1.0.0", Path("late.tgz"))
