"""Tests for biomodal_deploy.plan.impossible: what AWS always refuses is refused before."""

from __future__ import annotations

import base64
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from biomodal_deploy.errors import UsageError
from biomodal_deploy.plan.guards import Outcome, Verdict, enforce, judge
from biomodal_deploy.plan.impossible import (
    MET_BY,
    READ_FROM_PLAN,
    Impossible,
    met_at,
    public_key_problem,
)
from tests.support.plans import plan, resource


def judged(*resources: Any, **more: Any) -> list[Verdict]:
    """Return the verdicts of the checks of this module."""
    names = {*READ_FROM_PLAN, *MET_BY}
    return [each for each in judge(plan(*resources), **more) if each.rule in names]


def vm(action: str, before: int, after: int) -> Any:
    """Return a VM whose disk changes its size."""
    disk = ({"root_block_device": [{"volume_size": size}]} for size in (before, after))
    return resource("aws_instance.vm", action, *disk)


@cache
def ssh_key(kind: str, bits: int) -> str:
    """Return a public key as ssh-keygen makes them."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "key"
        command = ["ssh-keygen", "-q", "-t", kind, "-b", str(bits), "-N", "", "-f", str(file)]
        subprocess.run(command, check=True, capture_output=True)
        return file.with_suffix(".pub").read_text().strip()


RSA = (b"ssh-rsa", b"\x01\x00\x01", b"\x00" + b"\xff" * 64)
SHORT = b"".join(len(each).to_bytes(4) + each for each in RSA)
CUT_OFF = resource("aws_key_pair.k", "create", {}, {"public_key": "ssh-ed25519 AAAA"})


class TestVolumes:
    """An EBS volume grows and never shrinks."""

    def test_a_disk_that_shrinks_is_refused(self) -> None:
        """With both sizes, and the size to set."""
        (verdict,) = judged(vm("update", 200, 100))
        assert (verdict.rule, verdict.outcome) == ("volume-size", Outcome.REFUSED)
        assert verdict.address == "aws_instance.vm"
        assert "200 to 100 GiB" in verdict.message
        assert "--allow volume-size" in verdict.message

    def test_other_volumes_too(self) -> None:
        """A volume of its own, and a second disk of a machine."""
        disks = ({"ebs_block_device": [{"volume_size": size}]} for size in (20, 10))
        verdicts = judged(
            resource("aws_ebs_volume.x", "update", {"size": 20}, {"size": 10}),
            resource("aws_instance.x", "update", *disks),
        )
        assert [each.address for each in verdicts] == ["aws_ebs_volume.x", "aws_instance.x"]

    @pytest.mark.parametrize("change", [("update", 100, 200), ("replace", 200, 100)])
    def test_growing_and_replacing_is_possible(self, change: tuple[str, int, int]) -> None:
        """A new machine has a new disk."""
        assert judged(vm(*change)) == []


class TestPublicKeys:
    """A key is read to its end, since one that was cut off looks whole."""

    @pytest.mark.parametrize(("kind", "bits"), [("ed25519", 256), ("rsa", 1024), ("rsa", 3072)])
    def test_a_real_key_passes(self, kind: str, bits: int) -> None:
        """As ssh-keygen makes them."""
        assert public_key_problem(ssh_key(kind, bits)) is None

    @pytest.mark.parametrize(("kind", "bits"), [("ed25519", 256), ("rsa", 2048)])
    @pytest.mark.parametrize("missing", [1, 3, 4, 8, 40])
    def test_a_key_that_is_cut_off_is_found(self, kind: str, bits: int, missing: int) -> None:
        """Wherever it is cut, also between two groups of base64."""
        name, text, *_ = ssh_key(kind, bits).split()
        assert "cut off" in (public_key_problem(f"{name} {text[:-missing]}") or "")

    def test_a_key_of_another_type_than_it_says_is_found(self) -> None:
        """Both types are named."""
        problem = public_key_problem(f"ssh-ed25519 {ssh_key('rsa', 1024).split()[1]}")
        assert all(each in (problem or "") for each in ("ssh-ed25519", "ssh-rsa"))

    @pytest.mark.parametrize(
        ("key", "word"),
        [
            ("ssh-ed25519", "not an SSH public key"),
            ("ecdsa-sha2-nistp256 AAAA", "ecdsa-sha2-nistp256"),
            ("ssh-ed25519 AAAA!", "cut off"),
            ("ssh-ed25519 ", "not an SSH public key"),
            # EC2 takes none below 1024 bits.
            (f"ssh-rsa {base64.b64encode(SHORT).decode()}", "512 bits"),
        ],
    )
    def test_what_is_no_key_is_named(self, key: str, word: str) -> None:
        """In words of the key."""
        assert word in (public_key_problem(key) or "")

    @pytest.mark.parametrize("action", ["create", "replace"])
    def test_the_plan_is_refused(self, action: str) -> None:
        """Wherever the key came from: a variable or a file."""
        key = {"public_key": "ssh-ed25519 AAAA"}
        (verdict,) = judged(resource("aws_key_pair.k", action, {}, key))
        assert (verdict.rule, verdict.outcome) == ("public-key", Outcome.REFUSED)

    def test_a_key_that_is_made_by_the_apply_is_not_judged(self) -> None:
        """The documented module makes it."""
        pair = resource("aws_key_pair.k", "create", None, {}, after_unknown={"public_key": True})
        assert judged(pair) == []


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("lab-data", False),
        ("lab.data", False),
        *((name, True) for name in ("xn--lab", "lab--x-s3", "lab-s3alias", "lab--table-s3")),
        *((name, True) for name in ("192.168.5.4", "lab..data", "sthree-lab", "lab.mrap", "La")),
    ],
)
def test_bucket_names_that_amazon_s3_reserves(name: str, refused: bool) -> None:
    """Of any bucket that a plan creates, whatever names it."""
    verdicts = judged(resource("aws_s3_bucket.b", "create", None, {"bucket": name}))
    assert [each.rule for each in verdicts] == (["bucket-name"] if refused else [])


@pytest.mark.parametrize(
    ("kind", "argument"),
    [
        ("aws_batch_compute_environment", "compute_environment_name"),
        ("aws_batch_compute_environment", "name"),  # AWS provider 6
        ("aws_batch_job_queue", "name"),
        ("aws_iam_role", "name"),
    ],
)
def test_a_successor_under_the_same_name_is_refused(kind: str, argument: str) -> None:
    """It is created while the old one still has the name."""
    same = resource(f"{kind}.x", "replace-create-first", {argument: "lab"}, {argument: "lab"})
    (verdict,) = judged(same)
    assert (verdict.rule, verdict.outcome) == ("same-name", Outcome.REFUSED)
    other = resource(f"{kind}.x", "replace-create-first", {argument: "lab"}, {argument: "new"})
    first = resource(f"{kind}.x", "replace", {argument: "lab"}, {argument: "lab"})
    assert judged(other) == judged(first) == []


def test_a_check_that_is_allowed_by_name_lets_the_plan_pass() -> None:
    """And the verdict keeps what was allowed, for who reviews it."""
    (verdict,) = judged(vm("update", 200, 100), allow=["volume-size"])
    assert verdict.outcome is Outcome.ALLOWED
    enforce([verdict])


def test_an_allowance_is_for_one_check() -> None:
    """What another one refuses stays refused."""
    verdicts = judged(vm("update", 200, 100), CUT_OFF, allow=["volume-size"])
    assert {each.rule: each.outcome for each in verdicts} == {
        "volume-size": Outcome.ALLOWED,
        "public-key": Outcome.REFUSED,
    }


def test_an_allowance_that_nothing_needs_is_noted() -> None:
    """A pipeline may go on naming it."""
    (verdict,) = judged(allow=["volume-size"])
    assert verdict.outcome is Outcome.NOTICE


def test_an_unknown_check_is_corrected() -> None:
    """With the nearest name."""
    with pytest.raises(UsageError) as caught:
        judged(allow=["volume-sise"])
    assert (caught.value.field, caught.value.value) == ("--allow", "volume-sise")
    assert "volume-size" in (caught.value.fix or "")


def test_what_the_account_says_is_refused_too() -> None:
    """With the way out, and the name to allow it by."""
    taken = Impossible("role", "aws_iam_role.vm", "IAM role lab exists", "choose another vm_name")
    (verdict,) = judged(found=[taken])
    assert (verdict.rule, verdict.outcome) == ("role", Outcome.REFUSED)
    assert "choose another vm_name" in verdict.message
    (verdict,) = judged(found=[taken], allow=["role"])
    assert verdict.outcome is Outcome.ALLOWED


def test_an_account_check_is_met_where_its_kind_is_created() -> None:
    """A plan that creates no role does not fail at a role; a machine is started as its new type."""
    creates = plan(resource("aws_iam_role.vm", "create", None, {}))
    found = met_at(creates, "role")
    assert found is not None
    assert found.address == "aws_iam_role.vm"
    assert met_at(plan(resource("aws_iam_role.vm", "update", {}, {})), "role") is None
    assert met_at(creates, "vpc") is None
    types = ({"instance_type": kind} for kind in ("t3.large", "t9.large"))
    assert met_at(plan(resource("aws_instance.vm", "update", *types)), "instance-type")
