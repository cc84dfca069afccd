"""What was seen on the machine itself, and what it means."""

from __future__ import annotations

import ast
import sys
from typing import Any, Final

import pytest
from pydantic import ValidationError

from biomodal_deploy.vm.ssh_checks import Seen, as_program, judged

GIB: Final = 1 << 30
HEALTHY: Final[dict[str, Any]] = {
    "java": {"status": 0, "text": 'openjdk version "21.0.8" 2025-07-15\nOpenJDK Runtime'},
    "docker": {"status": 0, "text": "Docker version 28.2.2, build 28.2.2-0ubuntu1~22.04.1"},
    "docker_service": {"status": 0, "text": "active"},
    "docker_on_boot": {"status": 0, "text": "enabled"},
    "docker_use": {"status": 0, "text": "28.2.2"},
    "groups": {"status": 0, "text": "ubuntu adm sudo docker"},
    "disk": {"total": 97 * GIB, "free": 90 * GIB},
    "cloud_init": {"status": 0, "text": "status: done"},
    "log": "biomodal install: all installations completed successfully\n",
    "bucket": {"result": "ok", "text": "written, read and deleted"},
    "registry": {"result": "ok", "text": "logged in"},
}


def verdicts(**changes: Any) -> dict[str, tuple[str, str]]:
    """Return each part's verdict and words, where these sights differ from the healthy ones."""
    seen = Seen.model_validate(HEALTHY | changes)
    return {
        each.check: ("not-yet" if each.under_way else each.verdict.value, f"{each.line} {each.fix}")
        for each in judged(seen, "ubuntu")
    }


def test_all_is_well() -> None:
    """Nine parts pass."""
    found = verdicts()
    assert len(found) == 9
    assert {verdict for verdict, _ in found.values()} == {"pass"}, found


MISSING: Final = {"status": None, "text": "not found"}


@pytest.mark.parametrize(
    ("sight", "value", "part", "verdict", "says"),
    [
        ("java", MISSING, "java", "fail", "not found"),
        ("java", {"status": 0, "text": 'openjdk version "11.0.2"'}, "java", "fail", "Java 11"),
        ("java", {"status": 1, "text": "no memory"}, "java", "unknown", "no memory"),
        ("java", {"status": 0, "text": f'version "{"9" * 5000}'}, "java", "unknown", "version"),
        (
            "java",
            {"status": 0, "text": 'Picked up JAVA_TOOL_OPTIONS: -X\nopenjdk version "21.0.8"'},
            "java",
            "pass",
            'openjdk version "21.0.8"',
        ),
        ("docker_service", {"status": 3, "text": ""}, "docker-service", "fail", "not active"),
        ("docker", MISSING, "docker", "fail", "not found"),
        ("docker_service", {"status": 3, "text": "inactive"}, "docker-service", "fail", "start"),
        ("docker_service", MISSING, "docker-service", "unknown", "systemctl"),
        ("docker_on_boot", {"status": 1, "text": "disabled"}, "docker-service", "fail", "enable"),
        ("groups", {"status": 0, "text": "ubuntu docker2"}, "docker-group", "fail", "usermod"),
        ("groups", {"status": 1, "text": "no such user"}, "docker-group", "unknown", "no su"),
        ("docker_use", {"status": 1, "text": "permission denied"}, "docker-group", "fail", "log"),
        ("disk", {"total": 97 * GIB, "free": 5 * GIB}, "disk", "warning", "5.0 of 97.0 GiB"),
        ("disk", {"total": 97 * GIB, "free": GIB // 2}, "disk", "fail", "0.5 of 97.0 GiB"),
        ("cloud_init", {"status": 2, "text": "status: running"}, "cloud-init", "not-yet", "runn"),
        ("cloud_init", {"status": 1, "text": "status: error"}, "cloud-init", "fail", "--long"),
        ("cloud_init", MISSING, "cloud-init", "unknown", "not found"),
        ("log", None, "install-log", "unknown", "cannot be read"),
        ("log", "biomodal install: step 3/5: installing Docker", "install-log", "not-yet", "3/5"),
        (
            "log",
            "biomodal install: FAILED with status 100 at line 93, in step 2/5: installing system",
            "install-log",
            "fail",
            "status 100 at line 93",
        ),
        ("bucket", {"result": "refused", "text": "403 denied"}, "bucket-access", "fail", "policy"),
        ("bucket", {"result": "unasked", "text": "slow"}, "bucket-access", "unknown", "slow"),
        (
            "registry",
            {"result": "unasked", "text": "OSError: docker login: no socket"},
            "registry-login",
            "fail",
            "docker login: no socket",
        ),
    ],
)
def test_one_thing_is_wrong(sight: str, value: Any, part: str, verdict: str, says: str) -> None:
    """It is named, and nothing that was not seen passes."""
    found = verdicts(**{sight: value})
    assert found[part][0] == verdict
    assert says in found[part][1]
    others = {name: each for name, (each, _) in found.items() if name != part}
    assert set(others.values()) == {"pass"}


@pytest.mark.parametrize("size", [-1, 10**400])
def test_a_disk_of_no_possible_size_is_no_answer(size: int) -> None:
    """What a VM says is checked before anybody counts with it."""
    with pytest.raises(ValidationError):
        verdicts(disk={"total": size, "free": size})


@pytest.mark.parametrize("name", ["vm_probe.py", "smoke/probe.py"])
def test_the_standard_library_alone(name: str) -> None:
    """Nothing of ours and nothing that has to be installed is imported there."""
    tree = ast.parse(as_program("signed_calls.py", name))
    imported: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")
    assert {each.partition(".")[0] for each in imported} <= sys.stdlib_module_names
    defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert len(defined) == len(set(defined))


def test_small_enough_for_batch() -> None:
    """ECS takes 8,192 characters of overrides, Batch 24 KiB of a definition: it fits into both."""
    assert len(as_program("signed_calls.py", "smoke/probe.py")) < 8192 - 256
