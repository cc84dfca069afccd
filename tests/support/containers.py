"""Real containers: podman's Docker API on a socket of the test's own, with its own storage.

Host networking and runc: bridges and crun do not work where tests themselves run in a container.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from tests.support.processes import run_program

IMAGE: Final = "localhost/smoke-python:1"
_NEEDED: Final = ("podman", "runc")
_STORAGE: Final = '[storage]\ndriver = "vfs"\ngraphroot = "{0}/root"\nrunroot = "{0}/run"\n'
# Limits higher than our own are refused where the tests run in a container themselves.
_CONTAINERS: Final = """\
[containers]
netns = "host"
default_ulimits = {limits}
log_driver = "k8s-file"
{more}
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "{folder}/libpod"
"""


@dataclass
class Containers:
    """A container runtime."""

    folder: Path  # all of its files
    server: subprocess.Popen[bytes] | None = field(default=None)  # its service, while it runs

    @property
    def host(self) -> str:
        """What DOCKER_HOST has to be."""
        return f"unix://{self.folder / 'docker.sock'}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of podman."""
        return {
            **os.environ,
            "CONTAINERS_CONF": str(self.folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
            "TMPDIR": str(self.folder / "tmp"),
        }

    def podman(self, *words: str | Path) -> str:
        """Run podman, and return what it printed."""
        return run_program(
            ["podman", *map(str, words)], env=self.environment, check=True, timeout=120
        ).stdout

    def start(self, more: str = "") -> None:
        """Start the service again."""
        self.stop()
        (self.folder / "containers.conf").write_text(
            _CONTAINERS.format(folder=self.folder, more=more, limits=_limits())
        )
        socket = self.folder / "docker.sock"
        socket.unlink(missing_ok=True)
        with (self.folder / "service.log").open("ab") as said:
            self.server = subprocess.Popen(
                ["podman", "system", "service", "--time", "0", self.host],
                env=self.environment,
                stderr=said,
            )
        deadline = time.monotonic() + 20
        while not socket.exists():
            assert self.server.poll() is None, (self.folder / "service.log").read_text()
            assert time.monotonic() < deadline, "podman's service does not start"
            time.sleep(0.05)

    def remove(self) -> None:
        """Remove all layers, once what a stopped job was just starting has ended."""
        for left in (2, 1, 0):
            try:
                self.podman("system", "reset", "--force")
                break
            except subprocess.CalledProcessError as error:
                if not left:
                    raise RuntimeError(error.stderr) from error
                time.sleep(2)

    def stop(self) -> None:
        """End the service."""
        if self.server:
            self.server.terminate()
            self.server.wait(10)
            self.server = None


def _limits() -> str:
    kinds = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
    # No limit at all is -1.
    hard = {name: resource.getrlimit(kind)[1] % 2**63 for name, kind in kinds.items()}
    most = {name: min(limit, 4096) for name, limit in hard.items()}
    return json.dumps([f"{name}={limit}:{limit}" for name, limit in most.items()])


def missing_for_containers() -> str:
    """Return what is missing to run containers here; empty where nothing is."""
    path = f"{os.environ['PATH']}{os.pathsep}/usr/sbin{os.pathsep}/sbin"
    missing = [name for name in _NEEDED if shutil.which(name, path=path) is None]
    return ", ".join([*missing, *(["root's rights"] if os.geteuid() else [])])


@contextmanager
def running_containers() -> Iterator[Containers]:
    """Start a container runtime with one image, or skip the test where there is none."""
    if missing := missing_for_containers():
        pytest.skip(f"no containers here, for want of {missing}: make containers")
    # A short path: in pytest's own folders conmon's sockets get names that are too long, and
    # podman then takes twenty seconds to see that a container has ended.
    with tempfile.TemporaryDirectory(prefix="smoke-") as name:
        found = Containers(Path(name))
        (found.folder / "tmp").mkdir()
        (found.folder / "storage.conf").write_text(_STORAGE.format(name))
        found.start()
        try:
            _import_image(found)
            yield found
        finally:
            found.podman("rm", "--all", "--force", "--time", "0")
            found.stop()
            # Layers keep their own modes; podman removes them all.
            found.remove()


def _import_image(containers: Containers) -> None:
    """Make an image of this machine's own Python, its libraries and a shell."""
    archive = containers.folder / "image.tar"
    python = Path(sys.executable).resolve()
    with tarfile.open(archive, "w") as tar:
        for path in _files(python):
            tar.add(path.resolve(), arcname=str(path), recursive=False)
        link = tarfile.TarInfo("usr/bin/python3")
        link.type, link.linkname = tarfile.SYMTYPE, str(python)
        tar.addfile(link)
        for name in ("tmp", "var/tmp"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
            tar.addfile(folder)
        # busybox where there is one; this machine's own shell needs no library but Python's.
        tar.add(Path(shutil.which("busybox") or "/bin/sh").resolve(), arcname="bin/sh")
    containers.podman("import", "--change", "ENV PATH=/usr/bin:/bin", archive, IMAGE)
    archive.unlink()


def _files(python: Path) -> Iterator[Path]:
    """Yield Python, its standard library without tests, and the shared libraries of both."""
    library = Path(sysconfig.get_path("stdlib"))
    skipped = {"site-packages", "test", "idlelib", "__pycache__", "ensurepip", "lib2to3", "tkinter"}
    modules = [
        path
        for path in library.rglob("*")
        if path.is_file()
        and not skipped & set(path.relative_to(library).parts)
        and not any(part.startswith("config-") for part in path.relative_to(library).parts)
    ]
    yield python
    yield from modules
    yield from _libraries([python, *(path for path in modules if path.suffix == ".so")])


def _libraries(binaries: list[Path]) -> set[Path]:
    said = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, check=False)
    words = {word for line in said.stdout.splitlines() for word in line.split()}
    return {Path(word) for word in words if word.startswith("/") and not word.endswith(":")}
