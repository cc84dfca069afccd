"""The facts of a stack as they are now, gathered for the seal and again before the apply."""

from __future__ import annotations

import re
from collections.abc import Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import Final

from biomodal_deploy.aws.identity import Identity
from biomodal_deploy.engine.terraform import StateHeader, TerraformCli
from biomodal_deploy.engine.toolchain.program_digest import program_sha256
from biomodal_deploy.files import read_regular
from biomodal_deploy.plan.sealed import Facts, StateId, gather
from biomodal_deploy.plan.sealed.gathering import LOCK_FILE
from biomodal_deploy.workflow.aws import Place
from biomodal_deploy.workflow.backend import config_files
from biomodal_deploy.workflow.stack import Stack

INSTALL_SCRIPT: Final = Path("scripts") / "install_script.sh"
_SELECTION: Final = re.compile(r'^provider "([^"]+)" \{\s*version\s*=\s*"([^"]+)"', re.MULTILINE)


def facts_now(
    stack: Stack,
    engine: TerraformCli,
    *,
    state: StateHeader | None,
    var_files: Iterable[Path],
    place: Place,
    identity: Future[Identity | None],
    alias: Future[str | None] | None = None,
) -> Facts:
    """Gather a stack's facts.

    Args:
        stack: The stack.
        engine: Terraform in its directory.
        state: What names the version of its state.
        var_files: The files that its values come from.
        place: Where in AWS it goes.
        identity: Who is calling, asked before.
        alias: What the account is called, asked before; None where nobody reads it.

    Raises:
        EngineError: AWS does not say who is calling.
        UsageError: Something cannot be read.
    """
    script = stack.location.project_dir / INSTALL_SCRIPT
    caller = identity.result()
    return gather(
        project=stack.location.project_dir,
        directory=stack.directory,
        stack=stack.name,
        workspace=engine.workspace,
        backend=stack.synthesized.backend,
        backend_files=config_files(stack),
        terraform_version=engine.binary.version,
        terraform_sha256=program_sha256(engine.binary.path, stack.location.environment),
        providers=selected_providers(stack.directory),
        state=StateId(lineage=state.lineage, serial=state.serial) if state else None,
        var_files=var_files,
        install_script=script if script.exists() else None,
        data_dir=engine.data_dir,
        engine=engine.binary.product,
        account=caller.account if caller else None,
        account_alias=alias.result() if alias else None,
        region=place.sealed_region,
        endpoint=place.endpoint,
        endpoints=place.endpoints,
        caller=caller.caller if caller else None,
    )


def selected_providers(directory: Path) -> dict[str, str]:
    """Return the provider versions of a directory's lock file, by source address.

    Read from the file: `terraform version` says the same and costs a process.
    """
    try:
        text = read_regular(directory / LOCK_FILE).decode()
    except FileNotFoundError:
        return {}
    return dict(_SELECTION.findall(text))
