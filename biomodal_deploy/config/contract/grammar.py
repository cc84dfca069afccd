"""What values that come back from AWS and from a state look like, each in its own grammar.

A state can be edited by whoever may write to its bucket, and its values go into SSH and Nextflow
configurations, environment files, shell commands and onto terminals. So each is checked where it
is read, and what does not fit is refused there, with the field and the value.

Sources: EC2 API reference (instance ids), IAM user guide "IAM identifiers" (ARNs, names), Batch,
ECR and CloudWatch Logs API references (names), Amazon S3 user guide (bucket names).
"""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import StringConstraints

from biomodal_deploy.config.contract.aws import ACCOUNT, BUCKET, REGION

# Anchors of their own: `$` alone would let a line end pass.
_ARN: Final = (
    rf"arn:aws[a-z-]*:[a-z0-9-]+:({REGION})?:({ACCOUNT}|aws)?:"
    r"[A-Za-z0-9_+=,.@:/#*-]+"
)
_HOST: Final = r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?"
_IP: Final = r"[0-9A-Fa-f.:]{2,45}"

InstanceId = Annotated[str, StringConstraints(pattern=r"\Ai-[0-9a-f]{8,17}\z")]
InstanceType = Annotated[str, StringConstraints(pattern=r"\A[a-z0-9-]+\.[a-z0-9-]+\z")]
IpAddress = Annotated[str, StringConstraints(pattern=rf"\A({_IP})?\z")]
Arn = Annotated[str, StringConstraints(pattern=rf"\A{_ARN}\z")]
# Batch, ECR, IAM, EC2 and CloudWatch Logs: none allows more than these letters in a name.
Name = Annotated[str, StringConstraints(pattern=r"\A[A-Za-z0-9_+=,.@/#()-]{1,512}\z")]

# Of each documented output, what it looks like in words and as a pattern.
OUTPUT_GRAMMAR: Final[dict[str, tuple[str, re.Pattern[str]]]] = {
    "bucket_url": ("s3:// and a bucket name", re.compile(rf"s3://{BUCKET}/?")),
    "docker_repo_url": (
        "a host name, with a path or without",
        re.compile(rf"{_HOST}(:[0-9]{{1,5}})?(/[A-Za-z0-9._/-]*)?"),
    ),
    "private_ip": ("an IP address", re.compile(_IP)),
    "private_key_filename": ("a path of printable letters", re.compile(r"[^\x00-\x1f\x7f-\x9f]+")),
    "public_ip": ("an IP address or a host name", re.compile(rf"{_IP}|{_HOST}")),
    "ssh_user": ("a Linux user name", re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,31}")),
    "vm_name": (
        "a name of letters, digits, dots, hyphens and underscores",
        re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}"),
    ),
}


def broken_output(name: str, value: str) -> str | None:
    """Return what a documented output has to be, where its value is something else."""
    words, pattern = OUTPUT_GRAMMAR[name]
    return None if not value or pattern.fullmatch(value) else words
