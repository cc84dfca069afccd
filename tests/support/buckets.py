"""Projects whose stacks name buckets for their states."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.wanted_bucket import BucketOptions, Wanted, wanted_bucket

S3: Final = {"kind": "s3", "bucket": "lab-state", "region": "eu-west-2"}
OTHER: Final = {**S3, "bucket": "other-state", "key": "o"}


def location(folder: Path, **stacks: Any) -> Location:
    """Return a project with these stacks."""
    context = {"stacks": stacks}
    (folder / "cdktf.json").write_text(json.dumps({"app": "x", "context": context}))
    return Location.of(folder, {})


def wanted(folder: Path, stacks: dict[str, Any], **options: Any) -> Wanted:
    """Return the bucket that is meant."""
    return wanted_bucket(location(folder, **stacks), BucketOptions(**options))
