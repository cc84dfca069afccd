"""Tests for biomodal_deploy.plan.model and .changes."""

from __future__ import annotations

import gc
import time

import pytest

from biomodal_deploy.errors import EngineError
from biomodal_deploy.plan import HIDDEN_TEXT, Action, Counts, Plan, read_plan
from biomodal_deploy.plan.redactor import UNKNOWN_TEXT
from tests.support.plans import ACTIONS, document, encoded, output, plan, resource


class TestHasChanges:
    """Whether there is something to apply, from the plan itself."""

    @pytest.mark.parametrize("action", [word for word in ACTIONS if word not in {"no-op", "read"}])
    def test_every_action_but_reading_counts(self, action: str) -> None:
        """Create, update, delete, replace, forget; and what is not known."""
        assert plan(resource("a_b.c", action, {}, {}), applyable=None).has_changes

    @pytest.mark.parametrize("action", ["no-op", "read"])
    def test_reading_alone_does_not(self, action: str) -> None:
        """A data source that is read again changes nothing."""
        assert not plan(resource("a_b.c", action, {}, {}), applyable=False).has_changes

    def test_an_output_alone_counts(self) -> None:
        """The state changes, and who reads the output sees it."""
        assert plan(output_changes={"o": output("update", 1, 2)}).has_changes
        assert not plan(output_changes={"o": output("no-op", 1, 1)}).has_changes

    def test_a_move_alone_counts(self) -> None:
        """The state changes though no object does."""
        moved = resource("a_b.new", "no-op", {}, {}, previous_address="a_b.old")
        assert plan(moved, applyable=None).has_changes

    def test_an_import_alone_counts(self) -> None:
        """The state changes though no object does."""
        assert plan(
            resource("a_b.c", "no-op", {}, {}, importing={"id": "i-1"}), applyable=None
        ).has_changes

    def test_a_move_to_the_same_address_does_not(self) -> None:
        """Terraform names the previous address also where nothing moves."""
        same = resource("a_b.c", "no-op", {}, {}, previous_address="a_b.c")
        assert not plan(same, applyable=False).has_changes

    @pytest.mark.parametrize(
        ("applyable", "expected"), [(True, True), (False, False), (None, True)]
    )
    def test_drift_counts_where_it_would_be_written(
        self, applyable: bool | None, expected: bool
    ) -> None:
        """In a refresh-only plan it is; in another it is only news."""
        drift = [resource("a_b.c", "update", {"x": 1}, {"x": 2})]
        assert plan(resource_drift=drift, applyable=applyable).has_changes is expected

    def test_deferred_and_invoked_count(self) -> None:
        """What acts later or beside the changes is no "no changes"."""
        deferred = [{"reason": "r", "resource_change": resource("a_b.c")}]
        assert plan(deferred_changes=deferred, applyable=False).has_changes
        assert plan(action_invocations=[{"address": "action.x.y"}], applyable=False).has_changes


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
        change = plan(
            resource(
                "a_b.c",
                "update",
                {"size": 1, "same": "x", "pw": "one-secret", "id": "i"},
                {"size": 2, "same": "x", "pw": "two-secret"},
                before_sensitive={"pw": True},
                after_sensitive={"pw": True},
                after_unknown={"id": True},
            )
        ).changes[0]
        assert [(each.path, each.before, each.after) for each in change.attributes] == [
            ("id", "i", UNKNOWN_TEXT),
            ("pw", HIDDEN_TEXT, HIDDEN_TEXT),
            ("size", 1, 2),
        ]
        assert [each.unknown for each in change.attributes] == [True, False, False]
        assert [each.sensitive for each in change.attributes] == [False, True, False]

    def test_the_cause_of_a_replacement_is_marked(self) -> None:
        """Also where Terraform names the block that it lies in."""
        change = plan(
            resource(
                "a_b.c",
                "replace",
                {"ami": "a", "disk": [{"size": 1}], "name": "n"},
                {"ami": "b", "disk": [{"size": 2}], "name": "m"},
                replace_paths=[["ami"], ["disk"]],
                action_reason="replace_because_cannot_update",
            )
        ).changes[0]
        causes = {each.path: each.forces_replacement for each in change.attributes}
        assert causes == {"ami": True, "disk[0].size": True, "name": False}
        assert change.replace_paths == ("ami", "disk")
        assert change.reason == "replace_because_cannot_update"

    def test_a_creation_lists_what_it_sets(self) -> None:
        """What is null is not set."""
        change = plan(
            resource("a_b.c", "create", None, {"a": 1, "b": None}, after_unknown={"id": True})
        ).changes[0]
        assert [(each.path, each.after) for each in change.attributes] == [
            ("a", 1),
            ("id", UNKNOWN_TEXT),
        ]

    def test_a_deletion_lists_what_goes(self) -> None:
        """With secrets hidden."""
        change = plan(
            resource("a_b.c", "delete", {"pw": "x"}, None, before_sensitive={"pw": True})
        ).changes[0]
        assert [(each.path, each.before, each.sensitive) for each in change.attributes] == [
            ("pw", HIDDEN_TEXT, True)
        ]

    def test_an_object_that_stays_carries_no_attributes(self) -> None:
        """They would make a plan of 5,000 objects large for nothing."""
        stays = plan(resource("a_b.c", "no-op", {"a": 1}, {"a": 1})).resource_changes[0]
        assert (stays.before, stays.after, stays.attributes) == (None, None, ())

    def test_what_is_special_about_an_object_is_kept(self) -> None:
        """Module, deposed key, where it moves from, what it is imported from."""
        change = plan(
            resource(
                'module.m["k"].a_b.c',
                "no-op",
                {},
                {},
                module_address='module.m["k"]',
                deposed="deadbeef",
                previous_address="a_b.old",
                importing={"id": "i-1"},
            )
        ).changes[0]
        assert change.module == 'module.m["k"]'
        assert (change.type, change.name, change.deposed) == ("a_b", "c", "deadbeef")
        assert change.moved
        assert change.imported
        assert change.import_id == "i-1"


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
    checks = [
        {
            "address": {"kind": "resource", "to_display": "a_b.c"},
            "status": "fail",
            "instances": [
                {"address": {"to_display": "a_b.c[0]"}, "status": "pass"},
                {
                    "address": {"to_display": "a_b.c[1]"},
                    "status": "fail",
                    "problems": [{"message": "too small"}],
                },
            ],
        },
        {"address": {"to_display": "check.later"}, "status": "unknown"},
    ]
    checked = plan(checks=checks)
    assert [(check.address, check.problems) for check in checked.failed_checks] == [
        ("a_b.c[1]", ("too small",))
    ]
    assert checked.counts.failed_checks == 1


def test_actions_are_words_in_the_sealed_file() -> None:
    """So that a program can read it without this code."""
    assert b'"action":"replace"' in plan(resource("a_b.c", "replace", {}, {})).to_changes()
    assert Action("replace") is Action.REPLACE
