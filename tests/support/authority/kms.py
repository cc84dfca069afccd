"""What AWS authorizes of the use of a KMS key: a call of KMS, or of a service that uses a key.

Sources: AWS KMS developer guide, "How Amazon S3 uses AWS KMS" and "Using IAM policies with AWS
KMS"; a key that AWS manages for a service (`alias/aws/...`) asks nobody.
"""

from __future__ import annotations

from collections.abc import Iterator

from biomodal_deploy.iam import iam_reference
from biomodal_deploy.iam.evaluate import Request
from tests.support.authority.account import Account
from tests.support.authority.call import ApiCall
from tests.support.authority.common import Context, request


def requests(call: ApiCall, account: Account) -> Iterator[Request]:
    """Give what AWS authorizes of a call of KMS itself."""
    action = f"kms:{call.operation}"
    known = iam_reference.action(action)
    key = call.one("KeyId")
    if known is None or not known.resources or key is None:
        yield request(call, action, "*")
        return
    yield request(call, action, account.key_arn(key), _context(account, key))


def used(
    call: ApiCall, account: Account, key: str | None, *actions: str, more: Context | None = None
) -> Iterator[Request]:
    """Give what a service asks of KMS for the caller of it."""
    if key is None or "alias/aws/" in key:
        return
    (via, *_) = account.place.principals(f"{call.service}.{call.region}")
    context: Context = {"kms:ViaService": (via,), "kms:CallerAccount": (account.place.account,)}
    for action in actions:
        yield request(
            call, action, account.key_arn(key), context | _context(account, key) | (more or {})
        )


def _context(account: Account, key: str) -> Context:
    aliases = account.key_aliases(key)
    return {"kms:ResourceAliases": aliases} if aliases else {}
