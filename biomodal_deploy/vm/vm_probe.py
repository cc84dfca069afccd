"""What runs on the VM itself for `status --deep`: it looks, and prints what it saw as JSON.

Sent whole as an argument of the VM's own `python3` (3.10 on Ubuntu 22.04), `signed_calls` before
it, so it imports the standard library only: a fresh VM has neither the AWS CLI nor boto3.
It judges nothing and changes nothing but one small object below `nf-work/`, which it deletes.

Started as `python3 -I -c TEXT SETTINGS`, the settings being a JSON object: user, region, bucket,
registry.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

from biomodal_deploy.vm.signed_calls import SECONDS, SHOWN, Aws, outcome

LOG = "/var/log/cloud-init-output.log"
LOG_BYTES = 65536
ECR_TARGET = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"


def ran(*argv: str, text: str = "", environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Run a program; return its status (None where it is missing or hangs) and what it said."""
    try:
        done = subprocess.run(
            argv,
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=SECONDS,
            env={**os.environ, **(environment or {})},
            check=False,
        )
    except FileNotFoundError:
        return {"status": None, "text": "not found"}
    except subprocess.TimeoutExpired:
        return {"status": None, "text": f"no answer in {SECONDS} seconds"}
    except OSError as error:
        return {"status": None, "text": str(error)}
    return {"status": done.returncode, "text": done.stdout.strip()[-SHOWN:]}


def use_bucket(region: str, bucket: str) -> str:
    """Write, read and delete one small object."""
    aws = Aws(region)
    name = f"biomodal-aws-check-{os.urandom(8).hex()}"
    url = f"{aws.endpoint('s3')}/{bucket}/nf-work/{name}"
    # Otherwise urllib says that it is a form.
    aws.call("s3", "PUT", url, name.encode(), {"content-type": "application/octet-stream"})
    same = aws.call("s3", "GET", url) == name.encode()
    aws.call("s3", "DELETE", url)
    if not same:
        raise ValueError("what was read is not what was written")
    return "written, read and deleted"


def log_in(region: str, registry: str) -> str:
    """Log Docker in to the registry, and leave no password behind."""
    aws = Aws(region)
    headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": ECR_TARGET}
    answer = json.loads(aws.call("ecr", "POST", f"{aws.endpoint('api.ecr')}/", b"{}", headers))
    token = base64.b64decode(answer["authorizationData"][0]["authorizationToken"]).decode()
    user, _, password = token.partition(":")
    folder = tempfile.mkdtemp()
    try:
        login = ran(
            *("docker", "login", "--username", user, "--password-stdin", registry),
            text=password,
            environment={"DOCKER_CONFIG": folder},
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if login["status"] != 0:
        raise OSError(f"docker login: {login['text']}")
    return "logged in"


def end_of_log() -> str | None:
    """Return the end of cloud-init's log; None where it cannot be read."""
    try:
        with open(LOG, "rb") as file:  # noqa: PTH123 - short, it is an argument
            file.seek(max(0, os.fstat(file.fileno()).st_size - LOG_BYTES))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return None


def main(settings: Mapping[str, str]) -> None:
    """Look at everything and print it."""
    region, disk = settings["region"], shutil.disk_usage("/")
    seen = {
        "java": ran("java", "-version"),
        "docker": ran("docker", "--version"),
        "docker_service": ran("systemctl", "is-active", "docker"),
        "docker_on_boot": ran("systemctl", "is-enabled", "docker"),
        "docker_use": ran("docker", "info", "--format", "{{.ServerVersion}}"),
        "groups": ran("id", "-nG", settings["user"]),
        "disk": {"total": disk.total, "free": disk.free},
        "cloud_init": ran("cloud-init", "status"),
        "log": end_of_log(),
        "bucket": outcome(lambda: use_bucket(region, settings["bucket"])),
        "registry": outcome(lambda: log_in(region, settings["registry"])),
    }
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
