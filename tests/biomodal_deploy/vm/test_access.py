"""The way into the VM: addresses, keys, and what ssh is told of them."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from biomodal_deploy.errors import UsageError
from biomodal_deploy.vm.access import (
    SshTarget,
    check_key,
    has_ssh,
    host_block,
    quoted,
    session_target,
    ssh_command,
    ssh_target,
)
from biomodal_deploy.vm.connecting import remote_words
from tests.support.operated import ADDRESS, NAME, REGION, VM, deployed, hardened, outputs


def target(folder: Path, address: str | None = None, **changes: str) -> SshTarget:
    """Return the way to a stack with these outputs."""
    given = outputs(private_key_filename=str(folder / "key.pem"), **changes)
    return ssh_target(deployed(given=given), folder / "plans", {"HOME": str(folder)}, address)


def test_from_the_outputs(tmp_path: Path) -> None:
    """User, key and address; host keys in a private folder of the stack's own."""
    found = target(tmp_path)
    assert (found.user, found.address, found.port) == ("ubuntu", ADDRESS, 22)
    assert found.known_hosts == tmp_path / "plans" / "ssh" / "known_hosts"
    assert found.known_hosts.parent.stat().st_mode & 0o777 == 0o700


def test_the_module_names_the_home(tmp_path: Path) -> None:
    """`~` is the caller's home, as a shell would have it."""
    given = outputs(private_key_filename="~/.ssh/lab.pem")
    found = ssh_target(deployed(given=given), tmp_path / "plans", {"HOME": "/home/ada"})
    assert found.key == Path("/home/ada/.ssh/lab.pem")


@pytest.mark.parametrize(
    ("given", "host", "port"),
    [
        ("10.0.0.7", "10.0.0.7", 22),
        ("localhost:2222", "localhost", 2222),
        ("2001:db8::7", "2001:db8::7", 22),
        ("bastion.example.org", "bastion.example.org", 22),
    ],
)
def test_another_address(tmp_path: Path, given: str, host: str, port: int) -> None:
    """A host or address, with or without a port."""
    found = target(tmp_path, given)
    assert (found.address, found.port) == (host, port)


@pytest.mark.parametrize(
    "given",
    [
        *("-oProxyCommand=id", "a b", "host:0", "host:99999", "host:x", ":22", "$(id)", "é"),
        "fe80::1%a\n    ProxyCommand touch pwned",
        "fe80::1%a;id",
        f"host:{'9' * 5000}",
    ],
)
def test_no_address(tmp_path: Path, given: str) -> None:
    """What ssh could take for something else is refused by name."""
    with pytest.raises(UsageError, match="--address"):
        target(tmp_path, given)


def test_a_zone_is_no_token_in_a_configuration(tmp_path: Path) -> None:
    """A link-local address is what ssh connects to, with its zone."""
    (tmp_path / "config").write_text(host_block(target(tmp_path, "fe80::1%eth0")))
    assert effective("-F", str(tmp_path / "config"), NAME)["hostname"] == ["fe80::1%eth0"]


def test_a_hostile_user(tmp_path: Path) -> None:
    """Outputs come from a state, and ssh gets no option from there."""
    with pytest.raises(UsageError, match="ssh_user"):
        target(tmp_path, ssh_user="-oProxyCommand=id")


def test_hardened_without_a_key(tmp_path: Path) -> None:
    """It has Session Manager, and SSH says so."""
    found = deployed(hardened(), outputs(private_key_filename=""))
    assert not has_ssh(found)
    assert (session_target(found).instance_id, session_target(found).region) == (VM, REGION)
    with pytest.raises(UsageError, match="connect --ssm"):
        ssh_target(found, tmp_path, {})


