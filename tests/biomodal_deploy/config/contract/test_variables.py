"""The documented interface, said a second time: what must never change by accident."""

from __future__ import annotations

import re
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biomodal_deploy.config.contract import OUTPUTS, Variable, variables_of
from biomodal_deploy.config.contract.variables import vm_name_rules

# Document sections "Required Variables" and "Optional Variables", line by line.
DOCUMENTED: Final = (
    ("region", "string", None, "AWS region"),
    ("vpc_id", "string", None, "VPC ID (must already exist)"),
    ("subnet_id", "string", None, "Subnet ID (must already exist)"),
    ("vm_name", "string", None, "VM name"),
    ("instance_type", "string", "t3.large", "EC2 instance type"),
    ("tag_key", "string", "environment", "Resource tag key"),
    ("tag_value", "string", "development", "Resource tag value"),
    ("use_existing_bucket_url", "string", "", "Use existing bucket"),
    ("bucket_force_destroy", "bool", False, "Allow bucket destruction"),
    ("ssh_user", "string", "ubuntu", "SSH username"),
)


def _as_row(variable: Variable) -> tuple[str, str, object, str]:
    return variable.name, variable.type, variable.default, variable.description


def test_the_module_adds_the_disk_size_to_the_documented_variables() -> None:
    """Names, types, defaults and descriptions, in the document's order; its 100 GB stay."""
    *documented, size = variables_of("module")
    assert tuple(map(_as_row, documented)) == DOCUMENTED
    assert (size.name, size.type, size.default) == ("vm_volume_gib", "number", 100)


def test_the_native_stack_adds_the_public_key_and_the_disk_size() -> None:
    """Whoever has filled in the documented variables can use either implementation."""
    *documented, key, size = variables_of("native")
    assert tuple(map(_as_row, documented)) == DOCUMENTED
    assert (key.name, key.type, key.default) == ("ssh_public_key", "string", "")
    assert size == variables_of("module")[-1]


@pytest.mark.parametrize("bootstrap", ["module", "native"])
def test_every_default_keeps_its_own_rules(bootstrap: str) -> None:
    """A stack that sets only what is required is never refused for a default."""
    for variable in variables_of(bootstrap):
        if variable.default is not None:
            assert variable.broken_rule(variable.default) is None, variable.name


@pytest.mark.parametrize("bootstrap", ["module", "native"])
def test_every_text_and_number_has_a_rule(bootstrap: str) -> None:
    """No value reaches AWS unchecked."""
    for variable in variables_of(bootstrap):
        assert bool(variable.rules) is (variable.type != "bool"), variable.name


def test_the_documented_outputs() -> None:
    """Document section "Outputs": these seven, each with a description."""
    names = "bucket_url docker_repo_url private_ip private_key_filename public_ip ssh_user vm_name"
    assert list(OUTPUTS) == names.split()
    assert all(OUTPUTS.values())


# What each service publishes, and the name that the environment makes of `vm_name` there.
PUBLISHED: Final[dict[str, tuple[str, re.Pattern[str]]]] = {
    # Amazon S3 user guide, "General purpose bucket naming rules".
    "S3": (
        "{}",
        re.compile(
            r"(?!xn--|sthree-|amzn-s3-demo-)(?!.*\.\.)(?![0-9.]+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
            r"(?<!-s3alias)(?<!--ol-s3)(?<!\.mrap)(?<!--x-s3)(?<!--table-s3)"
        ),
    ),
    # ECR API reference, CreateRepository: the pattern, 2 to 256 characters, and a letter first.
    "ECR": (
        "{}",
        re.compile(
            r"(?=[a-z])(?=.{2,256}$)"
            r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*"
        ),
    ),
    # IAM API reference, CreateRole (CreateInstanceProfile and PutRolePolicy allow 128).
    "IAM": ("{}", re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)),
    # EC2 API reference, CreateSecurityGroup: for a VPC; "Cannot start with sg-".
    "EC2 security group": (
        "{}-sg",
        re.compile(r"(?!sg-)[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}"),
    ),
    # EC2 API reference, CreateLaunchTemplate: the pattern, 3 to 128 characters.
    "EC2 launch template": ("{}-batch-launch-template", re.compile(r"[a-zA-Z0-9()./_-]{3,128}")),
    # Batch API reference, CreateComputeEnvironment: letters, numbers, hyphens, underscores; 128.
    "Batch compute environment": ("{}", re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")),
    # Batch API reference, CreateJobQueue: the same.
    "Batch job queue": ("{}-job-queue", re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")),
}
BOTH: Final = pytest.mark.parametrize("bootstrap", ["module", "native"])

# Names near the border between accepted and refused: fragments that rules are about, in a row.
_FRAGMENTS: Final = (
    *("a", "vm", "0", "-", "--", ".", "_", "A", "é", "sg-", "\n", "x" * 30),
    *("sthree-", "amzn-s3-demo-", "-s3alias", "xn--"),
)
_near_names = st.lists(st.sampled_from(_FRAGMENTS), max_size=8).map("".join)


def accepted(name: str, bootstrap: str) -> bool:
    """Whether every rule holds."""
    return all(rule.holds(name) for rule in vm_name_rules(bootstrap))


@BOTH
@given(name=_near_names | st.from_regex(r"[a-z][a-z0-9-]{2,62}", fullmatch=True) | st.text())
def test_an_accepted_name_fits_every_service(bootstrap: str, name: str) -> None:
    """No service refuses, in the middle of an apply, a name that passed."""
    if accepted(name, bootstrap):
        for service, (form, pattern) in PUBLISHED.items():
            assert pattern.fullmatch(form.format(name)), service


@given(name=_near_names | st.from_regex(r"[a-z][a-z0-9-]{2,62}", fullmatch=True))
def test_a_name_that_fits_every_service_is_accepted(name: str) -> None:
    """Nothing is refused without a service that would refuse it."""
    fits = all(pattern.fullmatch(form.format(name)) for form, pattern in PUBLISHED.values())
    assert accepted(name, "native") is fits


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("vm", "Amazon S3"),
        ("a" * 64, "Amazon S3"),
        ("Development-VM", "Amazon S3"),
        ("development_vm", "Amazon S3"),
        ("entwicklung-ü", "Amazon S3"),
        ("dev vm", "Amazon S3"),
        ("dev-vm\n", "Amazon S3"),
        ("dev.vm", "AWS Batch"),
        ("1st-vm", "Amazon ECR"),
        ("-vm-", "Amazon ECR"),
        ("dev--vm", "Amazon ECR"),
        ("dev-vm-", "Amazon ECR"),
        ("sthree-vm", "Amazon S3"),
        ("amzn-s3-demo-vm", "Amazon S3"),
        ("dev-s3alias", "Amazon S3"),
        ("sg-vm", "Amazon EC2"),
    ],
)
def test_a_refused_name_is_told_which_service_refuses_it(name: str, service: str) -> None:
    """The first broken rule names its service and says what vm_name has to be instead."""
    broken = next(rule for rule in vm_name_rules("native") if not rule.holds(name))
    assert service in broken.message
    assert "vm_name" in broken.message


@pytest.mark.parametrize("name", ["development-vm", "abc", "a1b", "a" * 63, "vm-s3", "xn-vm"])
def test_usual_names_pass(name: str) -> None:
    """The document's own example and the shortest and longest names are accepted."""
    assert accepted(name, "native")


def test_the_module_leaves_room_for_its_suffix() -> None:
    """The AWS provider adds 26 characters to the module's bucket prefix, and S3 stops at 63."""
    assert accepted("a" * (63 - 26), "module")
    assert not accepted("a" * (63 - 25), "module")
