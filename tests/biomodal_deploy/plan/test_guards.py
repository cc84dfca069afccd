"""Tests for biomodal_deploy.plan.guards."""

from __future__ import annotations

from typing import Any

import pytest

from biomodal_deploy.config.settings import PROTECTED_KINDS, Bounds
from biomodal_deploy.errors import EXIT_GUARD, GuardRefused, UsageError
from biomodal_deploy.plan import HIDDEN_TEXT, PlanKind
from biomodal_deploy.plan.guards import (
    Emptied,
    Outcome,
    Verdict,
    emptied,
    enforce,
    judge,
    protected_losses,
)
from tests.support.plans import output, plan, resource

BUCKET = "module.bootstrap.module.s3-bucket[0].aws_s3_bucket.this[0]"

DEFERRED = [{"reason": "r", "resource_change": resource("a_b.c")}]


def refusals(*resources: Any, document: dict[str, Any] | None = None, **more: Any) -> list[str]:
    """Return what the guards refuse."""
    verdicts = judge(plan(*resources, **(document or {})), **more)
    return [verdict.message for verdict in verdicts if verdict.outcome is Outcome.REFUSED]


class TestProtected:
    """Losing an object of a protected kind needs its address."""

    @pytest.mark.parametrize("kind", PROTECTED_KINDS)
    @pytest.mark.parametrize(
        ("action", "fate"),
        [
            ("delete", "deleted"),
            ("replace", "replaced"),
            ("replace-create-first", "replaced"),
            ("forget", "forgotten"),
            ("replace-and-forget", "replaced, the old one left behind unmanaged"),
        ],
    )
    def test_every_way_to_lose_one_is_refused(self, kind: str, action: str, fate: str) -> None:
        """Delete, replace and forget alike, and the line says what to do."""
        (line,) = refusals(resource(f"{kind}.x", action, {}, {}))
        assert line == (
            f"{kind}.x would be {fate}, and {kind} is protected."
            f" If that is meant: plan again with --allow-destroy '{kind}.x'"
        )

    @pytest.mark.parametrize("action", ["no-op", "create", "read", "update"])
    def test_nothing_else_is(self, action: str) -> None:
        """An update loses nothing; a security group can be made again."""
        assert refusals(resource("aws_s3_bucket.x", action, {}, {})) == []
        assert refusals(resource("aws_security_group.x", "delete", {})) == []

    def test_modules_are_no_hiding_place(self) -> None:
        """What the documented module makes counts, at whatever depth."""
        assert BUCKET in refusals(resource(BUCKET, "delete", {}))[0]

    def test_a_data_source_is_no_object(self) -> None:
        """It has the same type and nothing to lose."""
        assert refusals(resource("aws_instance.x", "delete", {}, mode="data")) == []

    def test_an_old_object_left_by_a_replacement_counts(self) -> None:
        """It may be the bucket that still holds the data."""
        (line,) = refusals(resource("aws_instance.x", "delete", {}, deposed="deadbeef"))
        assert "deleted (the old object deadbeef)" in line

    def test_the_kinds_can_be_set(self) -> None:
        """Per stack."""
        gone = [resource("aws_s3_bucket.x", "delete", {}), resource("a_b.c", "delete", {})]
        (line,) = refusals(*gone, protected=["a_b"])
        assert line.startswith("a_b.c ")

    def test_the_exact_address_allows_it(self) -> None:
        """And the verdict says so, for the record."""
        verdicts = judge(plan(resource(BUCKET, "delete", {})), allow_destroy=[BUCKET])
        (verdict,) = (each for each in verdicts if each.rule == "protected")
        assert verdict.outcome is Outcome.ALLOWED
        assert verdict.address == BUCKET
        enforce(verdicts)

    def test_one_allowance_is_for_one_object(self) -> None:
        """The other bucket stays protected."""
        gone = [resource(f"aws_s3_bucket.x[{index}]", "delete", {}) for index in range(2)]
        (line,) = refusals(*gone, allow_destroy=["aws_s3_bucket.x[0]"])
        assert line.startswith("aws_s3_bucket.x[1] ")

    def test_an_allowance_for_two_objects_that_look_alike_is_none(self) -> None:
        """Where a hidden secret makes two addresses one, nobody can say which is meant."""
        gone = [resource(f'aws_s3_bucket.x["{key}-secret"]', "delete", {}) for key in "ab"]
        hidden = f'aws_s3_bucket.x["{HIDDEN_TEXT}"]'
        lines = refusals(
            *gone,
            document={"variables": {"v": {"value": ["a-secret", "b-secret"]}}},
            allow_destroy=[hidden],
        )
        assert len(lines) == 2
        assert all("another object is shown by the same address" in line for line in lines)

    def test_losses_that_need_an_allowance_are_listed(self) -> None:
        """So that a command can name them."""
        mixed = plan(resource(BUCKET, "delete", {}), resource("a_b.c", "delete", {}))
        assert [loss.address for loss in protected_losses(mixed)] == [BUCKET]


