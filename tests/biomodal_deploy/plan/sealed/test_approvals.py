"""Approvals by real SSH keys: what counts, and why the rest does not."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy.config.stack import Approvals
from biomodal_deploy.errors import SealedPlanRefused, UsageError
from biomodal_deploy.plan.sealed import SealedPlan
from biomodal_deploy.plan.sealed.approvals import (
    add,
    approve,
    judge_approvals,
    require_approvals,
    statement_of,
)
from tests.support.plans import plan, resource
from tests.support.sealed_plans import NOW, edit_manifest, refused, sealed
from tests.support.signers import make_key, signers_line

ADA, BOB, EVE = "ada@lab", "bob@lab", "eve@lab"
ONE: Final = Approvals()
TWO: Final = Approvals(required=2)


def make_certificate(
    authority: Path, key: Path, principal: str, valid: str = "always:forever"
) -> Path:
    """Have an authority certify a key for a time; return the certificate."""
    public = key.with_name(f"{key.name}.pub")
    command = ["ssh-keygen", "-q", "-s", str(authority), "-I", "id", "-n", principal]
    command += ["-V", valid, str(public)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return key.with_name(f"{key.name}-cert.pub")


class Lab:
    """A project with a sealed plan, and three people of whom two may sign."""

    def __init__(self, folder: Path) -> None:
        self.project = folder
        self.sealed_plan = sealed(folder / "plans")
        self.keys = {name: make_key(folder, name.partition("@")[0]) for name in (ADA, BOB, EVE)}
        self.may_sign(*(signers_line(name, self.keys[name]) for name in (ADA, BOB)))

    def may_sign(self, *lines: str) -> None:
        """Write the file of who may sign."""
        (self.project / "allowed_signers").write_text("".join(lines))

    def approve(self, *names: str) -> None:
        """Have people sign."""
        for name in names:
            approve(self.sealed_plan, self.keys[name])

    @property
    def approval(self) -> Path:
        """The file of the only approval."""
        (path,) = (self.sealed_plan.path / "approvals").iterdir()
        return path

    def problems(self, policy: Approvals = ONE) -> list[str | None]:
        """Return why each approval does not count."""
        status = judge_approvals(self.sealed_plan, policy, self.project)
        return [each.problem for each in status.approvals]

    def refusal(self, policy: Approvals = ONE) -> str:
        """Return why the plan is refused."""
        with pytest.raises(SealedPlanRefused) as caught:
            require_approvals(self.sealed_plan, policy, self.project)
        assert caught.value.reason == "approvals_missing"
        return str(caught.value)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """A lab."""
    return Lab(tmp_path)


def test_enough_people(lab: Lab) -> None:
    """N of N: their names are returned, whoever signed first."""
    lab.approve(BOB, ADA)
    assert sorted(require_approvals(lab.sealed_plan, TWO, lab.project).names) == [ADA, BOB]


def test_one_too_few(lab: Lab) -> None:
    """N-1 of N: it says who has, whose is missing, and the command."""
    lab.approve(ADA)
    refusal = lab.refusal(
        Approvals.model_validate_json('{"required": 2, "from": ["ada@lab", "b"]}')
    )
    assert "1 of 2" in refusal
    assert "of b" in refusal
    assert f"biomodal-aws approve {lab.sealed_plan.id}" in refusal


@pytest.mark.slow
def test_rsa_certificates_and_agents(lab: Lab, tmp_path: Path) -> None:
    """Each way in which Git signs counts: another kind of key, an authority's, an agent's."""
    rsa, authority = make_key(tmp_path, "rsa", "rsa"), make_key(tmp_path, "authority")
    certificate = make_certificate(authority, lab.keys[EVE], EVE)
    lab.may_sign(signers_line(ADA, rsa), signers_line("*@lab", authority, "cert-authority"))
    approve(lab.sealed_plan, rsa)
    approve(lab.sealed_plan, certificate)
    assert sorted(require_approvals(lab.sealed_plan, TWO, lab.project).names) == [ADA, EVE]


def test_a_key_that_only_the_agent_has(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The public half is named, and the agent signs."""
    socket = tmp_path / "agent"
    # It goes into the background when it listens, and prints its process id.
    started = subprocess.run(["ssh-agent", "-a", str(socket)], stdout=subprocess.PIPE, check=True)
    process = int(started.stdout.partition(b"SSH_AGENT_PID=")[2].partition(b";")[0])
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        key = lab.keys[ADA]
        subprocess.run(["ssh-add", "-q", str(key)], check=True, env=dict(os.environ))
        key.unlink()
        approve(lab.sealed_plan, key.with_name("ada.pub"))
    finally:
        os.kill(process, signal.SIGTERM)
    assert require_approvals(lab.sealed_plan, ONE, lab.project).names == [ADA]


