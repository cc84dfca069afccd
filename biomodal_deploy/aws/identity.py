"""Who we are to AWS: the account, the caller and the region that Terraform's AWS provider meets."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from biomodal_deploy.config.credentials import without_userinfo
from biomodal_deploy.engine.process import capture
from biomodal_deploy.errors import EXIT_DONE, EngineError, UsageError

# With what finds the credentials, which may be a program that asks a person.
_SECONDS: Final = 120.0
_ALIAS_SECONDS: Final = 10.0


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The caller, as AWS itself names it."""

    account: str
    caller: str


def region_of(environment: Mapping[str, str]) -> str | None:
    """Return the region that the environment names, as the AWS provider reads it."""
    return environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or None


def endpoint_of(environment: Mapping[str, str]) -> str | None:
    """Return the endpoint that stands in for AWS, or None where it is AWS itself.

    Without a user and password: it is sealed, shown and reported.
    """
    found = environment.get("AWS_ENDPOINT_URL_STS") or environment.get("AWS_ENDPOINT_URL")
    return without_userinfo(found or "") or None


def is_ours(environment: Mapping[str, str]) -> bool:
    """Whether an environment's AWS settings are those of this process, which boto3 reads."""
    return _steering(environment) == _steering(os.environ)


def who_am_i(region: str | None, environment: Mapping[str, str] = os.environ) -> Identity:
    """Ask AWS who an environment's credentials belong to (STS GetCallerIdentity).

    The call needs no permission, and five seconds are enough for an answer.

    Args:
        region: Where to ask; STS answers in every region.

    Raises:
        UsageError: AWS's settings name a profile or a token file that is not there.
        EngineError: There are no credentials, they have expired, or AWS cannot be reached.
    """
    if is_ours(environment):
        return _ask(region)
    # boto3 reads this process's own environment in many places: another one needs another process.
    argv = [sys.executable, "-m", __name__, region or ""]
    done = capture(argv, directory=Path.cwd(), environment=environment)
    answer = json.loads(done.stdout) if done.stdout else {}
    if done.returncode or "caller" not in answer:
        ended = f"AWS does not say who is calling (its process ended with {done.returncode})"
        raise EngineError(answer.get("error", ended), advice=answer.get("advice"))
    return Identity(account=answer["account"], caller=answer["caller"])


def account_alias(region: str | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """Ask AWS what the account is called (IAM ListAccountAliases).

    None where it has no alias, and where AWS does not say: the call needs a permission that nothing
    else here needs, and IAM cannot be reached from every network.

    Args:
        region: Where the credentials are good: IAM answers in one region of each partition.
    """
    if not is_ours(environment):
        return None
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    from biomodal_deploy.aws.clients import within
    from biomodal_deploy.aws.session import open_session

    region = region or "us-east-1"
    config = Config(connect_timeout=3, read_timeout=3, retries={"total_max_attempts": 1})
    try:
        iam = open_session(region).client("iam", region_name=region, config=config)
        aliases = within(_ALIAS_SECONDS, iam.list_account_aliases)["AccountAliases"]
    except (BotoCoreError, ClientError, UsageError):
        return None
    return aliases[0] if aliases else None


def _steering(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what decides which credentials, region and endpoint are found."""
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(("AWS_", "BOTO_")) or name in ("HOME", "HTTPS_PROXY", "https_proxy")
    }


def _ask(region: str | None) -> Identity:
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    from biomodal_deploy.aws.clients import Clients, within
    from biomodal_deploy.aws.errors import classify_error
    from biomodal_deploy.aws.session import open_session

    region = region or "us-east-1"
    session = open_session(region)
    clients = Clients(session, region)
    config = Config(connect_timeout=5, read_timeout=5, retries={"total_max_attempts": 2})
    try:
        sts = session.client("sts", region_name=region, config=config)
        answer = within(_SECONDS, sts.get_caller_identity)
    except (BotoCoreError, ClientError) as error:
        failure = classify_error(error, clients)
        raise EngineError(
            f"AWS does not say who is calling: {failure.line} (profile {session.profile_name})",
            advice=f"{failure.fix}; `aws sts get-caller-identity` shows whether they work",
        ) from None
    return Identity(account=answer["Account"], caller=answer["Arn"])


def main(region: str) -> int:
    """Print who this process is, for a parent whose own environment is another."""
    try:
        answer = asdict(_ask(region or None))
    except EngineError as error:
        answer = {"error": error.message, "advice": error.advice}
    except UsageError as error:
        answer = {"error": str(error)}
    print(json.dumps(answer))  # the machine-readable payload
    return EXIT_DONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
