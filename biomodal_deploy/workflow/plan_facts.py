"""Which AWS account, caller and region a stack meets, and its other facts, for seal and apply."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from biomodal_deploy.aws.endpoints import configured_endpoints, profile_region
from biomodal_deploy.aws.identity import Identity, account_alias, endpoint_of, region_of, who_am_i
from biomodal_deploy.engine.terraform import StateHeader, TerraformCli
from biomodal_deploy.engine.toolchain.terraform_binary import program_sha256
from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import read_regular
from biomodal_deploy.plan.sealed import Facts, RuntimeFacts, StateId, gather
from biomodal_deploy.plan.sealed.facts import one_line
from biomodal_deploy.plan.sealed.gathering import LOCK_FILE
from biomodal_deploy.workflow.backend_checks import config_files
from biomodal_deploy.workflow.stack import Stack

_Answer = TypeVar("_Answer")

_VARIABLE: Final = re.compile(r"\$\{var\.([A-Za-z_][A-Za-z0-9_-]*)\}")

INSTALL_SCRIPT: Final = Path("scripts") / "install_script.sh"
_SELECTION: Final = re.compile(r'^provider "([^"]+)" \{\s*version\s*=\s*"([^"]+)"', re.MULTILINE)


@dataclass(frozen=True)
class AwsLocation:
    """Where in AWS a stack is deployed.

    Attributes:
        region: The provider's region, else the environment's.
        endpoint: What stands in for AWS.
        endpoints: What the AWS SDK resolves otherwise than by default, by service or variant.
    """

    region: str | None
    environment_region: str | None
    endpoint: str | None
    endpoints: Mapping[str, str]

    @property
    def sealed_region(self) -> str | None:
        """The region as it is sealed: another one in the environment at apply is a difference.

        The provider's own setting wins, so nothing would go elsewhere. But whoever applies in a
        shell that points at another region believes to be there.
        """
        if self.region and self.environment_region and self.region != self.environment_region:
            return f"{self.region} (environment: {self.environment_region})"
        return self.region


def locate(stack: Stack, values: Mapping[str, object]) -> AwsLocation:
    """Return where a stack goes.

    Raises:
        UsageError: Its region or endpoint is no line of text.
    """
    environment = stack.location.environment
    environment_region, endpoint = region_of(environment), endpoint_of(environment)
    region = next(iter(_provider_settings(stack, values, "region")), None) or environment_region
    endpoints: Mapping[str, str] = {}
    if stack.synthesized.uses_aws:
        profiles = _provider_settings(stack, values, "profile")
        backend = (stack.synthesized.backend_settings("s3") or {}).get("profile")
        named = [each for each in (*profiles, backend) if isinstance(each, str)]
        endpoints = configured_endpoints(environment, named)
        region = region or profile_region(environment, next(iter(profiles), None))
    for field, value in (("region", region), ("AWS_ENDPOINT_URL", endpoint)):
        if value and not value.isprintable():
            raise UsageError("has control characters", field=field, value=value, fix="correct it")
    return AwsLocation(region, environment_region, endpoint, endpoints)


def ask_identity(stack: Stack, region: str | None) -> Future[Identity | None]:
    """Start asking AWS who is calling, beside what else takes time; None for other stacks."""
    if not stack.synthesized.uses_aws:
        nobody: Future[Identity | None] = Future()
        nobody.set_result(None)
        return nobody
    return _beside(lambda: who_am_i(region, stack.location.environment))


def ask_alias(
    stack: Stack, region: str | None, identity: Future[Identity | None]
) -> Future[str | None]:
    """Start asking what the account is called, once AWS has said who is calling."""

    def ask() -> str | None:
        return account_alias(region, stack.location.environment) if identity.result() else None

    return _beside(ask)


def _beside(ask: Callable[[], _Answer]) -> Future[_Answer]:
    answer: Future[_Answer] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:  # noqa: BLE001 - raised where the answer is needed
            answer.set_exception(error)

    # A thread of a pool would hold up the end of a command that was stopped meanwhile.
    threading.Thread(target=run, name="identity", daemon=True).start()
    return answer


def _provider_settings(stack: Stack, values: Mapping[str, object], name: str) -> list[str | None]:
    """Return a setting of each AWS provider of a stack, the unnamed one's first."""
    provider = stack.synthesized.provider.get("aws")
    blocks = provider if isinstance(provider, list) else [provider]
    found = [each.get(name) for each in blocks if isinstance(each, dict)]
    return [_value(stack, values, each) for each in found]


def _value(stack: Stack, values: Mapping[str, object], setting: object) -> str | None:
    if not isinstance(setting, str):
        return None
    reference = _VARIABLE.fullmatch(setting)
    if reference is None:
        return setting
    value = values.get(reference[1], stack.synthesized.default(reference[1]))
    return value if isinstance(value, str) else None


def facts_now(
    stack: Stack,
    engine: TerraformCli,
    *,
    state: StateHeader | None,
    var_files: Iterable[Path],
    place: AwsLocation,
    identity: Future[Identity | None],
    alias: Future[str | None] | None = None,
) -> Facts:
    """Gather a stack's facts.

    Args:
        state: What names the version of its state.
        identity: Who is calling, asked before.
        alias: What the account is called, asked before; None where nobody reads it.

    Raises:
        EngineError: AWS does not say who is calling.
        UsageError: Something cannot be read.
    """
    script = stack.location.project_dir / INSTALL_SCRIPT
    caller = identity.result()
    called = alias.result() if alias else None
    runtime = RuntimeFacts(
        stack=stack.name,
        workspace=engine.workspace,
        terraform_version=engine.binary.version,
        terraform_sha256=program_sha256(engine.binary.path, stack.location.environment),
        providers=selected_providers(stack.directory),
        state=StateId(lineage=state.lineage, serial=state.serial) if state else None,
        engine=engine.binary.product,
        account=caller.account if caller else None,
        account_alias=called and one_line(called),
        region=place.sealed_region,
        endpoint=place.endpoint,
        endpoints={one_line(name): one_line(url) for name, url in place.endpoints.items()},
        caller=caller.caller if caller else None,
    )
    return gather(
        runtime,
        project=stack.location.project_dir,
        directory=stack.directory,
        backend=stack.synthesized.backend,
        backend_files=config_files(stack),
        var_files=var_files,
        install_script=script if script.exists() else None,
        data_dir=engine.data_dir,
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
