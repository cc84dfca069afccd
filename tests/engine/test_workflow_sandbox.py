"""The whole workflow on the native stack, with the commands that people type.

One apply serves all tests here, since the AWS provider waits almost a minute for the bucket's
lifecycle configuration. Tests are in the order of that life.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from biomodal_deploy.config.contract import OUTPUTS
from biomodal_deploy.config.settings import PROTECTED_KINDS
from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS, EXIT_GUARD
from biomodal_deploy.sandbox import Sandbox
from tests.support import planted as secrets
from tests.support.checkout import Checkout, environment_of
from tests.support.light import Ended
from tests.support.planted import without_secrets
from tests.support.project import copy_app, write_stacks
from tests.support.terraform import require_provider

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("workflow-sandbox")]

STACK: Final = "native"
VM: Final = "workflow-vm"
EVERYTHING: Final = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)


class Lab(Checkout):
    """A checkout with one native stack, and an account on loopback."""

    def run(self, *words: str, status: int | None = None) -> Ended:
        """Run one command, which prints no secret."""
        return without_secrets(super().run(*words, status=status))

    def must(self, status: int, *words: str) -> Ended:
        """Run one command that has to end with a status."""
        ended = self.run(*words)
        assert ended.status == status, ended.out + ended.err
        assert "Traceback" not in ended.err
        return ended


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A checkout, nothing synthesized yet."""
    require_provider()
    workdir = tmp_path_factory.mktemp("workflow")
    folder = copy_app(workdir / "checkout")
    write_stacks(folder, {STACK: {"bootstrap": "native"}})
    secrets.plant(workdir / "home")
    variables = environment_of(folder, workdir / "home")
    with Sandbox.start(workdir) as sandbox:
        sandbox.write_tfvars(folder / "terraform.tfvars", vm_name=VM)
        yield Lab(folder, sandbox, sandbox.environment(variables) | secrets.ENVIRONMENT)


@pytest.fixture(scope="module")
def planned(lab: Lab) -> Ended:
    """What `plan` said."""
    return lab.must(EXIT_FINDINGS, "plan", "--detailed-exitcode")


@pytest.fixture(scope="module")
def applied(lab: Lab, planned: Ended) -> Ended:
    """What `apply` said of exactly the approved plan."""
    digest = re.findall(r"^sha256  ([0-9a-f]{64})$", planned.out, re.MULTILINE)
    return lab.must(EXIT_DONE, "apply", "--expect-sha256", *digest)


def test_synth(lab: Lab) -> None:
    """The app's stacks, their resources, and the seconds that it took."""
    data = lab.must(EXIT_DONE, "synth", "--output", "json").data
    (stack,) = data["stacks"]
    assert (stack["name"], stack["resources"]) == (STACK, 20)
    assert "synthesized in " in lab.must(EXIT_DONE, "synth").out


def test_validate(lab: Lab) -> None:
    """Terraform and the provider's schemas accept the stack."""
    assert lab.must(EXIT_DONE, "validate").out == f"{STACK} is valid\n"


def test_plan(lab: Lab, planned: Ended) -> None:
    """Every resource by its address, the sum, and what is needed to approve it."""
    assert "    + aws_instance.vm  virtual machine\n" in planned.out
    assert "Plan: 20 to create, 7 outputs change." in planned.out
    assert f"  endpoint    {lab.sandbox.endpoint}, not AWS\n" in planned.out
    assert re.search(rf"Next: biomodal-aws apply \S+ --stack {STACK}$", planned.out.strip())
    assert "changed outside Terraform" not in planned.out


def test_show(lab: Lab, planned: Ended) -> None:
    """The same again from the sealed data, for people and for programs."""
    assert lab.must(EXIT_DONE, "show").out == planned.out
    data = lab.must(EXIT_DONE, "show", "--output", "json").data
    assert data["counts"]["create"] == 20
    assert data["facts"]["account"] == lab.sandbox.account_id
    assert data["facts"]["caller"]
    assert data["use"] == "unused"


def test_apply(applied: Ended) -> None:
    """Each resource as it is done, and how many there were."""
    assert re.search(r"^Done: 20 changes made in \d+ s\.$", applied.out, re.MULTILINE)
    assert "  done   aws_instance.vm (create, " in applied.err


