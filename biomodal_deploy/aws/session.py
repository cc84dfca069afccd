"""The AWS session that the checks ask with: the user's own, as every AWS tool finds it.

What is no answer of AWS's (a network's login page, a proxy's error, another program's port) is told
from one here: the AWS library fails on it with errors that are none of its classes.

And where the AWS SDK sends each service's calls, as far as an environment or a profile changes it.
Terraform's AWS provider and its S3 backend use the SDK for Go. Its rules are those that every AWS
SDK shares, with two differences that matter here: it reads `AWS_REGION` before
`AWS_DEFAULT_REGION`, which boto3 alone reads, and provider and backend know older variables of
their own (`AWS_S3_ENDPOINT`, `TF_AWS_S3_ENDPOINT`). So these settings are resolved here, and not by
botocore, whose parser of the configuration files is used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from botocore.configloader import load_config, raw_config_parse
from botocore.exceptions import BotoCoreError

from biomodal_deploy.aws.settings_checks import check_keys, check_settings
from biomodal_deploy.config.credentials import without_userinfo
from biomodal_deploy.errors import UsageError

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.parsers import ResponseParserFactory


MFA_NEEDED: Final = "the profile needs an MFA code"


def open_session(region: str | None) -> Session:
    """Return a session in a region; whether its credentials work is the first check's question.

    Raises:
        UsageError: AWS_PROFILE names no profile, or what AWS's settings name cannot be read.
    """
    import boto3.session
    from botocore.exceptions import ConfigParseError, ProfileNotFound

    check_keys()
    try:
        session = boto3.session.Session(region_name=region)
        check_settings(session)
        _never_prompt(session)
    except ProfileNotFound as error:
        raise UsageError(
            str(error).rstrip("."),
            field="AWS_PROFILE",
            fix="`aws configure list-profiles` lists them",
        ) from None
    except ConfigParseError as error:
        raise UsageError(
            str(error).rstrip("."), field="AWS_CONFIG_FILE", fix="correct ~/.aws/config"
        ) from None
    except (BotoCoreError, ValueError) as error:
        raise UsageError(
            f"the AWS library refuses them: {str(error).rstrip('.')}",
            field="AWS's settings",
            fix="correct the AWS_... variables, or ~/.aws/config; `aws configure list` shows them",
        ) from None
    session._session.register_component(  # noqa: SLF001 - boto3 has no other way
        "response_parser_factory", strict_parsers()
    )
    return session


def _never_prompt(session: Session) -> None:
    """Fail where the AWS library would ask for an MFA code: a script would wait for ever."""
    from botocore.exceptions import CredentialRetrievalError

    def refuse(_: str) -> str:
        raise CredentialRetrievalError(provider="assume-role", error_msg=MFA_NEEDED)

    resolver = session._session.get_component("credential_provider")  # noqa: SLF001
    resolver.get_provider("assume-role")._prompter = refuse  # noqa: SLF001


@cache
def partition_of(region: str) -> str:
    """Return the partition that a region's name belongs to; `aws` for an unknown name."""
    import botocore.session
    from botocore.exceptions import UnknownRegionError

    try:
        return str(botocore.session.Session().get_partition_for_region(region))
    except UnknownRegionError:
        return "aws"


_PAGE: Final = re.compile(
    rb"\s*(<!--.*?-->\s*)*<(!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL
)
_JSON: Final = ("json", "rest-json")


class NotFromAwsError(BotoCoreError):
    """What answered is not AWS."""

    fmt = "the answer is {what}"


def _is_head_of_page(response: Any) -> bool:
    """Say whether only the head of a web page came: no body betrays it, and AWS marks its own."""
    headers = {name.lower(): str(value) for name, value in response["headers"].items()}
    return (
        not response["body"]
        and headers.get("content-type", "").lower().startswith("text/html")
        and not any(name.startswith("x-amz") for name in headers)
    )