@pytest.mark.slow
def test_certificates_that_do_not_count(lab: Lab, tmp_path: Path) -> None:
    """Of another authority, for another person, over its time, of a revoked key."""
    authority, other = make_key(tmp_path, "authority"), make_key(tmp_path, "other")
    lab.may_sign(signers_line("*@lab", authority, "cert-authority"))
    approve(lab.sealed_plan, make_certificate(other, lab.keys[ADA], ADA))
    approve(lab.sealed_plan, make_certificate(authority, lab.keys[BOB], "bob@elsewhere"))
    approve(lab.sealed_plan, make_certificate(authority, lab.keys[EVE], EVE, "20200101:20200102"))
    assert len([each for each in lab.problems() if each]) == 3
    approve(lab.sealed_plan, make_certificate(authority, make_key(tmp_path, "zoe"), "zoe@lab"))
    (tmp_path / "revoked").write_text((tmp_path / "zoe.pub").read_text())
    assert require_approvals(lab.sealed_plan, ONE, lab.project).names == ["zoe@lab"]
    assert "revoked" in lab.refusal(Approvals(revoked="revoked"))


def test_who_may_not_sign(lab: Lab) -> None:
    """A good signature of somebody else."""
    lab.approve(EVE)
    (problem,) = lab.problems()
    assert "signers" in str(problem)


def test_one_person_counts_once(lab: Lab) -> None:
    """Twice by one key, and one key under two names."""
    lab.approve(ADA)
    lab.may_sign(signers_line(ADA, lab.keys[ADA]), signers_line(BOB, lab.keys[ADA]))
    approve(lab.sealed_plan, lab.keys[ADA])
    assert "1 of 2" in lab.refusal(TWO)


@pytest.mark.parametrize(
    ("option", "words"),
    [('valid-before="20200101"', "expired"), ('namespaces="git"', "0 of 1")],
)
def test_a_key_that_is_not_good_here(lab: Lab, option: str, words: str) -> None:
    """A key is good for the time that the file says, and for what it says."""
    lab.approve(ADA)
    lab.may_sign(signers_line(ADA, lab.keys[ADA], option))
    assert words in lab.refusal()


def test_a_signature_made_for_something_else(lab: Lab) -> None:
    """A signature over the very same text, made for Git."""
    lab.approve(ADA)
    words = ["ssh-keygen", "-Y", "sign", "-q", "-n", "git", "-f", str(lab.keys[ADA])]
    content = statement_of(lab.sealed_plan).content()
    made = subprocess.run(words, input=content, capture_output=True, check=True)
    body = json.loads(lab.approval.read_text())
    lab.approval.write_text(json.dumps({**body, "signature": made.stdout.decode()}))
    assert "namespace" in lab.refusal()


def test_a_revoked_key(lab: Lab) -> None:
    """Named in the file of revoked keys."""
    lab.approve(ADA)
    public = lab.keys[ADA].with_name("ada.pub")
    (lab.project / "revoked").write_text(public.read_text())
    assert "revoked" in lab.refusal(Approvals(revoked="revoked"))