def test_output(lab: Lab, applied: Ended) -> None:
    """The documented outputs: as a table, one alone, as data, and for a shell."""
    data = lab.must(EXIT_DONE, "output", "--output", "json").data
    assert set(data) == set(OUTPUTS)
    assert lab.must(EXIT_DONE, "output", "vm_name").out == f"{VM}\n"
    lines = lab.must(EXIT_DONE, "output", "--output", "env").out.splitlines()
    assert f"BUCKET_URL=s3://{VM}" in lines
    assert len(lines) == len(OUTPUTS)
    wrong = lab.run("output", "vm_nmae")
    assert 'did you mean "vm_name"?' in wrong.err


def test_all_is_well(lab: Lab, applied: Ended) -> None:
    """The account would take the stack, and all that was made is as it has to be."""
    for words in (("doctor",), ("status",)):
        lab.must(EXIT_DONE, *words)
        assert lab.must(EXIT_DONE, *words, "--output", "json").data


def test_right_after_the_apply_nothing_has_drifted(lab: Lab, applied: Ended) -> None:
    """What AWS filled in is no news: ten resources differ, and none of them matters."""
    ended = lab.must(EXIT_DONE, "drift", "--output", "json")
    assert ended.data["drift"] == []
    computed = {each["address"] for each in ended.data["computed"]}
    assert {"aws_iam_role.vm_role", "aws_security_group.ssh", "aws_instance.vm"} <= computed


def test_a_second_plan_has_no_changes(lab: Lab, applied: Ended) -> None:
    """And says nothing of drift that does not matter."""
    ended = lab.must(EXIT_DONE, "plan")
    assert "No changes.\n" in ended.out
    assert "There is nothing to apply." in ended.out
    assert "outside Terraform" not in ended.out


@pytest.fixture(scope="module")
def tampered(lab: Lab, applied: Ended) -> None:
    """By hand: a tag, two opened ports, a closed one, no lifecycle, and rights for everything."""
    sandbox = lab.sandbox
    ec2: Any = sandbox.client("ec2")
    iam, s3 = sandbox.client("iam"), sandbox.client("s3")
    (vm,) = ec2.describe_instances()["Reservations"][0]["Instances"]
    ec2.create_tags(Resources=[vm["InstanceId"]], Tags=[{"Key": "Name", "Value": "someone's"}])
    named = [{"Name": "group-name", "Values": [f"{VM}-sg"]}]
    (ssh,) = ec2.describe_security_groups(Filters=named)["SecurityGroups"]
    for port, source in ((8080, "0.0.0.0/0"), (22, "198.51.100.0/24")):
        ec2.authorize_security_group_ingress(
            GroupId=ssh["GroupId"],
            IpPermissions=[
                {
                    "IpProtocol": "tcp",
                    "FromPort": port,
                    "ToPort": port,
                    "IpRanges": [{"CidrIp": source}],
                }
            ],
        )
    rules = ec2.describe_security_group_rules()["SecurityGroupRules"]
    (rule,) = [each for each in rules if each.get("Description") == "All traffic from the vm"]
    ec2.revoke_security_group_ingress(
        GroupId=rule["GroupId"], SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]]
    )
    s3.delete_bucket_lifecycle(Bucket=VM)
    iam.put_role_policy(RoleName=VM, PolicyName="everything", PolicyDocument=EVERYTHING)


CHANGED: Final = {
    "aws_iam_role.vm_role": ["inline_policy[0]", "inline_policy[1]"],
    "aws_instance.vm": ["tags.Name", "tags_all.Name"],
    "aws_s3_bucket_lifecycle_configuration.data_bucket[0]": [],
    "aws_security_group.ssh": ["ingress[0]", "ingress[1]", "ingress[2]"],
    "aws_vpc_security_group_ingress_rule.batch_hosts_from_vm": [],
}


def test_drift_by_hand_is_found(lab: Lab, tampered: None) -> None:
    """Each of those changes, and no other, however little the state knows of them."""
    ended = lab.must(EXIT_FINDINGS, "drift", "--output", "json")
    found = {each["address"]: each for each in ended.data["drift"]}
    assert set(found) == set(CHANGED)
    for address, paths in CHANGED.items():
        assert {each["path"] for each in found[address]["attributes"]} <= set(paths)
    gone = {address for address, each in found.items() if each["action"] == "delete"}
    assert gone == {address for address, paths in CHANGED.items() if not paths}
    opened = json.dumps(found["aws_security_group.ssh"])
    assert "8080" in opened
    assert "198.51.100.0/24" in opened
    assert '"SSH from anywhere"' not in opened
    policies = json.dumps(found["aws_iam_role.vm_role"])
    assert "everything" in policies
    assert "DataBucket" not in policies


