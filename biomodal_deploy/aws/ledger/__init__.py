"""What a stack holds before a destroy, and what is left and bills after it.

A destroy plan names resources; it does not say what is in them, what will make it fail, or what it
never touches. Everything here only reads, nothing here deletes, and an account that does not answer
stops no destroy: what nobody could read is said to be unknown, never to be nothing.
"""

from __future__ import annotations
