"""All differences, in the order in which a reviewer asks for them."""

from __future__ import annotations

from typing import Final

from biomodal_deploy.review.hardening.batch import BATCH
from biomodal_deploy.review.hardening.data import DATA, IMAGES
from biomodal_deploy.review.hardening.difference import Difference
from biomodal_deploy.review.hardening.machine import ACCESS, ACCOUNT, VM

DIFFERENCES: Final[tuple[Difference, ...]] = (*ACCESS, *VM, *DATA, *IMAGES, *BATCH, *ACCOUNT)
