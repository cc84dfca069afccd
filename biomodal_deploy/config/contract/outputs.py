"""The documented outputs, by name, with their descriptions (document section "Outputs")."""

from __future__ import annotations

from typing import Final

OUTPUTS: Final[dict[str, str]] = {
    "bucket_url": "URL of the data bucket, s3:// included",
    "docker_repo_url": "Host name of the ECR registry that holds the image repository",
    "private_ip": "Private IP address of the orchestrator VM",
    "private_key_filename": "File of the private key that opens SSH connections to the VM",
    "public_ip": "Elastic IP address of the orchestrator VM",
    "ssh_user": "User name for SSH connections to the VM",
    "vm_name": "Name of the orchestrator VM",
}