def strict_parsers() -> ResponseParserFactory:
    """Return what makes the library's own parsers, which refuse what is no answer of AWS's."""
    # Here, where a session is opened: most commands' first line does not wait for the library.
    from botocore.parsers import ResponseParserError, ResponseParserFactory

    class Strict(ResponseParserFactory):
        def create_parser(self, protocol_name: str) -> Any:
            parser = super().create_parser(protocol_name)
            parse = parser.parse

            def strict(response: Any, shape: Any) -> Any:
                body, status = response["body"], response["status_code"]
                whole = isinstance(body, bytes)  # what is streamed is somebody's object
                is_page = whole and (_PAGE.match(body) or _is_head_of_page(response))
                if is_page and status < 500:
                    raise NotFromAwsError(what=f"a web page, with HTTP status {status}")
                try:
                    if whole and body and status < 300 and protocol_name in _JSON:
                        json.loads(body)
                    return parse(response, shape)
                except (ResponseParserError, LookupError, TypeError, ValueError):
                    raise NotFromAwsError(what=f"unreadable, with HTTP status {status}") from None

            parser.parse = strict  # type: ignore[method-assign]
            return parser

    return Strict()


ALL: Final = "all services"
_SERVICE: Final = re.compile(r"AWS_ENDPOINT_URL_([A-Z0-9_]+)")
_OLDER: Final = re.compile(r"(?:TF_)?AWS_(?!USE_|EC2_METADATA_)[A-Z0-9_]+_ENDPOINT")
_IGNORE: Final = "ignore_configured_endpoint_urls"
_VARIANTS: Final = ("use_fips_endpoint", "use_dualstack_endpoint")


def configured_endpoints(
    environment: Mapping[str, str], profiles: Iterable[str] = ()
) -> dict[str, str]:
    """Return what is not the SDK's default, by service, variant or variable; never credentials.

    Nothing is left out because a stack seems not to use it: which services a provider calls is its
    own affair, and one address too many costs a new plan and no more.

    Args:
        profiles: The profiles that the configuration names; the environment's is always read.
    """
    found = {name: url for name, url in environment.items() if _OLDER.fullmatch(name) and url}
    named = environment.get("AWS_PROFILE") or "default"
    for profile in dict.fromkeys((named, *profiles)):
        prefix = "" if profile == named else f"profile {profile}: "
        settings = _profile(environment, profile)
        found |= {f"{prefix}{name}": value for name, value in _resolved(environment, settings)}
    return {name: without_userinfo(value) for name, value in sorted(found.items())}


def profile_region(environment: Mapping[str, str], profile: str | None = None) -> str | None:
    """Return the region that a profile names; that of the environment's profile where None."""
    named = profile or environment.get("AWS_PROFILE") or "default"
    region = _profile(environment, named).get("region")
    return region if isinstance(region, str) and region else None


def _resolved(
    environment: Mapping[str, str], settings: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    for name in _VARIANTS:
        value = environment.get(f"AWS_{name.upper()}") or settings.get(name)
        if value and str(value).lower() != "false":
            yield name, str(value).lower()
    ignored = environment.get(f"AWS_{_IGNORE.upper()}") or settings.get(_IGNORE) or "false"
    if str(ignored).lower() == "true":
        return
    general = environment.get("AWS_ENDPOINT_URL")
    services = {
        service: url
        for service, each in settings.get("services", {}).items()
        if isinstance(each, Mapping) and (url := each.get("endpoint_url"))
    }
    if general:
        services = {}  # the environment's address for all goes before a profile's for one
    services |= {
        match[1].lower(): url
        for name, url in environment.items()
        if (match := _SERVICE.fullmatch(name)) and url
    }
    everywhere = general or settings.get("endpoint_url")
    if everywhere:
        yield ALL, str(everywhere)
    for service, url in services.items():
        if url != everywhere:
            yield service, str(url)


def _profile(environment: Mapping[str, str], name: str) -> dict[str, Any]:
    """Return a profile's settings, the credentials file's over the configuration file's."""
    folder = Path(environment.get("HOME") or Path.home()) / ".aws"
    named = environment.get("AWS_CONFIG_FILE")
    config = _loaded(load_config, named, folder / "config")
    settings = dict(config.get("profiles", {}).get(name) or {})
    # In this file a profile is a section of its name.
    named = environment.get("AWS_SHARED_CREDENTIALS_FILE")
    settings |= _loaded(raw_config_parse, named, folder / "credentials").get(name) or {}
    services = config.get("services", {}).get(settings.get("services"))
    return {**settings, "services": services if isinstance(services, dict) else {}}


def _loaded(load: Callable[[str], Any], named: str | None, usual: Path) -> dict[str, Any]:
    path = named or str(usual)
    if path.startswith("~/"):
        path = str(usual.parents[1] / path[2:])
    try:
        return dict(load(path))
    except BotoCoreError:
        return {}  # missing; of one that is malformed, whoever asks for credentials says so
