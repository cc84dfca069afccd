"""Ubuntu 22.04 LTS from Canonical.

Source: Ubuntu on AWS documentation, "Find Ubuntu images": owners by partition.
"""

from __future__ import annotations

from typing import Final

IMAGE_NAME: Final = "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*"
CANONICAL: Final = {
    "aws": "099720109477",
    "aws-cn": "837727238323",
    "aws-us-gov": "513442679011",
}
