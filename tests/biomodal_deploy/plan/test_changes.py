"""Tests for biomodal_deploy.plan.changes."""

from __future__ import annotations

import pytest

from biomodal_deploy.plan import Action
from tests.support.plans import ACTIONS


@pytest.mark.parametrize(("word", "actions"), ACTIONS.items())
def test_every_list_of_actions_has_one_word(word: str, actions: list[str]) -> None:
    """A replacement is a replacement, not the delete that its list begins with."""
    assert Action.of(actions) == word


@pytest.mark.parametrize("actions", [[], ["delete", "update"], ["create", "delete", "create"]])
def test_an_unheard_of_list_is_unknown(actions: list[str]) -> None:
    """What is not known is never taken for something harmless."""
    assert Action.of(actions) is Action.UNKNOWN
    assert Action.UNKNOWN.acts


def test_opentofus_order_means_the_same() -> None:
    """`forget, create` is what OpenTofu writes for Terraform's `create, forget`."""
    assert Action.of(["forget", "create"]) is Action.REPLACE_AND_FORGET


def test_what_is_lost() -> None:
    """Deletes and replacements destroy; forgetting loses without destroying."""
    assert {action for action in Action if action.destroys} == {
        Action.DELETE,
        Action.REPLACE,
        Action.REPLACE_CREATE_FIRST,
    }
    assert {action for action in Action if action.forgets} == {
        Action.FORGET,
        Action.REPLACE_AND_FORGET,
    }


def test_reading_is_no_change() -> None:
    """A data source that is read again changes nothing."""
    assert {action for action in Action if not action.acts} == {Action.NO_OP, Action.READ}
