"""The document's checks on the machine itself, over SSH (sections "Next Steps", "Troubleshooting").

One program goes there and says what it saw; what that means is judged here.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from importlib.resources import files
from typing import Final, Literal

from pydantic import BaseModel, Field, ValidationError

from biomodal_deploy.aws.checks import CheckData, Finding, failed, not_yet, passed, unknown, warned
from biomodal_deploy.aws.errors import one_line
from biomodal_deploy.engine.process import Captured, NotStarted, TooMuchOutput
from biomodal_deploy.vm.access import SshTarget
from biomodal_deploy.vm.checks import install_answer
from biomodal_deploy.vm.connecting import capture_by_ssh
from biomodal_deploy.vm.deployed import Deployed
from biomodal_deploy.vm.ssh_failures import NotConnected
from biomodal_deploy.workflow.location import Listener


def program(settings: Mapping[str, str]) -> str:
    """Return the shell line that looks at the VM; nothing in it is secret."""
    text = as_program("signed_calls.py", "vm_probe.py")
    return shlex.join(["python3", "-I", "-c", text, json.dumps(dict(settings))])


def check_inside(
    deployed: Deployed, target: SshTarget, environment: Mapping[str, str], on_event: Listener
) -> tuple[CheckData, ...]:
    """Look at the machine itself.

    Raises:
        UsageError: There is no ssh, or the key will not do.
        Interrupted: It was asked to stop.
    """
    line = program(
        {
            "user": target.user,
            "region": deployed.region,
            "bucket": deployed.bucket or "",
            "registry": deployed.outputs.get("docker_repo_url", ""),
        }
    )
    try:
        return _judged(capture_by_ssh(target, line, environment, on_event), target)
    except NotConnected as error:
        return (failed(*error.parts).named("ssh", "SSH"),)
    except (NotStarted, TooMuchOutput) as error:
        return (unknown(one_line(str(error))).named("ssh", "SSH"),)


def _judged(done: Captured, target: SshTarget) -> tuple[CheckData, ...]:
    try:
        seen = Seen.model_validate_json(done.stdout)
    except ValidationError:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        said = one_line(lines[-1]) if lines else "it said nothing"
        answer = f"the VM did not answer as expected (status {done.returncode}: {said})"
        return (unknown(answer, "connect: biomodal-aws connect").named("ssh", "SSH"),)
    ssh = passed(f"{target.user}@{target.address} port {target.port}")
    return (ssh.named("ssh", "SSH"), *judged(seen, target.user))


_JAVA: Final = 21
_JAVA_VERSION: Final = re.compile(r'^.*version "([0-9]{1,4})(?![0-9]).*$', re.MULTILINE)
# Java, images and the head node's own work files; 100 GiB are there in the beginning.
_LITTLE_GIB, _TOO_LITTLE_GIB = 10, 1
_GIB: Final = 1 << 30
_MOST_BYTES: Final = 1 << 63
_INSTALL: Final = "see the install log's line"


class Ran(BaseModel, frozen=True):
    """A program that ran on the VM: its status is None where it could not."""

    status: int | None
    text: str


class Asked(BaseModel, frozen=True):
    """Calls to AWS that the VM made with its own credentials."""

    result: Literal["ok", "refused", "unasked"]
    text: str


class Disk(BaseModel, frozen=True):
    """The root file system, in bytes."""

    total: int = Field(ge=0, lt=_MOST_BYTES)
    free: int = Field(ge=0, lt=_MOST_BYTES)


class Seen(BaseModel, frozen=True):
    """What the program saw."""

    java: Ran
    docker: Ran
    docker_service: Ran
    docker_on_boot: Ran
    docker_use: Ran
    groups: Ran
    disk: Disk
    cloud_init: Ran
    log: str | None
    bucket: Asked
    registry: Asked


def judged(seen: Seen, user: str) -> tuple[CheckData, ...]:
    """Return what the sights mean."""
    return (
        _log(seen.log).named("install-log", "Install log"),
        _cloud_init(seen.cloud_init).named("cloud-init", "cloud-init"),
        _java(seen.java).named("java", "Java"),
        _docker(seen.docker).named("docker", "Docker"),
        _service(seen).named("docker-service", "Docker service"),
        _group(seen, user).named("docker-group", "Docker group"),
        _disk(seen.disk).named("disk", "Disk"),
        _asked(seen.bucket, "the bucket").named("bucket-access", "VM to the bucket"),
        _asked(seen.registry, "the registry").named("registry-login", "VM to the registry"),
    )


def _log(text: str | None) -> Finding:
    otherwise = "read it: biomodal-aws connect -- sudo cat /var/log/cloud-init-output.log"
    if text is None:
        return unknown("cloud-init-output.log cannot be read", otherwise)
    return install_answer(text, fresh=False, where="cloud-init-output.log", otherwise=otherwise)


def _cloud_init(said: Ran) -> Finding:
    words = one_line(said.text)
    if "status: done" in said.text:
        return passed(words)
    if "status: running" in said.text or "status: not run" in said.text:
        return not_yet(words)
    if "status: error" in said.text or "status: degraded" in said.text:
        return failed(
            words,
            "see the install log's line, or biomodal-aws connect -- sudo cloud-init status --long",
        )
    return unknown(f"cloud-init: {words}")


def _java(said: Ran) -> Finding:
    version = _JAVA_VERSION.search(said.text)
    if said.status is None:
        return failed(f"java: {one_line(said.text)}", _INSTALL)
    if said.status != 0 or version is None:
        return unknown(f"java -version: status {said.status}: {one_line(said.text)}")
    if int(version[1]) != _JAVA:
        return failed(
            f"Java {version[1]} comes first on PATH, and Java {_JAVA} is what was installed",
            "choose it: biomodal-aws connect -- sudo update-alternatives --config java",
        )
    # Not the first line: JAVA_TOOL_OPTIONS puts one of its own before it.
    return passed(one_line(version[0]))


def _docker(said: Ran) -> Finding:
    if said.status == 0:
        return passed(one_line(said.text))
    return failed(f"docker: {one_line(said.text)}", _INSTALL)


def _service(seen: Seen) -> Finding:
    active, on_boot = seen.docker_service, seen.docker_on_boot
    if active.status is None:
        return unknown(f"systemctl: {one_line(active.text)}")
    if active.status != 0:
        return failed(
            f"the Docker service is {one_line(active.text) or 'not active'}",
            "biomodal-aws connect -- sudo systemctl start docker",
        )
    if on_boot.status != 0:
        return failed(
            "the Docker service runs, but will not after a restart",
            "biomodal-aws connect -- sudo systemctl enable docker",
        )
    return passed("active, and started on every boot")


def _group(seen: Seen, user: str) -> Finding:
    groups, use = seen.groups, seen.docker_use
    member = "docker" in groups.text.split()
    join = f"biomodal-aws connect -- sudo usermod -aG docker {user}, and log in again"
    if groups.status != 0:
        return unknown(f"id {user}: {one_line(groups.text)}")
    if not member:
        return failed(f"{user} is not in the group docker", join)
    if use.status != 0:
        return failed(f"{user} is in the group docker, but: {one_line(use.text)}", "log in again")
    return passed(f"{user} may use Docker")


def _disk(disk: Disk) -> Finding:
    free, words = disk.free // _GIB, f"{disk.free / _GIB:.1f} of {disk.total / _GIB:.1f} GiB free"
    fix = "clear it: biomodal-aws connect -- docker system prune; or a larger vm_volume_gib"
    if free < _TOO_LITTLE_GIB:
        return failed(words, fix)
    return warned(words, fix) if free < _LITTLE_GIB else passed(words)


def _asked(asked: Asked, what: str) -> Finding:
    said = one_line(asked.text)
    if asked.result == "ok":
        return passed(said)
    if asked.result == "refused":
        return failed(
            f"{what} refuses the VM: {said}",
            "see what its role may do: biomodal-aws policy vm; an existing bucket's own policy "
            "counts too",
        )
    if said.startswith("OSError: docker login"):
        return failed(said.removeprefix("OSError: "), "see Docker's lines above")
    return unknown(f"{what} was not asked: {said}", "check the VM's way to AWS: doctor")


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
