"""Tests for biomodal_deploy.plan.model and .changes."""

from __future__ import annotations

import gc
import time

import pytest

from biomodal_deploy.errors import EngineError
from biomodal_deploy.plan import HIDDEN_TEXT, Action, Counts, Plan, read_plan
from biomodal_deploy.plan.redactor import UNKNOWN_TEXT
from tests.support.plans import ACTIONS, document, encoded, output, plan, resource

DRIFT = [resource("a_b.c", "update", {"x": 1}, {"x": 2})]
DEFERRED = [{"reason": "r", "resource_change": resource("a_b.c")}]
STILL = ("no-op", "read")
# The state changes though no object does; Terraform names the previous address in any case.
MOVED = resource("a_b.new", "no-op", {}, {}, previous_address="a_b.old")
STAYED = resource("a_b.c", "no-op", {}, {}, previous_address="a_b.c")
IMPORTED = resource("a_b.c", "no-op", {}, {}, importing={"id": "i-1"})
CHANGES = {
    **{
        word: (True, plan(resource("a_b.c", word, {}, {}), applyable=None))
        for word in ACTIONS
        if word not in STILL
    },
    **{word: (False, plan(resource("a_b.c", word, {}, {}), applyable=False)) for word in STILL},
    "an output": (True, plan(output_changes={"o": output("update", 1, 2)})),
    "an output that stays": (False, plan(output_changes={"o": output("no-op", 1, 1)})),
    "a move": (True, plan(MOVED, applyable=None)),
    "a move to the same address": (False, plan(STAYED, applyable=False)),
    "an import": (True, plan(IMPORTED, applyable=None)),
    # In a refresh-only plan drift is written; in another it is only news.
    "drift that is written": (True, plan(resource_drift=DRIFT, applyable=True)),
    "drift that is news": (False, plan(resource_drift=DRIFT, applyable=False)),
    "drift of an older Terraform": (True, plan(resource_drift=DRIFT, applyable=None)),
    # What acts later or beside the changes is no "no changes".
    "a deferred change": (True, plan(deferred_changes=DEFERRED, applyable=False)),
    "an action": (True, plan(action_invocations=[{"address": "action.x.y"}], applyable=False)),
}


@pytest.mark.parametrize(("acts", "found"), CHANGES.values(), ids=CHANGES)
def test_whether_there_are_changes(found: Plan, *, acts: bool) -> None:
    """Whether there is something to apply, from the plan itself."""
    assert found.has_changes is acts


class TestCounts:
    """How many of each."""

    def test_every_action_is_counted_under_its_name(self) -> None:
        """Both orders of replacement are replacements."""
        everything = plan(
            *(resource(f"a_b.c{index}", word, {}, {}) for index, word in enumerate(ACTIONS))
        )
        assert everything.counts == Counts(
            create=1, update=1, replace=3, delete=1, forget=1, read=1, unknown=1, no_op=1
        )

    def test_the_sentence_says_all_that_acts(self) -> None:
        """Also moves, imports and outputs."""
        full = plan(
            resource("a_b.a", "create", None, {}),
            resource("a_b.b", "replace", {}, {}),
            resource("a_b.c", "no-op", {}, {}, previous_address="a_b.z"),
            resource("a_b.d", "no-op", {}, {}, importing={}),
            output_changes={"o": output()},
        )
        assert full.counts.sentence() == (
            "1 to create, 1 to replace, 1 to import, 1 to move, 1 output changes"
        )
        assert plan().counts.sentence() == "no changes"

    def test_losses_are_deletes_and_what_is_forgotten(self) -> None:
        """Replacements delete, too."""
        lost = plan(
            resource("a_b.d", "delete", {}),
            resource("a_b.r", "replace", {}, {}),
            resource("a_b.f", "forget", {}),
            resource("a_b.u", "update", {}, {}),
        )
        assert [change.address for change in lost.deletes] == ["a_b.d", "a_b.r"]
        assert [change.address for change in lost.losses] == ["a_b.d", "a_b.r", "a_b.f"]

    def test_unknown_actions_are_named(self) -> None:
        """With Terraform's own words, and whatever part of the plan they stand in."""
        odd = plan(
            resource("a_b.c", "unknown", {}, {}),
            output_changes={"o": {"actions": ["sing"]}},
            action_invocations=[{"address": "action.x.y"}],
            deferred_action_invocations=[{}],
        )
        assert odd.unknown_actions == (
            "a_b.c: transmogrify",
            "output o: unknown action",
            "action.x.y: invoked by the provider",
            "1 deferred invocations",
        )


