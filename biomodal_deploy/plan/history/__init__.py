"""What was done to a stack: an append-only log in which each entry holds the digest of the last.

An entry that is changed, taken out or put in breaks the chain at its place. What the chain cannot
show is an end that was cut off; the digest of the last entry, kept elsewhere, does.
"""

from biomodal_deploy.plan.history.entry import Chain, Entry, Event
from biomodal_deploy.plan.history.log import History
from biomodal_deploy.plan.history.order import is_overtaken, newest, plans_in_order

__all__ = ["Chain", "Entry", "Event", "History", "is_overtaken", "newest", "plans_in_order"]
