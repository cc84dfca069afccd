"""The compiled policies against real Terraform and an account that enforces them.

Life cycles run side by side, since the AWS provider mostly waits: the native stack created and
destroyed, the native stack created and changed in every argument, the module stack created and
destroyed, and one more with its VM replaced. For each command the user holds the policy of that
phase and nothing else.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from biomodal_deploy.iam.catalog import LIFE_CYCLE
from biomodal_deploy.iam.check import Fault
from biomodal_deploy.iam.language import parse_policy
from biomodal_deploy.sandbox import Sandbox
from tests.support.authority.record import read_record
from tests.support.authority.sandbox import judged_sandbox
from tests.support.changes import (
    REPLACING,
    every_argument,
    fewer_tags,
    more_tags,
    replacing,
    spare_profile,
)
from tests.support.life import (
    Document,
    Life,
    copy_stack,
    diagnostics,
    edit_stack,
    errors,
    seen,
    use_described_module,
)
from tests.support.project import copy_app, run_main, write_stacks
from tests.support.proof import Proof, ignored
from tests.support.terraform import provider_engine

pytestmark = pytest.mark.engine

PLAN, APPLY, UPDATE, DESTROY = LIFE_CYCLE


@dataclass(frozen=True)
class Stage:
    """The account and the synthesized stacks."""

    sandbox: Sandbox
    folder: Path
    stacks: Path
    record: Path

    def life(self, user: str, stack: str, **values: Any) -> Life:
        """Prepare a stack for a user."""
        directory = copy_stack(self.stacks / stack, self.folder / user)
        given = self.sandbox.variables(f"{user}-vm") | values
        declared = json.loads((directory / "cdk.tf.json").read_text())["variable"]
        known = {name: value for name, value in given.items() if name in declared}
        return Life(user, self.sandbox, directory, self.folder, known)


@dataclass(frozen=True)
class Told:
    """What happened."""

    compiled: Proof  # the lives under compiled policies
    documented: Life  # the one under the published policy
    documented_errors: list[dict[str, Any]]  # what Terraform said of it
    would_replace: frozenset[str]  # arguments, after their kind, whose change replaces the resource


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """An account that records, and both stacks synthesized."""
    folder = tmp_path_factory.mktemp("permissions")
    app = copy_app(folder / "checkout")
    write_stacks(app, {"native": {"bootstrap": "native"}, "module": {"bootstrap": "module"}})
    done = run_main(app)
    assert (done.returncode, done.stderr) == (0, "")
    record = folder / "record.jsonl"
    with judged_sandbox(folder, record=record) as sandbox:
        yield Stage(sandbox, folder, app / "cdktf.out" / "stacks", record)


@pytest.fixture(scope="module")
def told(stage: Stage) -> Told:
    """The life cycles, told by Terraform's logs and the account's record."""
    would_replace: list[str] = []
    with ThreadPoolExecutor(5) as pool:
        compiled = [pool.submit(life, stage) for life in (_changed, _module, _replaced)]
        compiled.append(pool.submit(_native, stage, would_replace))
        life, failures = pool.submit(_documented, stage).result()
        done = tuple(each.result() for each in compiled)
    proof = Proof(done, read_record(stage.record))
    return Told(proof, life, failures, frozenset(would_replace))


def _native(stage: Stage, would_replace: list[str]) -> Life:
    life = stage.life("native", "native", bucket_force_destroy=True)
    _created(life)
    copy = stage.folder / "replacing"
    shutil.copytree(life.directory, copy, symlinks=True)
    with ThreadPoolExecutor(1) as beside:
        planned = beside.submit(_replacements, stage, copy)
        _destroyed(life)
    would_replace += planned.result()
    return life


def _replacements(stage: Stage, directory: Path) -> list[str]:
    """Return the arguments whose change replaces the resource, all of `REPLACING` changed."""
    edit_stack(directory, replacing)
    home = stage.folder / "replacing-home"
    home.mkdir()
    engine = provider_engine(home, stage.sandbox.environment({}))
    # The stack is being destroyed at this moment: the copied state has to do.
    engine.must(directory, "plan", "-input=false", "-refresh=false", "-out=replacing")
    plan = json.loads(engine.must(directory, "show", "-json", "replacing"))
    return [
        ".".join([change["type"], *(str(part) for part in path if part != 0)])
        for change in plan["resource_changes"]
        for path in change["change"].get("replace_paths", [])
    ]


def _changed(stage: Stage) -> Life:
    life = stage.life("changed", "native")
    life.edit(spare_profile)
    life.edit(more_tags)
    _created(life)
    life.edit(every_argument)
    life.edit(fewer_tags)
    life.values["tag_value"] = "production"
    life.must("change-plan", PLAN, "plan", "-out=change")
    life.must("change", UPDATE, "apply", "change")
    return life


def _module(stage: Stage) -> Life:
    life = _called_module(stage, "module", bucket_force_destroy=True)
    _created(life)
    _destroyed(life)
    return life


def _replaced(stage: Stage) -> Life:
    life = _called_module(stage, "replaced", use_existing_bucket_url="s3://existing")
    _created(life)
    module = life.directory / "bootstrap" / "main.tf.json"
    rules = json.loads(module.read_text())
    for name in ("ssh", "egress"):
        rules["resource"]["aws_security_group_rule"][name]["description"] = "Changed"
    module.write_text(json.dumps(rules, indent=1))
    life.must(
        "replace-plan", PLAN, "plan", "-replace=module.bootstrap.aws_instance.default", "-out=r"
    )
    # A replacement destroys and creates, and the elastic IP is updated.
    life.must_all("replace", [UPDATE, APPLY, DESTROY], "apply", "r")
    return life


def _called_module(stage: Stage, user: str, **values: Any) -> Life:
    life = stage.life(user, "module", **values)
    use_described_module(life.directory, stage.sandbox.public_key)
    life.edit(lambda document: document["module"]["bootstrap"].update(source="./bootstrap"))
    return life


def _documented(stage: Stage) -> tuple[Life, list[dict[str, Any]]]:
    life = stage.life("documented", "native")
    life.edit(_impatient)
    life.init()
    life.permissions["apply"] = life.compiled()
    life.hold([life.compiled().documented()])
    planned = life.run("plan", [PLAN], "plan", "-out=plan", hold=False)
    assert planned.returncode == 0, errors(planned.stderr)
    done = life.run("apply", [APPLY], "apply", "plan", hold=False)
    assert done.returncode == 1
    return life, diagnostics(done.stdout)


def _impatient(document: Document) -> None:
    # The provider asks for its new bucket for five minutes, refused each time.
    bucket = document["resource"]["aws_s3_bucket"]["data_bucket"]
    bucket["timeouts"] = {"create": "10s", "read": "10s"}


def _created(life: Life) -> None:
    life.init()
    life.must("plan", PLAN, "plan", "-out=plan")
    life.must("apply", APPLY, "apply", "plan")


def _destroyed(life: Life) -> None:
    s3 = life.sandbox.client("s3")
    [bucket] = [
        each["Name"] for each in s3.list_buckets()["Buckets"] if each["Name"].startswith(life.user)
    ]
    s3.put_object(Bucket=bucket, Key="nf-work/left", Body=b"over")
    life.must("destroy-plan", PLAN, "plan", "-destroy", "-out=destroy")
    life.must("destroy", DESTROY, "apply", "destroy")


def test_the_life_cycle_completes(told: Told) -> None:
    """Every command succeeds with the policy of its phase; only what is ignored was refused."""
    assert told.compiled.refused() == ignored()


def test_every_call_is_in_the_catalog(told: Told) -> None:
    """What Terraform did for a kind of resource in a phase is what the catalog says of it."""
    assert told.compiled.unexpected() == set()


def test_nothing_is_granted_that_is_not_needed(told: Told) -> None:
    """Each grant is seen at work, or says why it cannot be; and those that say so are not."""
    idle = {grant for grant, at_work in told.compiled.at_work().items() if not at_work}
    assert idle == told.compiled.excused()


def test_what_is_not_updated_is_replaced(told: Told) -> None:
    """No mutable argument hides behind the claim that its change replaces the resource."""
    assert told.would_replace >= set(REPLACING)


def test_the_documented_policy_fails_where_the_check_says(told: Told) -> None:
    """The published policy stops the first apply, at the things and calls that the check names."""
    permissions = told.documented.permissions["apply"]
    findings = permissions.check([parse_policy(permissions.documented())], [APPLY])
    predicted = {
        (address, finding.action)
        for finding in findings
        if finding.fault is Fault.MISSING
        for address in finding.addresses
    }
    refused = {
        (each.kind, each.action)
        for each in seen(told.documented, told.compiled.record)
        if not each.allowed and each.phase is APPLY
    }
    assert refused <= {(address.partition(".")[0], action) for address, action in predicted}
    failed = {each["address"] for each in told.documented_errors}
    assert failed == {
        "aws_ecr_repository.image_repository",
        "aws_iam_role.vm_role",
        "aws_s3_bucket.data_bucket[0]",
        "aws_security_group.batch_hosts",
        "aws_security_group.ssh",
    }
    assert failed <= {f"{address}[0]" for address, _ in predicted} | {
        address for address, _ in predicted
    }
