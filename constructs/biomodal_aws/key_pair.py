"""The EC2 key pair: the public half only."""

from __future__ import annotations

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.key_pair import KeyPair as AwsKeyPair
from constructs import Construct

from biomodal_aws.part import Part


class KeyPair(Part):
    """An EC2 key pair from a public key that was made outside Terraform.

    `tls_private_key` would write the private half into state and into every plan file.

    Args:
        name: Name of the key pair in EC2.
        public_key: OpenSSH public key (`ssh-ed25519 ...` or `ssh-rsa ...`).
        imported: Whether the pair was imported: AWS does not give its public key back, and another
            one would replace the pair.
        create: Where it is made, as `made_if` takes it.

    Attributes:
        name: Name of the key pair, known once it exists; null where none is made.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        public_key: str,
        imported: bool = False,
        create: str | None = None,
    ) -> None:
        super().__init__(scope, id_)
        pair = self.named(
            AwsKeyPair(
                self,
                "pair",
                key_name=name,
                public_key=public_key,
                lifecycle=TerraformResourceLifecycle(ignore_changes=["public_key"])
                if imported
                else None,
            )
        )
        self.made_if(create, pair)
        self.name = f"${{one({pair.fqn}[*].key_name)}}" if create else pair.key_name