def test_a_plan_folds_what_it_does_not_act_on(lab: Lab, tampered: None) -> None:
    """It fixes what the configuration says; the rest is one line."""
    ended = lab.must(EXIT_FINDINGS, "plan", "--detailed-exitcode")
    assert "Plan: 2 to create, 1 to update." in ended.out
    assert (
        "2 resources changed outside Terraform in ways that this plan does not act on: "
        "biomodal-aws drift shows them.\n"
    ) in ended.out
    assert ended.out.count("aws_security_group.ssh") == 0


@pytest.fixture(scope="module")
def destroy_plan(lab: Lab, tampered: None) -> Ended:
    """A destroy plan in which each protected resource is allowed to go."""
    # Terraform cannot delete a role with a policy that it does not know.
    lab.sandbox.client("iam").delete_role_policy(RoleName=VM, PolicyName="everything")
    made = lab.must(EXIT_DONE, "history", "--output", "json").data["entries"][0]["sealed_plan"]
    changes = lab.must(EXIT_DONE, "show", made, "--output", "json").data["changes"]
    addresses = [each["address"] for each in changes]
    addresses = [each for each in addresses if each.partition(".")[0] in PROTECTED_KINDS]
    allowed = [word for address in addresses for word in ("--allow-destroy", address)]
    return lab.must(EXIT_FINDINGS, "plan", "--detailed-exitcode", "--destroy", *allowed)


def test_plan_destroy(destroy_plan: Ended) -> None:
    """Everything that is there goes, and each allowance is named."""
    assert "Destroy plan for native" in destroy_plan.out
    assert "18 to delete" in destroy_plan.out
    assert destroy_plan.out.count("--allow-destroy allows it.") == len(PROTECTED_KINDS)
    assert f"  empty        job queue {VM}-job-queue: no jobs\n" in destroy_plan.out


def test_destroying_has_to_be_confirmed(lab: Lab, destroy_plan: Ended) -> None:
    """Without a terminal nobody is asked, and nothing goes."""
    ended = lab.must(EXIT_GUARD, "apply")
    assert f"--confirm {STACK}" in ended.err
    assert "nobody can be asked here" in ended.err
    ended = lab.must(EXIT_GUARD, "apply", "--confirm", "naitve")
    assert '"naitve" is not its name' in ended.err


def test_apply_of_the_destroy_plan(lab: Lab, destroy_plan: Ended) -> None:
    """AWS itself says that nothing is left."""
    ended = lab.must(EXIT_DONE, "apply", "--confirm", STACK)
    assert "Done: 18 changes made in " in ended.out
    assert ended.out.endswith("Nothing is left that bills.\n")
    assert lab.sandbox.leftovers() == []
    assert "No outputs" in lab.must(EXIT_DONE, "output").out


def test_history(lab: Lab, destroy_plan: Ended) -> None:
    """All of it is written down, and the chain is whole."""
    data = lab.must(EXIT_DONE, "history", "--output", "json").data
    assert data["whole"] is True
    events = [each["event"] for each in data["entries"]]
    assert events == [
        "plan",
        "apply-start",
        "result",
        *["plan"] * 3,
        "refusal",
        "refusal",
        "apply-start",
        "result",
        "remains",
    ]
    assert "The chain is whole" in lab.must(EXIT_DONE, "history").out


def test_nothing_private_is_open_to_others(lab: Lab, destroy_plan: Ended) -> None:
    """Plans, logs and history are for their owner alone."""
    plans = lab.folder / "plans"
    assert [path for path in [plans, *plans.rglob("*")] if path.stat().st_mode & 0o077] == []


def test_no_secret_was_written(lab: Lab, destroy_plan: Ended) -> None:
    """Not one of the user's, by any of the commands above; `run` looked at what they printed."""
    assert secrets.holders(lab.folder.parent, but=lab.folder.parent / "home") == []
