"""An AWS account on loopback: moto in server mode, patched, seeded, and gone afterwards.

The synthesized configuration runs against it unchanged: the AWS provider, the S3 backend and
boto3 all follow `AWS_ENDPOINT_URL`. Nothing here is imported that is slow to import; moto and
boto3 are loaded where they are used.
"""

from __future__ import annotations

from biomodal_deploy.sandbox.account import Item
from biomodal_deploy.sandbox.sandbox import Sandbox

__all__ = ["Item", "Sandbox"]
