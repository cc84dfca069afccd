"""Where the AWS SDK would call, from the environment and the configuration files."""

from __future__ import annotations

from pathlib import Path

import pytest

from biomodal_deploy.aws.endpoints import ALL, configured_endpoints, profile_region

CONFIG = """
[default]
region = eu-west-1
[profile local]
region = eu-west-3
endpoint_url = http://local:1
services = mine
[services mine]
s3 =
  endpoint_url = http://local:2
ec2 =
  endpoint_url = http://local:3
[profile quiet]
endpoint_url = http://local:1
services = mine
ignore_configured_endpoint_urls = true
[profile fips]
use_fips_endpoint = true
use_dualstack_endpoint = True
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with AWS configuration files."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(CONFIG)
    (tmp_path / ".aws" / "credentials").write_text(
        "[keys]\naws_access_key_id = a\naws_secret_access_key = b\nendpoint_url = http://keys:1\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, {}),
        ({"AWS_ENDPOINT_URL": "http://a"}, {ALL: "http://a"}),
        ({"AWS_ENDPOINT_URL_S3": "http://a"}, {"s3": "http://a"}),
        ({"AWS_ENDPOINT_URL_RESOURCE_GROUPS": "http://a"}, {"resource_groups": "http://a"}),
        ({"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_EC2": "http://a"}, {ALL: "http://a"}),
        ({"AWS_ENDPOINT_URL_S3": "http://u:secret@a/"}, {"s3": "http://a/"}),
        # A password may hold the sign that ends it.
        ({"AWS_ENDPOINT_URL_S3": "http://u:se@cret@a/"}, {"s3": "http://a/"}),
        ({"AWS_ENDPOINT_URL_S3": "http://a", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, {}),
        ({"AWS_S3_ENDPOINT": "http://a"}, {"AWS_S3_ENDPOINT": "http://a"}),
        ({"TF_AWS_STS_ENDPOINT": "http://a"}, {"TF_AWS_STS_ENDPOINT": "http://a"}),
        ({"AWS_USE_FIPS_ENDPOINT": "true"}, {"use_fips_endpoint": "true"}),
        ({"AWS_USE_FIPS_ENDPOINT": "false"}, {}),
        ({"AWS_USE_DUALSTACK_ENDPOINT": "TRUE"}, {"use_dualstack_endpoint": "true"}),
        (
            {"AWS_PROFILE": "local"},
            {ALL: "http://local:1", "s3": "http://local:2", "ec2": "http://local:3"},
        ),
        (
            {"AWS_PROFILE": "local", "AWS_ENDPOINT_URL_S3": "http://a"},
            {ALL: "http://local:1", "s3": "http://a", "ec2": "http://local:3"},
        ),
        ({"AWS_PROFILE": "local", "AWS_ENDPOINT_URL": "http://a"}, {ALL: "http://a"}),
        ({"AWS_PROFILE": "quiet"}, {}),
        ({"AWS_PROFILE": "fips"}, {"use_fips_endpoint": "true", "use_dualstack_endpoint": "true"}),
        ({"AWS_PROFILE": "keys"}, {ALL: "http://keys:1"}),
        ({"AWS_PROFILE": "unknown"}, {}),
        ({"AWS_CONFIG_FILE": "/nowhere", "AWS_PROFILE": "local"}, {}),
        ({"AWS_CONFIG_FILE": "~/.aws/config", "AWS_PROFILE": "quiet"}, {}),
    ],
)
def test_what_steers_a_call_is_found(
    home: Path, environment: dict[str, str], expected: dict[str, str]
) -> None:
    """From the environment, from a profile and its services; and nothing that is ignored."""
    assert configured_endpoints({"HOME": str(home), **environment}) == expected


def test_a_profile_that_the_provider_names_counts_too(home: Path) -> None:
    """Beside the environment's: provider and backend may each have one of their own."""
    found = configured_endpoints({"HOME": str(home)}, ["fips"])
    assert found["profile fips: use_fips_endpoint"] == "true"


def test_botocore_resolves_the_same(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDKs share these rules: what is computed here is where a client would call."""
    import botocore.session

    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_PROFILE", "local")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", "http://env:4")
    session = botocore.session.Session()
    found = configured_endpoints(
        {"HOME": str(home), "AWS_PROFILE": "local"} | {"AWS_ENDPOINT_URL_EC2": "http://env:4"}
    )
    for service in ("s3", "ec2", "iam", "batch"):
        client = session.create_client(service, aws_access_key_id="a", aws_secret_access_key="b")
        assert client.meta.endpoint_url == found.get(service, found[ALL])


def test_the_region_of_a_profile(home: Path) -> None:
    """Where neither the stack nor the environment names one."""
    assert profile_region({"HOME": str(home)}) == "eu-west-1"
    assert profile_region({"HOME": str(home), "AWS_PROFILE": "local"}) == "eu-west-3"
    assert profile_region({"HOME": str(home)}, "local") == "eu-west-3"
    assert profile_region({"HOME": str(home), "AWS_PROFILE": "fips"}) is None