def test_keys_that_ssh_would_refuse(tmp_path: Path) -> None:
    """Missing, open to others, no file: one line each, with the command that fixes it."""
    found = target(tmp_path)
    with pytest.raises(UsageError, match="not on this machine"):
        check_key(found)
    found.key.write_text("key")
    found.key.chmod(0o640)
    with pytest.raises(UsageError, match=f"mode 640.*chmod 600 {found.key}"):
        check_key(found)
    found.key.chmod(0o600)
    check_key(found)
    found.key.unlink()
    found.key.mkdir()
    with pytest.raises(UsageError, match="cannot be read"):
        check_key(found)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], []),
        (["docker ps | wc -l"], ["docker ps | wc -l"]),
        (["ls", "my file", "$HOME"], ["ls 'my file' '$HOME'"]),
    ],
)
def test_remote_words(words: list[str], line: list[str]) -> None:
    """One word is a shell line; several keep their borders on the other side."""
    assert remote_words(words) == line


def effective(*arguments: str) -> dict[str, list[str]]:
    """Return what ssh makes of its arguments, by its own word."""
    done = subprocess.run(
        ["ssh", "-G", *arguments], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        name, _, value = line.partition(" ")
        found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("folder", ["plain", "with space", "100% #1", "a=b,c"])
def test_ssh_reads_what_we_mean(tmp_path: Path, folder: str) -> None:
    """Command line and Host block say the same, whatever the folder is called."""
    home = tmp_path / folder
    home.mkdir()
    found = target(home)
    config = home / "config"
    config.write_text(host_block(found))
    argv = ssh_command(found, [], log=home / "log")
    expected = {
        "user": "ubuntu",
        "hostname": ADDRESS,
        "port": "22",
        "identitiesonly": "yes",
        "stricthostkeychecking": "accept-new",
        "hostkeyalias": VM,
        # This one ssh shows before it expands its tokens.
        "identityfile": str(found.key).replace("%", "%%"),
        "userknownhostsfile": str(found.known_hosts),
    }
    for read in (effective(*argv[3:]), effective("-F", str(config), NAME)):
        assert {name: read[name] for name in expected} == {
            name: [value] for name, value in expected.items()
        }


@pytest.mark.parametrize(
    "changed",
    [
        {"vm_name": "*"},
        {"vm_name": "lab other"},
        {"vm_name": "lab\n    ProxyCommand touch pwned"},
        {"public_ip": "203.0.113.7\n    ProxyCommand touch pwned"},
        {"public_ip": "fe80::7%lo\n    ProxyCommand touch pwned"},
        {"ssh_user": "ubuntu\n    ProxyCommand touch pwned"},
    ],
)
def test_ssh_reads_nothing_that_the_state_slipped_in(
    tmp_path: Path, changed: dict[str, str]
) -> None:
    """Whoever may edit a state makes ssh run no command, and changes no other host's settings."""
    config = tmp_path / "config"
    config.write_text("Host unrelated\n    Port 77\n")
    with contextlib.suppress(UsageError):
        config.write_text(host_block(target(tmp_path, **changed)) + config.read_text())
    for host in (NAME, "unrelated", "lab"):
        read = effective("-F", str(config), host)
        assert read.get("proxycommand", ["none"]) == ["none"]
        assert read["port"] == ["77" if host == "unrelated" else "22"]


def test_a_block_through_session_manager(tmp_path: Path) -> None:
    """SSH goes to the instance's id, through a command of the AWS CLI."""
    config = tmp_path / "config"
    config.write_text(host_block(target(tmp_path), through=session_target(deployed())))
    read = effective("-F", str(config), NAME)
    assert read["hostname"] == [VM]
    (command,) = read["proxycommand"]
    assert command.startswith(f"aws ssm start-session --region {REGION} --target %h ")
    assert command.endswith("--document-name AWS-StartSSHSession --parameters portNumber=%p")


@pytest.mark.parametrize("name", ['quo"te', "back\\slash", "line\nbreak"])
def test_a_path_that_no_configuration_can_name(name: str) -> None:
    """It is refused, and not written in a way that means something else."""
    with pytest.raises(UsageError, match="SSH configuration"):
        quoted(Path(name))


def test_the_key_is_never_an_argument_of_anything_else(tmp_path: Path) -> None:
    """The address stands behind `--`, where ssh looks for no options."""
    argv: list[Any] = ssh_command(target(tmp_path), ["id"], log=tmp_path / "log", batch=True)
    assert argv[-3:] == ["--", ADDRESS, "id"]
    assert "BatchMode=yes" in argv
    assert os.path.basename(argv[0]) == "ssh"  # noqa: PTH119
