"""A checkout of the app beside an account on loopback, and what tests of both need."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from biomodal_deploy.sandbox import Sandbox
from tests.support.light import Ended, command
from tests.support.project import app_environment


@dataclass(frozen=True)
class Checkout:
    """A checkout, its account, and an environment that reaches this account and no other."""

    folder: Path
    sandbox: Sandbox
    environment: Mapping[str, str]

    def run(self, *words: str, status: int | None = None) -> Ended:
        """Run one command, which may have to end with a status."""
        ended = command(self.folder, words, self.environment, timeout=600)
        assert status in (None, ended.status), ended.out + ended.err
        return ended


def environment_of(folder: Path, home: Path) -> dict[str, str]:
    """Return the environment of a checkout's commands, with a temporary home.

    The cache is the user's own: the AWS bindings are cut to size once.
    """
    home.mkdir(exist_ok=True)
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return app_environment(folder, {"HOME": str(home), "XDG_CACHE_HOME": cache})


def user_keys(
    sandbox: Sandbox, name: str, policy: Mapping[str, object] | None = None
) -> dict[str, str]:
    """Make an IAM user who holds a policy, and return their keys as variables."""
    iam = sandbox.client("iam")
    iam.create_user(UserName=name)
    if policy:
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
