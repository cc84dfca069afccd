"""Where the AWS SDK sends each service's calls, as far as an environment or a profile changes it.

Terraform's AWS provider and its S3 backend use the SDK for Go. Its rules are those that every AWS
SDK shares, with two differences that matter here: it reads `AWS_REGION` before
`AWS_DEFAULT_REGION`, which boto3 alone reads, and provider and backend know older variables of
their own (`AWS_S3_ENDPOINT`, `TF_AWS_S3_ENDPOINT`). So these settings are resolved here, and not by
botocore, whose parser of the configuration files is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from botocore.configloader import load_config, raw_config_parse
from botocore.exceptions import BotoCoreError

from biomodal_deploy.config.credentials import without_userinfo

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
