"""Calls to AWS by the standard library alone, for programs that are sent to other machines.

A fresh VM or an image has no AWS CLI: AWS General Reference, "Signing AWS API requests".
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping

SECONDS = 20
SHOWN = 400
METADATA = "http://169.254.169.254"
# Where the ECS agent gives a task the keys of its role (ECS developer guide, "Task IAM role").
TASK_KEYS = "http://169.254.170.2"


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


def own_keys() -> dict[str, str]:
    """Return the keys of the task's role, else of the machine's: as every SDK looks for them."""
    task = os.environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    if task:
        return dict(json.loads(fetch(TASK_KEYS + task, direct=True)))
    base = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", METADATA).rstrip("/")
    life = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
    token = fetch(f"{base}/latest/api/token", "PUT", b"", life, direct=True).decode()
    path = f"{base}/latest/meta-data/iam/security-credentials/"
    headers = {"X-aws-ec2-metadata-token": token}
    role = fetch(path, headers=headers, direct=True).decode().split()[0]
    return dict(json.loads(fetch(path + role, headers=headers, direct=True)))


class Aws:
    """AWS, called with the machine's or the task's own credentials."""

    def __init__(self, region: str) -> None:
        self.region, self.keys = region, own_keys()

    def endpoint(self, service: str) -> str:
        """Return where a service answers, or what stands in for AWS."""
        suffix = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        names = (f"AWS_ENDPOINT_URL_{service.upper()}", "AWS_ENDPOINT_URL")
        ours = next((os.environ[name] for name in names if os.environ.get(name)), "")
        return ours.rstrip("/") or f"https://{service}.{self.region}.{suffix}"

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
