"""Light projects whose state lies in a bucket of the sandbox: two people, one state."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from biomodal_deploy.sandbox import Sandbox
from tests.support.light import STACK, LightProject
from tests.support.mirror import kept_settings

BUCKET: Final = "lab-state"
KEY: Final = f"{STACK}/terraform.tfstate"

QUICK: Final[dict[str, Any]] = {
    "resource": {"terraform_data": {"first": {}, "second": {"input": "x"}}}
}
# What an apply takes so long for that another one, or a kill, falls into it.
SLOW: Final = {
    "resource": {
        "terraform_data": {
            **QUICK["resource"]["terraform_data"],
            "slow": {
                "depends_on": ["terraform_data.first"],
                "provisioner": {"local-exec": {"command": "sleep 4; true"}},
            },
        }
    }
}


class SharedProject(LightProject):
    """One checkout of a project whose state may lie in the sandbox's bucket."""

    def __init__(self, folder: Path, sandbox: Sandbox, model: Mapping[str, Any] = QUICK) -> None:
        self.sandbox = sandbox
        super().__init__(folder, {STACK: model}, {"stacks": {STACK: {}}})
        self._model = model

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return an environment that reaches the sandbox and nothing else of AWS."""
        return self.sandbox.environment(super().environment({**kept_settings(), **(more or {})}))

    def keep_in_s3(self, key: str = KEY, bucket: str = BUCKET) -> None:
        """Change the settings, and what the app synthesizes from them, to the bucket."""
        settings = {"kind": "s3", "bucket": bucket, "key": key, "region": self.sandbox.region}
        self._keep(settings, {"s3": {**settings, "use_lockfile": True}})

    def keep_in_files(self, *files: str) -> None:
        """Change them to a bucket that these files name."""
        settings = {"kind": "partial", "config_files": list(files)}
        self._keep(settings, {"s3": {"use_lockfile": True}})

    def keep_here(self) -> None:
        """Change them to a local state."""
        self._keep("local", None)

    def change(self, model: Mapping[str, Any]) -> None:
        """Change what the app synthesizes, and keep its backend."""
        path = self.folder / "model.json"
        backend = {"terraform": json.loads(path.read_text())[STACK].get("terraform", {})}
        self._model = model
        self.model({STACK: {**model, **backend}})

    def _keep(self, settings: object, block: dict[str, dict[str, Any]] | None) -> None:
        path = self.folder / "cdktf.json"
        document = json.loads(path.read_text())
        document["context"]["stacks"][STACK]["backend"] = settings
        path.write_text(json.dumps(document))
        for each in (block or {}).values():
            each.pop("kind", None)
        backend = {"terraform": {"backend": block}} if block else {}
        self.model({STACK: {**self._model, **backend}})

    @property
    def local_state(self) -> Path:
        """The state while it is local."""
        return self.folder / "state" / f"{STACK}.tfstate"

    @property
    def backups(self) -> list[Path]:
        """What was kept of states that were moved."""
        return sorted((self.folder / "state" / "backups").glob("*.tfstate"))

    def copy(self, folder: Path) -> SharedProject:
        """Return another checkout with all that is in this one, sealed plans too."""
        shutil.copytree(self.folder, folder, symlinks=True)
        copied = SharedProject.__new__(SharedProject)
        copied.folder, copied.sandbox, copied._model = folder, self.sandbox, self._model
        return copied

    def applied(self) -> None:
        """Plan and apply."""
        self.plan()
        ended = self.run("apply")
        assert ended.status == 0, ended.out + ended.err


def shared_state(sandbox: Sandbox, key: str = KEY) -> dict[str, Any]:
    """Return the state in the bucket."""
    body = sandbox.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    document: dict[str, Any] = json.loads(body)
    return document


def put_state(sandbox: Sandbox, key: str, state: Mapping[str, Any]) -> None:
    """Put a state into the bucket, as an apply would have."""
    body = json.dumps(state).encode()
    sandbox.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)


def locked(sandbox: Sandbox, key: str = KEY) -> bool:
    """Whether the bucket holds a lock for the state."""
    listed = sandbox.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"{key}.tflock")
    return listed["KeyCount"] > 0


def addresses(state: Mapping[str, Any]) -> set[str]:
    """Return what a state holds."""
    return {f"{each['type']}.{each['name']}" for each in state["resources"]}


def make_bucket(sandbox: Sandbox) -> None:
    """Make the bucket, versioned as `backend create` makes it."""
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})


def remove_bucket(sandbox: Sandbox) -> None:
    """Remove the bucket with all that is in it, where it is there."""
    s3 = sandbox.client("s3")
    if BUCKET not in {each["Name"] for each in s3.list_buckets()["Buckets"]}:
        return
    listed = s3.list_object_versions(Bucket=BUCKET)
    for each in [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]:
        s3.delete_object(Bucket=BUCKET, Key=each["Key"], VersionId=each["VersionId"])
    s3.delete_bucket(Bucket=BUCKET)