class TestAllowances:
    """An allowance that does nothing is a mistake."""

    def test_a_misspelt_address_is_corrected(self) -> None:
        """With the nearest that would be lost; the error names the flag and the value."""
        gone = plan(resource("aws_s3_bucket.data", "delete", {}))
        with pytest.raises(UsageError, match=r"did you mean 'aws_s3_bucket\.data'") as caught:
            judge(gone, allow_destroy=["aws_s3_bucket.date"])
        assert (caught.value.field, caught.value.value) == ("--allow-destroy", "aws_s3_bucket.date")

    def test_an_address_that_stays_needs_none(self) -> None:
        """Nothing happens to it in this plan."""
        stays = plan(resource("aws_s3_bucket.data", "update", {}, {}))
        with pytest.raises(UsageError, match="neither deletes, replaces nor forgets"):
            judge(stays, allow_destroy=["aws_s3_bucket.data"])

    def test_what_is_gone_already_is_noted(self) -> None:
        """A destroy that broke off is run again as it was typed."""
        verdicts = judge(
            plan(resource("aws_s3_bucket.data", "delete", {})),
            kind=PlanKind.DESTROY,
            allow_destroy=["aws_s3_bucket.data", "aws_instance.vm", BUCKET],
            declared=["aws_s3_bucket.data", "aws_instance.vm", "module.bootstrap"],
        )
        notes = [each for each in verdicts if each.rule == "allowance"]
        assert [each.address for each in notes] == ["aws_instance.vm", BUCKET]
        assert {each.outcome for each in notes} == {Outcome.NOTICE}

    def test_all_mistakes_are_named_at_once(self) -> None:
        """Each of them costs a plan otherwise; what is suggested is of the same kind."""
        with pytest.raises(UsageError) as caught:
            judge(
                plan(
                    resource("aws_instance.vn", "delete", {}),
                    resource("aws_ebs_volume.data", "delete", {}),
                    resource("aws_eip.ip", "update", {}, {}),
                ),
                allow_destroy=["aws_instance.vm", "aws_ebs_volumes.data", "aws_eip.ip"],
            )
        for part in ("aws_instance.vm", "aws_ebs_volumes.data", "aws_eip.ip", "'aws_instance.vn'"):
            assert part in str(caught.value)
        assert "'aws_ebs_volume.data'" not in str(caught.value)


class TestVanished:
    """What somebody deleted outside Terraform shows as a plain creation."""

    def judged(self, kind: str, **more: Any) -> Verdict:
        """Return what the guards say of an object that is gone."""
        gone = plan(
            resource(f"{kind}.x", "create", None, {}),
            resource(f"{kind}.new", "create", None, {}),
            resource_drift=[resource(f"{kind}.x", "delete", {"id": "1"}, None)],
        )
        (verdict,) = (each for each in judge(gone, **more) if each.rule == "vanished")
        assert verdict.address == f"{kind}.x"
        assert "deleted outside Terraform" in verdict.message
        return verdict

    def test_it_is_named(self) -> None:
        """What is new is not."""
        assert self.judged("aws_security_group").outcome is Outcome.NOTICE

    def test_a_protected_kind_needs_its_address(self) -> None:
        """The new bucket has nothing of what the old one held; the printed option goes on."""
        verdict = self.judged("aws_s3_bucket")
        assert verdict.outcome is Outcome.REFUSED
        assert "--allow-destroy 'aws_s3_bucket.x'" in verdict.message
        allowed = self.judged("aws_s3_bucket", allow_destroy=["aws_s3_bucket.x"])
        assert allowed.outcome is Outcome.ALLOWED


