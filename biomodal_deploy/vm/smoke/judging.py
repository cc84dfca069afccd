"""From what Batch and the job say to a finding for each layer; what was not reached is unknown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from biomodal_deploy.aws.checks import CheckData, Finding, failed, passed, unknown, warned
from biomodal_deploy.aws.errors import one_line
from biomodal_deploy.config.contract.aws import SMOKE_IMAGE
from biomodal_deploy.text import sized
from biomodal_deploy.vm.smoke import Said, SmokeJob

# In the order in which a task needs them: the first that fails is the broken one.
LAYERS: Final = {
    "accepted": "Job accepted",
    "host": "Host came up",
    "image": "Image pulled",
    "log": "Log readable",
    "credentials": "Credentials",
    "list": "List bucket",
    "put": "Put object",
    "get": "Get object",
    "delete": "Delete object",
    "disk": "Free disk",
    "aws": "AWS command line",
}
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_XML: Final = re.compile(r"<(?:Code|Message)>([^<]*)<")
_IN_THE_JOB: Final = tuple(LAYERS)[4:]
# The documented hosts have 500 GB; with less than this, an image of a pipeline and its inputs fill
# the disk.
_LOW_DISK: Final = 20 * 1024**3


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was seen of the job.

    Attributes:
        described: As Batch described it last, while it was there.
        started: Whether it was on a host at any time.
        said: What it printed.
        log: What reading its log came to; None where that was not tried.
        waited: What kept it from a host when the time was over; None where it was not so.
    """

    job: SmokeJob
    described: Mapping[str, Any]
    started: bool
    said: Sequence[Said] = ()
    log: Finding | None = None
    waited: Finding | None = None


def judge(seen: Seen) -> tuple[CheckData, ...]:
    """Return a finding for each layer, in their order."""
    found = {"accepted": passed(f"{seen.job.id} in {seen.job.facts.queue}"), **_outside(seen)}
    # The last word on a layer counts: Batch starts a job again that has lost its host.
    found |= {
        line.layer: _inside(line, seen.job) for line in seen.said if line.layer in _IN_THE_JOB
    }
    return named(found)


def named(found: Mapping[str, Finding]) -> tuple[CheckData, ...]:
    """Return all layers, those that were not reached as not looked at."""
    broken = next(
        (LAYERS[each] for each in LAYERS if each in found and not found[each].passed), None
    )
    because = f": {broken} comes first" if broken else ""
    missing = unknown(f"not looked at{because}")
    return tuple(found.get(each, missing).named(each, title) for each, title in LAYERS.items())


def _outside(seen: Seen) -> dict[str, Finding]:
    """Judge host, image and log by what Batch says."""
    if seen.waited:
        return {"host": seen.waited}
    reason = _reason(seen.described)
    if not seen.started:
        fix = "biomodal-aws doctor; then run it again"
        return {"host": failed(f"no host ran it: {reason}", fix)}
    found = {"host": passed("a host ran the job")}
    facts = seen.job.facts
    if "CannotPull" in reason:
        found["image"] = failed(reason, _pull_fix(seen.job))
    elif "log" in reason.lower() and "Cannot" in reason:
        fix = f"aws logs create-log-group --region {facts.region} --log-group-name"
        found["log"] = failed(reason, f"{fix} {seen.job.log_group}, or run biomodal-aws plan")
    elif "Cannot" in reason or _exit_code(seen.described) in (126, 127):
        line = reason or "the image has no python3"
        found["image"] = failed(line, f"--image needs python3 in it, as {SMOKE_IMAGE} has")
    elif _exit_code(seen.described) is None and not seen.said:
        found["image"] = unknown(f"the job ended before it began: {reason or 'no reason given'}")
    else:
        found["image"] = passed(seen.job.image)
        if seen.log:
            found["log"] = seen.log
    return found


def _pull_fix(job: SmokeJob) -> str:
    registry = job.facts.registry
    if registry and job.image.startswith(registry):
        return "push the image, and let the hosts' role read the repository"
    return (
        f"name an image that is there; without a way to the internet mirror {SMOKE_IMAGE} to "
        f"{registry or 'the ECR repository'}, and name that with --image"
    )


def _reason(described: Mapping[str, Any]) -> str:
    """Return Batch's own words: the container's are more telling than the job's."""
    container = described.get("container") or {}
    said = container.get("reason") or described.get("statusReason") or ""
    return one_line(str(said))


def _exit_code(described: Mapping[str, Any]) -> int | None:
    code = (described.get("container") or {}).get("exitCode")
    return code if isinstance(code, int) else None


def _inside(line: Said, job: SmokeJob) -> Finding:
    """Judge one line of the job's."""
    text, folder = one_line(line.text), f"s3://{job.facts.bucket}/{job.folder}"
    if line.result == "refused":
        return failed(f"AWS refused it: {_refusal(text)}", _fix(line, job))
    if line.result == "ok":
        if line.layer == "disk":
            return _disk(text)
        return passed(text or folder)
    if line.layer == "aws" and not job.facts.cli_path and job.image == SMOKE_IMAGE:
        # As Nextflow is told; this image is none of a task's.
        return passed("Nextflow is told of none on the hosts: each task's image brings its own")
    return failed(text, _fix(line, job))


def _refusal(text: str) -> str:
    """Return status, code and message of an answer of S3's, as far as it has them."""
    parts = [text.split(" ", 1)[0], *(found[1] for found in _XML.finditer(text))]
    return " ".join(parts) if len(parts) > 1 else text


def _disk(text: str) -> Finding:
    if not text.isdecimal():
        return unknown(f"the job named no size: {text}")
    free = int(text)
    if free < _LOW_DISK:
        fix = "give the hosts a larger volume: batch_volume_gib of the hardened profile"
        return warned(f"only {sized(free)} are free on the host", fix)
    return passed(f"{sized(free)} free")


def _fix(line: Said, job: SmokeJob) -> str:
    facts = job.facts
    if line.layer == "disk":
        return "give the hosts a larger volume, or let Batch end the full host: terminate it"
    if line.layer == "aws":
        if facts.cli_path:
            return "read the start-up log of a host: it could not download the AWS command line"
        return "add the AWS command line to the image: the hosts have none (hardened ones do)"
    if line.layer == "credentials":
        return (
            "the hosts need an instance profile with a role, and a metadata hop limit of 2 in "
            "their launch template"
        )
    if line.result == "unasked":
        return "open a way from the hosts' subnets to S3: a gateway endpoint, NAT or public address"
    if facts.shared_hosts_role:
        return "ecsInstanceRole may not use the bucket: biomodal-aws doctor prints the command"
    return "let the hosts' role use the bucket (biomodal-aws plan restores it; see bucket policy)"
