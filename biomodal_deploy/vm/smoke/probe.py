"""What runs in the smoke job's container: it tries each layer, and prints one line of JSON for it.

It judges nothing: a layer is `ok`, `refused` (by AWS, in its words) or `unasked` (no answer, or not
there). What needs an earlier layer is not tried without it.

Started as `python3 -I -c TEXT SETTINGS`: mark, region, bucket, folder and cli in JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping

from biomodal_deploy.vm.signed_calls import SECONDS, Aws, outcome

WRITTEN = 1 << 20


def keys(region: str) -> str:
    """Return whose credentials the task has."""
    task = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" in os.environ
    return f"{'the job' if task else 'the host'}'s role: {Aws(region).keys['AccessKeyId'][:4]}..."


def free_disk() -> str:
    """Return how many bytes are free where tasks work, once some were written."""
    with tempfile.TemporaryFile() as file:
        file.write(b"\0" * WRITTEN)
        file.flush()
        os.fsync(file.fileno())
    return str(shutil.disk_usage(tempfile.gettempdir()).free)


def command_line(path: str) -> str:
    """Return the version of the AWS command line, which the host mounts or the image has."""
    found = shutil.which(path)
    if found is None:
        raise LookupError(f"{path} is not there")
    argv = [found, "--version"]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise ValueError(f"{found} --version hangs") from None
    said = (done.stdout + done.stderr).strip()
    if done.returncode:
        raise ValueError(f"{found} --version ended with {done.returncode}: {said[-200:]}")
    return f"{found}: {said}"


def done(answer: bytes, expected: bytes | None = None) -> str:
    """Return nothing for an answer of S3's; one to a GET has to be what was written."""
    if expected is not None and answer != expected:
        raise ValueError("what was read is not what was written")
    return ""


def main(settings: Mapping[str, str]) -> None:
    """Try everything; each line is printed at once, for whatever ends the job."""
    region, mark = settings["region"], settings["mark"]

    def say(layer: str, found: Mapping[str, str]) -> bool:
        print(json.dumps({"mark": mark, "layer": layer, **found}), flush=True)
        return found["result"] == "ok"

    say("disk", outcome(free_disk))
    say("aws", outcome(lambda: command_line(settings["cli"])))
    if say("credentials", outcome(lambda: keys(region))):
        aws = Aws(region)
        bucket = f"{aws.endpoint('s3')}/{settings['bucket']}"
        url, text = f"{bucket}/{settings['folder']}/probe", mark.encode()
        prefix = settings["folder"].replace("/", "%2F")
        query = f"list-type=2&max-keys=1&prefix={prefix}"
        kind = {"content-type": "application/octet-stream"}
        say("list", outcome(lambda: done(aws.call("s3", "GET", f"{bucket}?{query}"))))
        if say("put", outcome(lambda: done(aws.call("s3", "PUT", url, text, kind)))):
            say("get", outcome(lambda: done(aws.call("s3", "GET", url), text)))
            say("delete", outcome(lambda: done(aws.call("s3", "DELETE", url))))
    say("end", {"result": "ok", "text": ""})


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
