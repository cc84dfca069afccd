"""What runs in the smoke job's container: it tries each layer, and prints one line of JSON for it.

Sent whole as an argument of the image's `python3`, `signed_calls` before it; see there. It judges
nothing: a layer is `ok`, `refused` (by AWS, in its words) or `unasked` (no answer, or not there).
What needs an earlier layer is not tried without it.

Started as `python3 -I -c TEXT SETTINGS`, the settings being a JSON object: mark, region, bucket,
folder, cli.
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

# A task stages files of hundreds of MiB at the least; this only has to show that writing works.
WRITTEN = 1 << 20


def keys(region: str) -> str:
    """Return whose credentials the task has."""
    task = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" in os.environ
    return f"{'the job' if task else 'the host'}'s role: {Aws(region).keys['AccessKeyId'][:4]}..."


def free_disk() -> str:
    """Return how many bytes are free where tasks work, once a file was written there."""
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
    done = subprocess.run(
        [found, "--version"], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    said = (done.stdout + done.stderr).strip()
    if done.returncode:
        raise ValueError(f"{found} --version ended with {done.returncode}: {said[-200:]}")
    return f"{found}: {said}"


def get(aws: Aws, url: str, text: bytes) -> str:
    """Read what was written, and compare it."""
    if aws.call("s3", "GET", url) != text:
        raise ValueError("what was read is not what was written")
    return "read"


def main(settings: Mapping[str, str]) -> None:
    """Try everything, each layer at once on its line: whatever ends the job, those remain."""
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
        say("list", outcome(lambda: aws.call("s3", "GET", f"{bucket}?{query}")[:0].decode()))
        if say("put", outcome(lambda: aws.call("s3", "PUT", url, text, kind)[:0].decode())):
            say("get", outcome(lambda: get(aws, url, text)))
            say("delete", outcome(lambda: aws.call("s3", "DELETE", url)[:0].decode()))
    say("end", {"result": "ok", "text": ""})


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
