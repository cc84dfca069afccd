"""What runs on the VM itself for `status --deep`: it looks, and prints what it saw as JSON.

Sent whole as an argument of the VM's own `python3` (3.10 on Ubuntu 22.04), so it imports the
standard library only: a fresh VM has neither the AWS CLI nor boto3, and Signature Version 4 is
written out here for three kinds of calls (AWS General Reference, "Signing AWS API requests").
It judges nothing and changes nothing but one small object below `nf-work/`, which it deletes.

Started as `python3 -I -c TEXT SETTINGS`, the settings being a JSON object: user, region, bucket,
registry.
"""

import base64
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

SECONDS = 20
LOG = "/var/log/cloud-init-output.log"
LOG_BYTES = 65536
SHOWN = 400
METADATA = "http://169.254.169.254"
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


def outcome(ask: Callable[[], str]) -> dict[str, str]:
    """Return what became of calls to AWS: `ok`, `refused` with AWS's own words, or `unasked`."""
    try:
        return {"result": "ok", "text": ask()}
    except urllib.error.HTTPError as error:
        body = " ".join(error.read(2000).decode("utf-8", "replace").split())
        return {"result": "refused", "text": f"{error.code} {body}"[:SHOWN]}
    except (OSError, LookupError, ValueError) as error:
        return {"result": "unasked", "text": f"{type(error).__name__}: {error}"[:SHOWN]}


def fetch(
    url: str,
    method: str = "GET",
    data: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    direct: bool = False,
) -> bytes:
    """Return the body of an HTTP answer; the instance metadata is never behind a proxy."""
    request = urllib.request.Request(url, data=data, headers=dict(headers or {}), method=method)  # noqa: S310
    handlers = [urllib.request.ProxyHandler({})] if direct else []
    with urllib.request.build_opener(*handlers).open(request, timeout=SECONDS) as answer:
        return bytes(answer.read())


class Aws:
    """AWS, called with the VM's own credentials, as every SDK on it finds them."""

    def __init__(self, region: str) -> None:
        self.region = region
        base = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", METADATA).rstrip("/")
        life = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
        token = fetch(f"{base}/latest/api/token", "PUT", b"", life, direct=True).decode()
        path = f"{base}/latest/meta-data/iam/security-credentials/"
        headers = {"X-aws-ec2-metadata-token": token}
        role = fetch(path, headers=headers, direct=True).decode().split()[0]
        self.keys: dict[str, str] = json.loads(fetch(path + role, headers=headers, direct=True))

    def endpoint(self, service: str) -> str:
        """Return where a service answers, or what stands in for AWS."""
        suffix = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        ours = os.environ.get("AWS_ENDPOINT_URL", "").rstrip("/")
        return ours or f"https://{service}.{self.region}.{suffix}"

    def call(
        self,
        service: str,
        method: str,
        url: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """Make a signed call and return the answer's body."""
        parts = urllib.parse.urlsplit(url)
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        digest = hashlib.sha256(body).hexdigest()
        sent = {
            "host": parts.netloc,
            "x-amz-content-sha256": digest,
            "x-amz-date": now,
            "x-amz-security-token": self.keys["Token"],
            **(headers or {}),
        }
        names = ";".join(sorted(sent))
        lines = [f"{name}:{sent[name]}" for name in sorted(sent)]
        request = "\n".join([method, parts.path, parts.query, *lines, "", names, digest])
        scope = f"{now[:8]}/{self.region}/{service}/aws4_request"
        hashed = hashlib.sha256(request.encode()).hexdigest()
        key = ("AWS4" + self.keys["SecretAccessKey"]).encode()
        for word in (*scope.split("/"), f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashed}"):
            key = hmac.new(key, word.encode(), hashlib.sha256).digest()
        del sent["host"]
        sent["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.keys['AccessKeyId']}/{scope}, "
            f"SignedHeaders={names}, Signature={key.hex()}"
        )
        return fetch(url, method, body if method in ("PUT", "POST") else None, sent)


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