def test_the_authors_own(lab: Lab) -> None:
    """Who planned, or wrote the commit, cannot approve; unless the settings say so."""
    edit_manifest(lab.sealed_plan, lambda body: body.update(authors=[ADA]), forge=True)
    lab.sealed_plan = SealedPlan.load(lab.sealed_plan.path)
    lab.approve(ADA)
    assert "cannot approve" in lab.refusal()
    mine = Approvals(not_author=False)
    assert require_approvals(lab.sealed_plan, mine, lab.project).names == [ADA]


@pytest.mark.parametrize(
    "principals", ["ada@home,ada@lab", "ada@home ada@work,ada@lab", "Ada@Lab", "*@lab"]
)
def test_the_authors_own_by_another_of_their_names(lab: Lab, principals: str) -> None:
    """Of several addresses, on two lines too, in another case, or by a pattern."""
    edit_manifest(lab.sealed_plan, lambda body: body.update(authors=[ADA]), forge=True)
    lab.sealed_plan = SealedPlan.load(lab.sealed_plan.path)
    lab.may_sign(*(signers_line(each, lab.keys[ADA]) for each in principals.split()))
    lab.approve(ADA)
    assert "cannot approve" in lab.refusal()


def test_a_person_of_several_names_counts_by_the_one_that_is_asked_for(lab: Lab) -> None:
    """Whichever of them stands first in the file, and once with two keys."""
    lab.may_sign(signers_line("ada@home,ada@lab", lab.keys[ADA]), signers_line(ADA, lab.keys[EVE]))
    lab.approve(ADA, EVE)
    policy = Approvals.model_validate_json('{"from": ["bob@lab", "ada@lab"]}')
    assert require_approvals(lab.sealed_plan, policy, lab.project).names == [ADA]
    assert "1 of 2" in lab.refusal(TWO)


def test_who_does_not_count(lab: Lab) -> None:
    """A good signer of whom the stack asks nothing."""
    lab.approve(ADA)
    refusal = lab.refusal(Approvals.model_validate_json('{"from": ["bob@lab"]}'))
    assert ADA in refusal


@pytest.mark.parametrize(
    "facts", [{}, {"account": "999988887777"}, {"stack": "other"}, {"region": "us-east-1"}]
)
def test_a_signature_copied_to_another_plan(lab: Lab, tmp_path: Path, facts: Any) -> None:
    """Of another plan, account, stack or region: neither added nor counted."""
    lab.approve(ADA)
    other = sealed(tmp_path / "others", content=b"another plan file", **facts)
    with refused("other_approval"):
        add(other, lab.approval.read_bytes())
    (other.path / "approvals").mkdir(mode=0o700)
    shutil.copy(lab.approval, other.path / "approvals")
    lab.sealed_plan = other
    assert "another plan" in lab.refusal()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: {**body, "signature": body["signature"][:120]},
        lambda body: {**body, "signature": ""},
        lambda body: {"signature": body["signature"]},
        lambda body: {**body, "more": 1},
        lambda _: [],
    ],
)
def test_a_spoilt_file(lab: Lab, spoil: Callable[[Any], Any]) -> None:
    """Truncated, empty, without its statement: it does not count, and says why."""
    lab.approve(ADA)
    lab.approval.write_text(json.dumps(spoil(json.loads(lab.approval.read_text()))))
    assert "not counted" in lab.refusal()


def test_a_statement_that_was_made_to_fit(lab: Lab, tmp_path: Path) -> None:
    """The text beside the signature is not believed: the signature has to fit this plan."""
    other = sealed(tmp_path / "others", content=b"another plan file")
    body = json.loads(approve(other, lab.keys[ADA]))
    statement = statement_of(lab.sealed_plan).model_dump(mode="json", by_alias=True)
    add(lab.sealed_plan, json.dumps({**body, "statement": statement}).encode())
    assert "0 of 1" in lab.refusal()


