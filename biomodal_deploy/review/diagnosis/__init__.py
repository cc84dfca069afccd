"""What an error of Terraform, AWS or the VM means: a named cause, its fix, the next command.

The knowledge is data, one file an area in `data/`; everything here reads, matches and tells it.
"""

from biomodal_deploy.known_errors.catalog import Catalog, Match, catalog, name_cause
from biomodal_deploy.known_errors.model import Entry
from biomodal_deploy.review.diagnosis.finding import Diagnosis, Finding, diagnose, merged

__all__ = [
    "Catalog",
    "Diagnosis",
    "Entry",
    "Finding",
    "Match",
    "catalog",
    "diagnose",
    "merged",
    "name_cause",
]
