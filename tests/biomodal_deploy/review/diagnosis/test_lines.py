"""Secrets that show by their form are hidden; what only looks a little like one is not."""

from __future__ import annotations

import pytest

from biomodal_deploy.known_errors import Entry
from biomodal_deploy.known_errors.catalog import catalog, name_cause
from biomodal_deploy.review.diagnosis.lines import scrubbed

NAME = "OPENSSH PRIVATE KEY"
KEY = f"-----BEGIN {NAME}-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END {NAME}-----"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("key AKIAABCDEFGHIJKLMNOP.", "AKIAABCDEFGHIJKLMNOP"),
        ("aws_secret_access_key = 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", "c02xaRZM"),
        ("alone c02xaRZMpfRiTT3TIo09NG3pReIsHpnkezcEFMg2 here", "c02xaRZM"),
        ('{"SecretAccessKey": "short+secret"}', "short+secret"),
        (r"{\"session_token\":\"abc/def\"}", "abc/def"),
        ("DB_PASSWORD=hunter2", "hunter2"),
        ("https://ada:pa55@host/x", "pa55"),
        ("Authorization: AWS4-HMAC-SHA256 Credential=AKI/x, Signature=abc", "Signature=abc"),
        ("GET /?X-Amz-Signature=deadbeef&x=1", "deadbeef"),
        ("docker login --password s3cret", "s3cret"),
        ("docker login -u AWS -p s3cret registry.example", "s3cret"),
        ("curl -s -u ada:pa55 https://host/x", "pa55"),
        ("aws configure set aws_secret_access_key short+secret", "short+secret"),
        ("accessToken = 'eyJ0aWQiOiAxfQ'", "eyJ0aWQi"),
        ("password: 'three words here'", "words here"),
        ("token ghp_abcdefghijklmnopqrstuvwxyz0123456789", "ghp_"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", "eyJzdWIi"),
        (f"before\n{KEY}\nafter", "b3BlbnNz"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEcut", "MIIEcut"),
    ],
)
def test_secrets_are_hidden(text: str, secret: str) -> None:
    """Each form of a secret is masked, and the rest stays."""
    assert secret in text
    assert secret not in scrubbed(text)
    assert "(sensitive value)" in scrubbed(text)
    assert scrubbed(scrubbed(text)) == scrubbed(text)


@pytest.mark.parametrize(
    "text",
    [
        "api error ExpiredToken: The security token included in the request is expired",
        "commit 0123456789abcdef0123456789abcdef01234567",
        "Encoded authorization failure message: p1EyykaD2fI3csh_sf_WvdHF_s5IYypR-3EcbaGMemY",
        "arn:aws:iam::111122223333:role/lab",
        "docker run -u 1000:1000 image; ssh -p 22 host",
        "https://registry.terraform.io/providers/hashicorp/aws",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    """An error stays readable."""
    assert scrubbed(text) == text


@pytest.mark.parametrize("entry", catalog().entries, ids=lambda each: each.id)
def test_the_catalog_s_own_words_are_no_secrets(entry: Entry) -> None:
    """What is said of a known error reads the same after whatever hides secrets."""
    match = name_cause(entry.example)
    assert match
    for text in (match.cause(), match.fix(), match.next()):
        assert scrubbed(text) == text