class TestAttributes:
    """What changes inside an object."""

    def test_an_update_names_what_differs(self) -> None:
        """And only that, with what is unknown or secret said so."""
        marks = {"before_sensitive": {"pw": True}, "after_sensitive": {"pw": True}}
        before = {"size": 1, "same": "x", "pw": "one-secret", "id": "i"}
        after = {"size": 2, "same": "x", "pw": "two-secret"}
        (change,) = plan(
            resource("a_b.c", "update", before, after, after_unknown={"id": True}, **marks)
        ).changes
        assert [
            (each.path, each.before, each.after, each.unknown, each.sensitive)
            for each in change.attributes
        ] == [
            ("id", "i", UNKNOWN_TEXT, True, False),
            ("pw", HIDDEN_TEXT, HIDDEN_TEXT, False, True),
            ("size", 1, 2, False, False),
        ]

    def test_the_cause_of_a_replacement_is_marked(self) -> None:
        """Also where Terraform names the block that it lies in."""
        before, after = (
            {"ami": letter, "disk": [{"size": letter}], "name": letter} for letter in "ab"
        )
        reason = "replace_because_cannot_update"
        paths = [["ami"], ["disk"]]
        (change,) = plan(
            resource("a_b.c", "replace", before, after, replace_paths=paths, action_reason=reason)
        ).changes
        causes = {each.path: each.forces_replacement for each in change.attributes}
        assert causes == {"ami": True, "disk[0].size": True, "name": False}
        assert (change.replace_paths, change.reason) == (("ami", "disk"), reason)

    def test_a_creation_lists_what_it_sets(self) -> None:
        """What is null is not set."""
        made = resource("a_b.c", "create", None, {"a": 1, "b": None}, after_unknown={"id": True})
        shown = [(each.path, each.after) for each in plan(made).changes[0].attributes]
        assert shown == [("a", 1), ("id", UNKNOWN_TEXT)]

    def test_a_deletion_lists_what_goes(self) -> None:
        """With secrets hidden."""
        gone = resource("a_b.c", "delete", {"pw": "x"}, None, before_sensitive={"pw": True})
        (only,) = plan(gone).changes[0].attributes
        assert (only.path, only.before, only.sensitive) == ("pw", HIDDEN_TEXT, True)

    def test_an_object_that_stays_carries_no_attributes(self) -> None:
        """They would make a plan of 5,000 objects large for nothing."""
        stays = plan(resource("a_b.c", "no-op", {"a": 1}, {"a": 1})).resource_changes[0]
        assert (stays.before, stays.after, stays.attributes) == (None, None, ())

    def test_what_is_special_about_an_object_is_kept(self) -> None:
        """Module, deposed key, where it moves from, what it is imported from."""
        module = 'module.m["k"]'
        more = {"module_address": module, "deposed": "deadbeef", "previous_address": "a_b.old"}
        found = resource(f"{module}.a_b.c", "no-op", {}, {}, importing={"id": "i-1"}, **more)
        (change,) = plan(found).changes
        assert (change.module, change.type, change.name) == (module, "a_b", "c")
        assert (change.deposed, change.import_id) == ("deadbeef", "i-1")
        assert change.moved
        assert change.imported


class TestSealedChanges:
    """`changes.json`: a plan that needs no Terraform to be shown."""

    def test_a_plan_is_read_back_as_it_was(self) -> None:
        """Nothing that is shown gets lost."""
        full = plan(
            resource("a_b.c", "update", {"x": [1, {"y": None}]}, {"x": [2.5, "é"]}),
            output_changes={"o": output(after={"a": [True]})},
            variables={"v": {"value": [1, "2"]}},
            resource_drift=[resource("a_b.c", "update", {"x": 1}, {"x": 2})],
            checks=[{"address": {"to_display": "check.c"}, "status": "fail"}],
        )
        again = Plan.from_changes(full.to_changes())
        assert again == full
        assert again.counts == full.counts
        assert again.failed_checks[0].address == "check.c"

    def test_the_same_plan_gives_the_same_bytes(self) -> None:
        """They are sealed by their digest."""
        raw = encoded(document(resource("a_b.c", "create", None, {"b": 1, "a": 2})))
        assert read_plan(raw)[0].to_changes() == read_plan(raw)[0].to_changes()

    @pytest.mark.parametrize(
        "changes", [b"", b"{}", b'{"format":2,"format_version":"1.2"}', b'{"format":1,"odd":1}']
    )
    def test_other_files_are_refused(self, changes: bytes) -> None:
        """In a line, also where a later version wrote it."""
        with pytest.raises(EngineError, match="sealed changes"):
            Plan.from_changes(changes)

    @pytest.mark.slow
    def test_five_thousand_changes_load_and_count_fast(self) -> None:
        """`show` of a large plan must not keep anybody waiting."""
        body = {f"attribute_{index}": f"value {index}" for index in range(30)}
        large = plan(
            *(
                resource(f'a_b.c["{index}"]', "update", body, {**body, "attribute_1": str(index)})
                for index in range(5000)
            )
        )
        changes = large.to_changes()
        started = time.process_time()
        again = Plan.from_changes(changes)
        assert again.counts.update == 5000
        assert again.has_changes
        assert sum(len(change.attributes) for change in again.changes) == 5000
        assert time.process_time() - started < 10


def test_reading_leaves_the_garbage_collector_as_it_was() -> None:
    """Also where the plan cannot be read."""
    for enabled in (True, False):
        (gc.enable if enabled else gc.disable)()
        try:
            Plan.from_changes(plan().to_changes())
            with pytest.raises(EngineError):
                read_plan(b"{")[0]
            assert gc.isenabled() is enabled
        finally:
            gc.enable()


def test_a_failed_check_is_found_in_each_instance() -> None:
    """A check of several instances fails where one does; unknown is no failure."""
    small = {"status": "fail", "problems": [{"message": "too small"}]}
    instances = [
        {"address": {"to_display": "a_b.c[0]"}, "status": "pass"},
        {"address": {"to_display": "a_b.c[1]"}, **small},
    ]
    of = {"kind": "resource", "to_display": "a_b.c"}
    checks = [
        {"address": of, "status": "fail", "instances": instances},
        {"address": {"to_display": "check.later"}, "status": "unknown"},
    ]
    checked = plan(checks=checks)
    (found,) = checked.failed_checks
    assert (found.address, found.problems) == ("a_b.c[1]", ("too small",))
    assert checked.counts.failed_checks == 1


def test_actions_are_words_in_the_sealed_file() -> None:
    """So that a program can read it without this code."""
    assert b'"action":"replace"' in plan(resource("a_b.c", "replace", {}, {})).to_changes()
    assert Action("replace") is Action.REPLACE
