"""Secrets that a text shows by their own form, whoever wrote it: hidden before anything is told.

What a stack's own sensitive variables hold is hidden where logs are written; this stands
before texts that come from elsewhere.
"""

from __future__ import annotations

import re
from typing import Final

from biomodal_deploy.plan.redactor import HIDDEN_TEXT

# A word that stands before a secret; not inside another word: "ExpiredToken: The ..." is none.
_NAMES: Final = (
    r"(?:aws_?)?secret(?:_?access)?_?key|(?:aws_?)?(?:session|security)_?token|access_?token|client_?secret"
    r"|(?<![a-z])(?:password|passwd|passphrase|token|api_?key|private_?key|secret)"
)
_BLOCK: Final = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL
)
# What is hidden already stays as it is.
# So do the words of GitHub's permission `id-token: write`.
_SEEN: Final = rf"(?!{re.escape(HIDDEN_TEXT)}|(?:write|none)(?![\w+/=.-]))"
# Between a name and its value: never given back, or the look ahead would begin one space earlier.
_IS: Final = r"""\\?[\"']?+\s*+[:=]\s*+\\?+[\"']?+"""
_AFTER: Final = (
    # In quotes, a value may hold spaces.
    re.compile(
        rf"((?:{_NAMES})\\?[\"']?\s*+[:=]\s*+\\?([\"'])){_SEEN}([^\"'\r\n]+)", re.IGNORECASE
    ),
    re.compile(rf"((?:{_NAMES}){_IS}){_SEEN}([^\s\"'\\,;&]+)", re.IGNORECASE),
    re.compile(rf"((?:proxy-)?authorization{_IS}){_SEEN}([^\r\n\"]+)", re.IGNORECASE),
    re.compile(r"(://[^/\s:@]*:)([^/\s@]+)(?=@)"),
    re.compile(
        rf"(X-Amz-(?:Signature|Credential|Security-Token){_IS}){_SEEN}([^&\s\"]+)", re.IGNORECASE
    ),
    re.compile(rf"(--password[= ]){_SEEN}(\S+)"),
    # As arguments: of curl and wget, of docker login, of aws configure set.
    re.compile(
        rf"(\b(?:curl|wget)\b[^\r\n]{{0,200}}?\s(?:-u|--user)[ =]?[\"']?[^\s:\"'/]+:)"
        rf"{_SEEN}([^\s\"']+)"
    ),
    re.compile(rf"(\bdocker login\b[^\r\n]{{0,200}}?\s-p[ =]?){_SEEN}(\S+)"),
    re.compile(rf"(configure set \S*(?:secret|token)\S* ){_SEEN}(\S+)"),
)
_WHOLE: Final = (
    re.compile(r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
    re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+"),
    re.compile(
        r"\b(?:gh[pousr]_\w{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{10,})"
    ),
    re.compile(r"\b[\w-]{10,}\.atlasv1\.[\w-]{40,}"),
    # An AWS secret key: forty characters, of every kind; a digest has small letters alone.
    re.compile(
        r"(?<![\w/+=.-])(?=[A-Za-z0-9/+]*[A-Z])(?=[A-Za-z0-9/+]*[a-z])(?=[A-Za-z0-9/+]*\d)"
        r"[A-Za-z0-9/+]{40}(?![\w/+=-])"
    ),
)


def scrubbed(text: str) -> str:
    """Return a text without what looks like a secret."""
    if "PRIVATE KEY" in text:
        text = _BLOCK.sub(HIDDEN_TEXT, text)
    for pattern in _AFTER:
        text = pattern.sub(rf"\1{HIDDEN_TEXT}", text)
    for pattern in _WHOLE:
        text = pattern.sub(HIDDEN_TEXT, text)
    return text