def test_an_approval_travels(lab: Lab, tmp_path: Path) -> None:
    """Made at a workstation on a copy of the folder, added where it is applied."""
    content = approve(lab.sealed_plan, lab.keys[ADA])
    lab.approval.unlink()
    assert "0 of 1" in lab.refusal()
    add(lab.sealed_plan, content)
    assert require_approvals(lab.sealed_plan, ONE, lab.project).names == [ADA]


CARRY: Final = Approvals(carry_over=True)


def carried(lab: Lab, folder: Path, name: str = ADA, *, hours: int = 24, **facts: Any) -> bytes:
    """Return the approval of a pull request's plan: made from another commit, at another time."""
    then = NOW - timedelta(hours=1)
    made = {"git_commit": "b" * 40, **facts}
    lifetime = timedelta(hours=hours)
    other = sealed(folder, now=then, content=b"of the request", lifetime=lifetime, **made)
    return approve(other, lab.keys[name])


def test_an_approval_carries_over(lab: Lab, tmp_path: Path) -> None:
    """One of a plan that means the same counts, once, and only where the settings let it."""
    content = carried(lab, tmp_path / "request")
    with pytest.raises(SealedPlanRefused):
        add(lab.sealed_plan, content)
    add(lab.sealed_plan, content, CARRY)
    assert "another plan" in lab.refusal()
    status = require_approvals(lab.sealed_plan, CARRY, lab.project)
    ((name, digest),) = status.carried.items()
    assert (status.names, len(digest)) == ([ADA], 64)
    spent = judge_approvals(lab.sealed_plan, CARRY, lab.project, {name})
    assert (spent.names, "used" in str(spent.approvals[0].problem)) == ([], True)


@pytest.mark.parametrize(
    ("facts", "part"),
    [
        ({"account": "999988887777"}, "account"),
        ({"region": "us-east-1"}, "region"),
        ({"synthesized_sha256": "f" * 64}, "code"),
        ({"of": plan(resource("aws_x.y", "create", None, {"a": 2}))}, "resource aws_x.y"),
    ],
)
def test_what_differs_does_not_carry_over(lab: Lab, tmp_path: Path, facts: Any, part: str) -> None:
    """It is refused by what differs, added or copied there."""
    content = carried(lab, tmp_path / "request", **facts)
    with refused("other_approval", f"differs in {part}"):
        add(lab.sealed_plan, content, CARRY)


def test_who_cannot_carry_over(lab: Lab, tmp_path: Path) -> None:
    """The author of the request, and an approval of a plan that has expired."""
    edit_manifest(lab.sealed_plan, lambda body: body.update(authors=[BOB]), forge=True)
    lab.sealed_plan = SealedPlan.load(lab.sealed_plan.path)
    add(lab.sealed_plan, carried(lab, tmp_path / "request", BOB), CARRY)
    assert "cannot approve" in lab.refusal(CARRY)
    old = carried(lab, tmp_path / "old", hours=-1)
    with pytest.raises(SealedPlanRefused, match="expired"):
        add(lab.sealed_plan, old, CARRY)


def test_the_file_of_signers_is_needed(lab: Lab) -> None:
    """Without it nobody is trusted, and it says which file is meant."""
    lab.approve(ADA)
    (lab.project / "allowed_signers").unlink()
    with pytest.raises(UsageError, match="allowed_signers"):
        require_approvals(lab.sealed_plan, ONE, lab.project)


@pytest.mark.parametrize("name", ["nobody", "ada.pub"])
def test_a_key_that_cannot_sign(lab: Lab, name: str) -> None:
    """Not there, or a public key that no agent holds: one line that names it."""
    lab.keys[ADA].unlink()
    with pytest.raises(UsageError, match=name):
        approve(lab.sealed_plan, lab.project / name)
    assert not (lab.sealed_plan.path / "approvals").exists()