class TestContents:
    """A bucket that may be emptied says what goes with it."""

    @pytest.mark.parametrize(
        ("count", "number"),
        [(12345, "12,345"), ("at least 9,000", "at least 9,000"), (None, "an unknown number of")],
    )
    def test_objects_are_counted(self, count: Any, number: str) -> None:
        """The count comes from outside, by address; without one it is unknown, and never zero."""
        action = "delete" if count else "replace"
        gone = plan(resource(BUCKET, action, {"bucket": "data-1", "force_destroy": True}, {}))
        counts = {BUCKET: count} if count else {}
        verdicts = judge(gone, allow_destroy=[BUCKET], object_counts=counts)
        (notice,) = (each for each in verdicts if each.rule == "contents")
        assert notice.outcome is Outcome.NOTICE
        assert notice.message == (
            f"{BUCKET}: force_destroy is set, so {number} objects go with bucket data-1."
        )

    @pytest.mark.parametrize("flag", [True, "(hidden)", 1])
    def test_what_is_not_plainly_false_counts_as_set(self, flag: object) -> None:
        """A value that cannot be read is read with care."""
        gone = plan(resource("aws_s3_bucket.x", "delete", {"bucket": "b", "force_destroy": flag}))
        assert emptied(gone) == (Emptied("aws_s3_bucket.x", "aws_s3_bucket", "b"),)

    @pytest.mark.parametrize(
        ("action", "before"),
        [
            ("delete", {"force_destroy": False}),
            ("delete", {}),
            ("forget", {"force_destroy": True}),
            ("update", {"force_destroy": True}),
        ],
    )
    def test_otherwise_nothing_is_emptied(self, action: str, before: Any) -> None:
        """AWS itself refuses to delete a bucket that holds something."""
        assert emptied(plan(resource("aws_s3_bucket.x", action, before, {}))) == ()

    def test_repositories_count_too(self) -> None:
        """Their flag has another name, and they hold images."""
        gone = plan(resource("aws_ecr_repository.x", "delete", {"name": "r", "force_delete": True}))
        assert emptied(gone) == (Emptied("aws_ecr_repository.x", "aws_ecr_repository", "r"),)


class TestLimits:
    """Account, region and number of deletes."""

    def test_within_the_limits_passes(self) -> None:
        """And the verdicts say what was compared."""
        verdicts = judge(
            plan(resource("a_b.c", "delete", {})),
            limits=Bounds(account_ids=("111122223333",), regions=("eu-west-2",), max_deletes=1),
            account="111122223333",
            region="eu-west-2",
        )
        enforce(verdicts)
        assert {"account", "region", "max-deletes"} <= {verdict.rule for verdict in verdicts}

    @pytest.mark.parametrize("account", ["999999999999", None])
    def test_another_account_is_refused(self, account: str | None) -> None:
        """Also one that cannot be told."""
        (refusal,) = refusals(limits=Bounds(account_ids=("111122223333",)), account=account)
        here = account or "not known"
        assert refusal == f"The account is {here}, and the stack is limited to 111122223333."

    def test_another_region_is_refused(self) -> None:
        """The line names both."""
        (refusal,) = refusals(limits=Bounds(regions=("eu-west-2",)), region="us-east-1")
        assert refusal == "The region is us-east-1, and the stack is limited to eu-west-2."

    def test_too_many_deletes_are_refused(self) -> None:
        """A replacement deletes, too; forgetting does not."""
        gone = [
            resource("a_b.d", "delete", {}),
            resource("a_b.r", "replace", {}, {}),
            resource("a_b.f", "forget", {}),
        ]
        assert refusals(*gone, limits=Bounds(max_deletes=2)) == []
        (refusal,) = refusals(*gone, limits=Bounds(max_deletes=1))
        assert refusal == "2 deletes (replacements included), and limits.max_deletes is 1."

    def test_a_destroy_plan_may_delete_everything(self) -> None:
        """That is what it is for; its other guards stay."""
        gone = [resource("a_b.d", "delete", {}), resource("aws_eip.x", "delete", {})]
        lines = refusals(*gone, limits=Bounds(max_deletes=0), kind=PlanKind.DESTROY)
        assert [line.partition(" ")[0] for line in lines] == ["aws_eip.x"]


