"""A sealed plan as one file, for its way to another machine, and out of one that anybody made."""

from __future__ import annotations

import hmac
import re
import shutil
import tarfile
from pathlib import Path
from typing import BinaryIO, Final

from biomodal_deploy.errors import SealedPlanRefused
from biomodal_deploy.files import PRIVATE_FILE, writing
from biomodal_deploy.plan.sealed.files import opened, private_sha256, read_private, sha256
from biomodal_deploy.plan.sealed.manifest import MOST_BYTES, Manifest
from biomodal_deploy.plan.sealed.sealed_plan import (
    CHANGES_FILE,
    MANIFEST_FILE,
    PLAN_FILE,
    SealedPlan,
)
from biomodal_deploy.plan.sealed.use import UseState

MOST_ARCHIVE: Final = 1 << 30
_MOST_FILES: Final = 20
_NAME: Final = re.compile(r"[a-z][a-z0-9]*([.-][a-z0-9]+)*")
_PLAIN: Final = (tarfile.REGTYPE, tarfile.AREGTYPE)


def pack(sealed_plan: SealedPlan, file: BinaryIO) -> None:
    """Write what is sealed of an unused plan as a tar file; its logs and approvals stay.

    Raises:
        SealedPlanRefused: It was used, or others could have touched it.
    """
    if sealed_plan.use.state is not UseState.UNUSED:
        raise SealedPlanRefused("used", f"The plan {sealed_plan.id} is used: plan again.")
    with tarfile.open(fileobj=file, mode="w") as tar:
        for path in sorted(sealed_plan.path.iterdir()):
            if path.is_dir() or not _NAME.fullmatch(path.name):
                continue
            with opened(path) as descriptor, open(descriptor, "rb", closefd=False) as content:
                # Name and size alone: the same plan makes the same file.
                member = tarfile.TarInfo(path.name)
                member.size = path.stat().st_size
                tar.addfile(member, content)


def unpack(file: BinaryIO, folder: Path, expected: str, where: str) -> Manifest:
    """Write the files of a sealed plan into a folder, and return its manifest.

    Args:
        file: A tar file, made by whomever.
        folder: An empty private folder.
        expected: The digest that the plan has to have.
        where: Where it comes from, for people.

    Raises:
        SealedPlanRefused: It is no sealed plan, or another one.
    """
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            for number, member in enumerate(tar):
                plain = member.type in _PLAIN and not member.issparse()
                if number >= _MOST_FILES or not plain or not _NAME.fullmatch(member.name):
                    raise _refusal(where, "it holds more than the plain files of a sealed plan")
                path, content = folder / member.name, tar.extractfile(member)
                if content is None or path.exists():
                    raise _refusal(where, "it holds a file twice")
                path.touch(PRIVATE_FILE)
                with writing(path), path.open("wb") as target:
                    shutil.copyfileobj(content, target)
    except (tarfile.TarError, EOFError, ValueError, OverflowError):
        raise _refusal(where, "it is no whole tar file") from None
    for name in (MANIFEST_FILE, PLAN_FILE, CHANGES_FILE):
        if not (folder / name).exists():
            raise _refusal(where, f"it holds no {name}")
    text = read_private(folder / MANIFEST_FILE, MOST_BYTES)
    if not hmac.compare_digest(sha256(text), expected):
        raise _refusal(where, f"its SHA-256 is {sha256(text)}")
    manifest = Manifest.from_json(text)
    sealed = ((PLAN_FILE, manifest.plan_sha256), (CHANGES_FILE, manifest.changes_sha256))
    for name, digest in sealed:
        if private_sha256(folder / name) != digest:
            raise _refusal(where, f"its {name} was changed after it was sealed")
    return manifest


def _refusal(where: str, why: str) -> SealedPlanRefused:
    return SealedPlanRefused("not_stored", f"{where} is not the plan that was stored: {why}.")
