"""What ssh's own messages mean, and what the console says of host keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from biomodal_deploy.vm.access import SshTarget
from biomodal_deploy.vm.connecting import host_keys_in, is_known, keep
from biomodal_deploy.vm.ssh_failures import complaints_in, not_connected, reason_in
from tests.support.operated import ADDRESS, REGION, VM

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import InstanceTypeDef

KEY: Final = "AAAAC3NzaC1lZDI1NTE5AAAAIJ2x8r1Qm3n1zYt0Qv2e6uH3c2p5w7s8d9f0g1h2j3k4"


def target(folder: Path) -> SshTarget:
    """Return a way to the VM."""
    return SshTarget(
        name="lab",
        address=ADDRESS,
        user="ubuntu",
        key=folder / "key.pem",
        known_hosts=folder / "known_hosts",
        instance_id=VM,
        region=REGION,
    )


def machine(state: str) -> InstanceTypeDef:
    """Return the VM in a state."""
    return {"State": {"Name": state}}  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("said", "reason", "line"),
    [
        ("ssh: connect to host x port 22: Connection refused", "refused", "Nothing listens at"),
        ("ssh: connect to host x port 22: Connection timed out", "unreachable", "ssh_cidr_blocks"),
        ("ssh: connect to host x port 22: No route to host", "unreachable", "No answer from"),
        ("ubuntu@x: Permission denied (publickey).", "denied", "refuses user ubuntu with the key"),
        (
            "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
            "host_key_changed",
            f"ssh-keygen -R {VM} -f ",
        ),
        ("ssh: Could not resolve hostname x: Name or service", "unresolved", "no such host"),
        ("kex_exchange_identification: read: Connection reset", "closed", "was closed"),
        ("Connection to x closed by remote host.", "closed", "was closed"),
        ("Bad configuration option: odd", "other", "Bad configuration option: odd"),
    ],
)
def test_reasons(tmp_path: Path, said: str, reason: str, line: str) -> None:
    """One line each, with a stable word for programs."""
    error = not_connected(target(tmp_path), said, machine("running"), asked=True)
    assert error.reason == reason
    assert line in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("state", "reason"), [("stopped", "vm_stopped"), ("stopping", "vm_stopped"), (None, "vm_gone")]
)
def test_a_vm_that_does_not_run(tmp_path: Path, state: str | None, reason: str) -> None:
    """That is why nobody answers, and the line has the command that starts it."""
    found = machine(state) if state else None
    error = not_connected(target(tmp_path), "Connection timed out", found, asked=True)
    assert error.reason == reason
    if state:
        assert "biomodal-aws vm start" in str(error)
    unasked = not_connected(target(tmp_path), "Connection timed out", None, asked=False)
    assert unasked.reason == "unreachable"


def test_what_ssh_says_where_all_went_well() -> None:
    """A command that ends with 255 itself is no failed connection."""
    said = "Warning: Permanently added 'i-1' (ED25519) to the list.\nConnection to x closed.\n"
    assert (complaints_in(said), reason_in(said)) == ("", None)


def console(*keys: str, end: bool = True) -> str:
    """Return console output with cloud-init's block of host keys."""
    begin = "[   31.1] cloud-init[1121]: -----BEGIN SSH HOST KEY KEYS-----"
    lines = [f"[   31.1] cloud-init[1121]: {key} root@ip-10-0-0-7" for key in keys]
    last = ["-----END SSH HOST KEY KEYS-----"] if end else []
    return "\n".join(["login:", begin, *lines, *last, "more"])


def test_host_keys_on_the_console(tmp_path: Path) -> None:
    """They are kept under the VM's id, beside those of others, and found again."""
    found = target(tmp_path)
    found.known_hosts.write_text(f"i-other ssh-ed25519 {KEY}")
    assert not is_known(found)
    keys = host_keys_in(console(f"ssh-ed25519 {KEY}", f"ssh-dss {KEY}", "ssh-rsa short"))
    assert keys == (f"ssh-ed25519 {KEY}",)
    keep(found, keys)
    assert is_known(found)
    lines = found.known_hosts.read_text().splitlines()
    assert lines == [f"i-other ssh-ed25519 {KEY}", f"{VM} ssh-ed25519 {KEY}"]
    assert found.known_hosts.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "login:", f"ssh-ed25519 {KEY}", console(end=False)])
def test_no_host_keys_on_the_console(text: str) -> None:
    """Keys outside the block, or in half of one, are not believed."""
    assert host_keys_in(text) == ()