class TestWholePlans:
    """Only a whole plan that is understood passes."""

    def test_an_unknown_action_is_refused(self) -> None:
        """Of an object, of an output, or beside the changes."""
        lines = refusals(
            resource("a_b.c", "unknown", {}, {}),
            document={
                "output_changes": {"o": {"actions": ["sing"]}, "p": output()},
                "action_invocations": [{"address": "action.x.y"}],
            },
        )
        assert [line.partition(": ")[2] for line in lines] == [
            "a_b.c: transmogrify.",
            "output o: unknown action.",
            "action.x.y: invoked by the provider.",
        ]

    @pytest.mark.parametrize(
        ("document", "words"),
        [
            # Terraform 1.x writes a plan file also where it failed.
            ({"errored": True}, "failed while it planned"),
            # Such as a targeted one.
            ({"complete": False}, "-target"),
            # What was approved would be only part of what happens.
            ({"deferred_changes": DEFERRED, "complete": False}, "deferred"),
            ({"deferred_changes": DEFERRED, "complete": True}, "deferred"),
        ],
    )
    def test_a_part_of_a_plan_is_refused(self, document: dict[str, Any], words: str) -> None:
        """Whatever the rest is."""
        assert words in refusals(document=document)[0]

    def test_an_older_terraform_that_does_not_say_passes(self) -> None:
        """It has no deferred changes either."""
        assert refusals(document={"complete": None, "applyable": None}) == []


def test_enforcing_names_every_refusal() -> None:
    """The first in full and the others' addresses, in one line; and the exit status of a guard."""
    verdicts = judge(plan(resource("aws_eip.a", "delete", {}), resource("aws_eip.b", "forget", {})))
    with pytest.raises(GuardRefused) as caught:
        enforce(verdicts)
    (line,) = str(caught.value).splitlines()
    assert line.startswith("aws_eip.a would be deleted")
    assert line.endswith(" (1 more refusal: aws_eip.b)")
    assert caught.value.exit_status == EXIT_GUARD


def test_a_harmless_plan_passes_with_verdicts() -> None:
    """The record shows that the guards looked."""
    verdicts = judge(plan(resource("aws_s3_bucket.x")))
    enforce(verdicts)
    assert {verdict.rule for verdict in verdicts} == {"whole-plan", "known-actions", "protected"}
    assert Verdict.model_validate_json(verdicts[0].model_dump_json()) == verdicts[0]


@pytest.mark.parametrize(
    ("action", "named"),
    [("create", True), ("replace", True), ("delete", True), ("update", False), ("no-op", False)],
)
@pytest.mark.parametrize("kind", [PlanKind.APPLY, PlanKind.DESTROY])
def test_a_program_that_an_apply_would_run_is_named(
    action: str, kind: PlanKind, *, named: bool
) -> None:
    """What a provisioner deletes stands in no plan: nobody approves it unknowingly."""
    block = {"type": "a_b", "name": "c", "provisioners": [{"type": "local-exec"}]}
    configuration = {"root_module": {"resources": [block]}}
    verdicts = judge(plan(resource("a_b.c", action), configuration=configuration), kind=kind)
    notices = [each for each in verdicts if each.outcome is Outcome.NOTICE]
    assert [each.address for each in notices] == ["a_b.c"] * named
    assert all("local-exec" in each.message for each in notices)
