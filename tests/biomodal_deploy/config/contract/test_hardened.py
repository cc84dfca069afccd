"""The hardened profile's variables: their defaults, their rules, in Python and in Terraform."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy.config.contract import Variable, all_variables, variables_of
from tests.support.terraform import bare_engine

# The disk's size is every profile's; its rule is one of a number, as those here are.
DOCUMENTED: Final = {each.name for each in variables_of("native")} - {"vm_volume_gib"}
ADDED: Final = {
    each.name: each for each in variables_of("native", "hardened") if each.name not in DOCUMENTED
}
VALUES: Final[dict[str, tuple[list[Any], list[Any]]]] = {
    "ssh_cidr_blocks": (
        [[], ["192.0.2.0/24"], ["10.0.0.0/8", "2001:db8::/32"], ["198.51.100.7/32"]],
        [
            *(["0.0.0.0/0"], ["::/0"], ["192.0.2.0/24", "0.0.0.0/0"], ["128.0.0.0/1"]),
            *(["2000::/3"], ["1.2.3.4/0"], ["192.0.2.0"], ["256.0.0.0/24"], ["10.0.0.0/33"]),
            *(["anywhere"], [""]),
        ],
    ),
    "vm_volume_gib": ([8, 100, 16384], [7, 16385, -1, Decimal("100.5")]),
    "ami_id": (["", "ami-0123456789abcdef0"], ["ami-xyz", "ubuntu"]),
    "iam_name_prefix": (["", "Corp-", "a" * 20], ["a" * 21, "a b", "ä"]),
    "permissions_boundary_arn": (
        ["", "arn:aws:iam::123456789012:policy/Boundary", "arn:aws-cn:iam::aws:policy/x/Y"],
        ["Boundary", "arn:aws:iam::123456789012:role/x"],
    ),
    "batch_subnet_ids": ([[], ["subnet-12345678"]], [["subnet-x"], ["subnet-12345678", ""]]),
    "batch_instance_types": (
        [["optimal"], ["m6i", "c6i.4xlarge"], ["default_x86_64"], ["hpc6a.48xlarge", "x2idn"]],
        [["m7g"], ["default_arm64"], ["g5.xlarge"], ["p4d"], ["gr6.4xlarge"], ["M6i"], [""]],
    ),
    "batch_max_vcpus": ([1, 256], [0, -1, Decimal("0.5")]),
    "batch_volume_gib": ([30, 500], [29, 20000]),
    "batch_stuck_minutes": ([10, 1440], [9, 1441]),
    "work_expiry_days": ([0, 30], [-1, Decimal("1.5")]),
    "noncurrent_expiry_days": ([0, 1], [-1]),
    "access_log_bucket": (["", "my-logs"], ["s3://my-logs", "Logs"]),
    "untagged_image_days": ([1, 14], [0]),
    "log_retention_days": ([0, 30, 365], [2, 31, -1]),
    "alarm_topic_arn": (["", "arn:aws:sns:us-east-1:123456789012:pager"], ["pager"]),
    "monthly_budget_usd": ([0, 500], [-1, Decimal("9.99")]),
    "budget_email": (["", "lab@example.org"], ["lab", "a@b", "a@example.org, b@example.org"]),
}
CASES: Final = [
    (name, value, good)
    for name, both in VALUES.items()
    for good, values in zip((True, False), both, strict=True)
    for value in values
]


def test_every_rule_is_tried() -> None:
    """Each variable with rules has values on both sides below; the rest are booleans."""
    assert set(VALUES) == {name for name, each in ADDED.items() if each.rules}
    assert all(each.rules or each.type == "bool" for each in ADDED.values())


@pytest.mark.parametrize("variable", ADDED.values(), ids=lambda each: each.name)
def test_every_default_is_there_and_keeps_the_rules(variable: Variable) -> None:
    """The documented values alone make a hardened stack."""
    assert variable.default is not None
    assert variable.broken_rule(variable.default) is None


@pytest.mark.parametrize(("name", "value", "good"), CASES)
def test_what_a_variable_takes(name: str, value: Any, good: bool) -> None:
    """Usual values pass, and mistakes are named by the rule that they break."""
    assert (ADDED[name].broken_rule(value) is None) is good


@pytest.mark.engine
def test_terraform_agrees(tmp_path: Path) -> None:
    """Each rule's two forms give one answer, on values of every type."""
    terraform = bare_engine(tmp_path)
    (tmp_path / "main.tf").write_text("")
    expressions = []
    for name, value, _ in CASES:
        conditions = [
            rule.condition.replace("{value}", json.dumps(_plain(value)))
            for rule in ADDED[name].rules
        ]
        expressions.append(f"alltrue([{', '.join(conditions)}])")
    answers = terraform.evaluate(tmp_path, f"[{', '.join(expressions)}]")
    wrong = [case for case, answer in zip(CASES, answers, strict=True) if case[2] is not answer]
    assert wrong == []


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def test_the_module_takes_what_its_inputs_express() -> None:
    """Three of them, and IPv4 only: the module hands ranges on as IPv4."""
    added = [each for each in variables_of("module", "hardened") if each.name not in DOCUMENTED]
    assert [each.name for each in added] == [
        "vm_volume_gib",
        "ssh_cidr_blocks",
        "termination_protection",
    ]
    assert added[1].broken_rule(["2001:db8::/32"])


def test_a_reason_lifts_the_rule_on_open_ssh() -> None:
    """And no other rule: the form is still checked."""
    lifted = {each.name: each for each in variables_of("native", "hardened", open_ssh=True)}
    assert lifted["ssh_cidr_blocks"].broken_rule(["0.0.0.0/0", "::/0"]) is None
    assert lifted["ssh_cidr_blocks"].broken_rule(["everyone"])


def test_names_of_the_other_profile_are_known() -> None:
    """One terraform.tfvars serves both profiles: what one does not have is passed over."""
    assert set(ADDED) <= {each.name for each in all_variables()}
