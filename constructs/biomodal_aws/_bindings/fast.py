"""The fast path: one submodule at a time in Python, and a slice of the assembly in Node."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from biomodal_aws._bindings import package
from biomodal_aws._bindings.layout import ASSEMBLY, CORE, Bindings, LayoutError, say
from biomodal_aws._bindings.package import import_typeguard, unhindered
from biomodal_aws._bindings.wire import Node, Pipes, Wire

if TYPE_CHECKING:
    from biomodal_aws._bindings.store import Kept


def connect(bindings: Bindings, executable: str | None) -> None:
    """Put a wire between jsii and Node that loads what is used of the bindings.

    Raises:
        LayoutError: The system or jsii is not what this was made for.
        OSError: Node cannot be started, by jsii neither.
    """
    if os.name != "posix":
        raise LayoutError("private folders are a matter of POSIX systems here")
    loading = _Loading(bindings)
    with unhindered():
        loading.wire = _started(loading, executable) or _tapped(loading)
        sys.meta_path.insert(0, loading.finder)
        import_typeguard()
        import_module(CORE)


class _Loading:
    """What is loaded of the bindings, and how more is."""

    wire: Wire

    def __init__(self, bindings: Bindings) -> None:
        self.finder = package.Finder(self._extend)
        self._bindings = bindings
        self._extensions = 0

    def choose(self) -> Path:
        """Return an assembly with the submodules that Python has imported."""
        try:
            kept = self._including(package.imported())
        except LayoutError as error:
            say(f"all AWS bindings are loaded, which takes longer: {error}")
            return self._bindings.archive
        self.finder.close(kept.submodules)
        return kept.archive

    def _including(self, submodules: set[str]) -> Kept:
        # Only now: by the time that the bindings are needed, Node is on its way.
        from biomodal_aws._bindings.store import Store

        try:
            return Store.of_user(self._bindings).including(submodules)
        except OSError as error:
            say(f"what is cut out of the AWS bindings cannot be kept: {error}")
            return Store(self._bindings, _temporary_folder()).including(submodules)

    def _extend(self, submodule: str) -> str:
        """Load a submodule after the assembly, and return the name of what it is in.

        jsii loads one assembly of a name, so the submodule comes in one of another name. It is in
        the user's slice from now on: the next run does not come here.
        """
        from biomodal_aws._bindings.store import renamed

        kept = self._including({submodule})
        self._extensions += 1
        name = f"{ASSEMBLY}-late{self._extensions}"
        archive = _temporary_folder() / "late.tgz"
        archive.write_bytes(renamed(kept.archive.read_bytes(), name))
        self.wire.load(name, self._bindings.version, archive)
        return name


def _started(loading: _Loading, executable: str | None) -> Wire | None:
    """Start Node before jsii does, and return its wire; None where jsii starts it itself."""
    begun = any(name.endswith("._jsii") for name in sys.modules)
    if begun or executable is None or os.environ.get("JSII_RUNTIME"):
        return None
    try:
        running = Node(executable)
    except LayoutError:
        return None

    def restart(error: str) -> Pipes:
        nonlocal running
        say(f"jsii's package cache is not used: {error.splitlines()[0]}")
        running.stop()
        running = Node(executable, own_cache=True)
        return running.pipes

    def stop() -> None:
        # Python is about to look through all that there is for garbage, and then ends.
        gc.freeze()
        running.stop()

    atexit.register(stop)
    wire = Wire(running.pipes, loading.choose, greeting=True, restart=restart)
    provider: Any = import_module("jsii._kernel.providers.process")

    # jsii has no public place to say which process it talks to.
    class Adopted(provider._NodeProcess):  # type: ignore[misc]  # noqa: SLF001
        """Takes the place of the process that jsii starts by itself."""

        def start(self) -> None:
            self._process = SimpleNamespace(stdin=wire, stdout=wire)

        def stop(self) -> None:
            stop()

    provider._NodeProcess = Adopted  # noqa: SLF001
    return wire


def _tapped(loading: _Loading) -> Wire:
    """Put the wire into the pipes of the Node that jsii starts or has started."""
    jsii: Any = import_module("jsii")
    process = jsii.kernel.provider._process._process  # noqa: SLF001
    wire = Wire((process.stdin, process.stdout), loading.choose)
    process.stdin = process.stdout = wire
    return wire


def _temporary_folder() -> Path:
    folder = tempfile.mkdtemp(prefix="biomodal-aws-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
