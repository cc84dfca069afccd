"""The VM's start-up script, run for real with recorded stand-ins: nothing here is changed."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.processes import run_program

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "install_script.sh"
APT = "apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3"
UPDATE = f"{APT} -o APT::Update::Error-Mode=any update"
PACKAGES = (
    f"{APT} install -y ca-certificates curl gnupg lsb-release openjdk-21-jdk "
    "apt-transport-https wget unzip"
)
DOCKER = f"{APT} install -y docker.io"
SOCKET = "chmod 666 /var/run/docker.sock"
EVERYTHING = [UPDATE, PACKAGES, DOCKER, "systemctl start docker", "systemctl enable docker"]


@dataclass
class Machine:
    """A VM of stand-ins: its PATH holds these programs and nothing of the real system."""

    folder: Path  # where the programs and their record are
    user: str  # who runs the script

    def program(self, name: str, body: str) -> None:
        """Put a program on PATH."""
        path = self.folder / "bin" / name
        path.write_text(f"#!{shutil.which('bash')}\n{body}\n")
        path.chmod(0o755)

    def recorded(self, name: str, body: str = "") -> None:
        """Put a program on PATH that records its arguments, then runs a body."""
        self.program(name, f'echo "{name} $*" >> {self.folder}/record\n{body}')

    def run(self, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run the script as cloud-init does: with hardly an environment."""
        return run_program(
            [str(shutil.which("bash")), str(SCRIPT)],
            env={"PATH": str(self.folder / "bin"), **environ},
            cwd=self.folder,
            timeout=60,
        )

    @property
    def record(self) -> list[str]:
        """What was called, in order; sudo is left out."""
        return [line for line in self.lines if not line.startswith("sudo ")]

    @property
    def lines(self) -> list[str]:
        """What was called, in order."""
        record = self.folder / "record"
        return record.read_text().splitlines() if record.exists() else []


def machine(folder: Path, user: str, *users: str, apt: str = "") -> Machine:
    """Make a VM on which some users exist, the first with number 1000."""
    (folder / "bin").mkdir(parents=True)
    vm = Machine(folder, user)
    for name in ("env", "cut"):
        (folder / "bin" / name).symlink_to(str(shutil.which(name)))
    vm.program("whoami", f"echo {user}")
    known = "|".join(("root", *users))
    vm.program("id", f'case "${{@: -1}}" in {known}) echo 1;; *) exit 1;; esac')
    first = f"echo {users[0]}:x:1000:1000::/home/{users[0]}:/bin/bash" if users else "exit 2"
    vm.program("getent", first)
    # sudo drops the caller's environment.
    vm.recorded("sudo", 'exec env -i PATH="$PATH" SUDO=1 "$@"')
    needs_root = "" if user == "root" else '[[ "${SUDO:-}" ]] || exit 13\n'
    for name in ("systemctl", "usermod", "chmod"):
        vm.recorded(name, needs_root)
    vm.recorded("sleep")
    vm.recorded(
        "apt-get", f'{needs_root}[[ "$DEBIAN_FRONTEND" == noninteractive ]] || exit 14\n{apt}'
    )
    return vm


def test_as_root_does_the_documents_steps_in_order(tmp_path: Path) -> None:
    """As cloud-init runs it: the documented order, and the SSH user gets the docker group."""
    vm = machine(tmp_path / "vm", "root", "ubuntu")
    (vm.folder / "bin" / "sudo").unlink()
    done = vm.run()
    assert done.returncode == 0, done.stderr
    assert vm.record == [*EVERYTHING, "usermod -aG docker ubuntu", SOCKET]
    assert "usermod -aG docker root" not in vm.record


def test_as_another_user_uses_sudo_for_everything(tmp_path: Path) -> None:
    """The document's own branch: who runs the script joins the group, and so does the SSH user."""
    vm = machine(tmp_path / "vm", "alice", "ubuntu", "alice")
    done = vm.run()
    assert done.returncode == 0, done.stderr
    groups = ["usermod -aG docker alice", "usermod -aG docker ubuntu"]
    assert vm.record == [*EVERYTHING, *groups, SOCKET]
    assert len([line for line in vm.lines if line.startswith("sudo ")]) == len(vm.record)


@pytest.mark.parametrize("user", ["root", "ubuntu"])
def test_runs_twice(tmp_path: Path, user: str) -> None:
    """A second run does the same again and succeeds."""
    vm = machine(tmp_path / "vm", user, "ubuntu")
    first, second = vm.run(), vm.run()
    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stdout == second.stdout
    half = len(vm.record) // 2
    assert vm.record[:half] == vm.record[half:]


@pytest.mark.parametrize("user", ["root", "ubuntu"])
def test_failing_apt_is_loud(tmp_path: Path, user: str) -> None:
    """Where apt keeps failing the script ends with its status, names the step and does no more."""
    vm = machine(tmp_path / "vm", user, "ubuntu", apt="exit 100")
    done = vm.run()
    assert done.returncode == 100
    assert [line for line in vm.record if not line.startswith("sleep")] == [UPDATE] * 5
    assert "in step 1/5: updating package repositories" in done.stderr
    assert "completed" not in done.stdout


@pytest.mark.parametrize(
    ("package", "step"), [("openjdk-21-jdk", "step 2/5"), ("docker.io", "step 3/5")]
)
def test_package_that_cannot_be_installed_is_loud(tmp_path: Path, package: str, step: str) -> None:
    """A failing install ends the script at that step, with the line that started it."""
    apt = f'[[ " $* " == *" {package} "* ]] && exit 100; exit 0'
    vm = machine(tmp_path / "vm", "root", "ubuntu", apt=apt)
    done = vm.run()
    assert done.returncode == 100
    (line,) = done.stderr.splitlines()
    assert "FAILED with status 100 at line " in line
    assert step in line
    number = int(line.split("line ")[1].split(",")[0])
    assert SCRIPT.read_text().splitlines()[number - 1].startswith("apt_get install")
    assert "systemctl start docker" not in vm.record
    assert "all installations completed" not in done.stdout


def test_apt_that_fails_once_is_tried_again(tmp_path: Path) -> None:
    """A lock held on the first boot, or a mirror not answering yet, costs a pause and no more."""
    apt = '[[ -e "failed" ]] || { : > failed; exit 100; }'
    vm = machine(tmp_path / "vm", "root", "ubuntu", apt=apt)
    done = vm.run()
    assert done.returncode == 0, done.stderr
    assert vm.record[:4] == [UPDATE, "sleep 2", UPDATE, PACKAGES]
    assert "next attempt in 2 s" in done.stdout


@pytest.mark.parametrize("broken", ["systemctl", "usermod", "chmod"])
def test_any_other_failure_is_loud(tmp_path: Path, broken: str) -> None:
    """Nothing that fails is passed over in silence."""
    vm = machine(tmp_path / "vm", "root", "ubuntu")
    vm.recorded(broken, "exit 5")
    done = vm.run()
    assert done.returncode == 5
    assert "FAILED with status 5" in done.stderr
    assert "all installations completed" not in done.stdout


def test_no_user_at_all_is_said_and_passed_over(tmp_path: Path) -> None:
    """Without any user to add, the installation still completes and says what to do."""
    vm = machine(tmp_path / "vm", "root")
    done = vm.run()
    assert done.returncode == 0, done.stderr
    assert "there is no user ubuntu; add one later" in done.stdout
    assert vm.record == [*EVERYTHING, SOCKET]


ADDED = "usermod -aG docker"


@pytest.mark.parametrize(
    ("users", "environ", "last"),
    [
        # The usual second run, by hand over SSH, does not add the same user twice.
        (("ubuntu", "ubuntu"), {}, [f"{ADDED} ubuntu", SOCKET]),
        # The user that the stack names is the one who gets the group.
        (("root", "ubuntu", "carol"), {"SSH_USER": "carol"}, [f"{ADDED} carol", SOCKET]),
        # On an image whose user has another name, the user with number 1000 gets it.
        (("root", "admin"), {}, [f"{ADDED} admin", SOCKET]),
        (("root", "ubuntu"), {"SSH_USER": "root"}, [SOCKET]),  # root needs no group
        (
            ("root", "ubuntu"),
            {"DOCKER_SOCKET_MODE": "660"},
            [f"{ADDED} ubuntu", "chmod 660 /var/run/docker.sock"],
        ),
    ],
)
def test_who_may_use_docker(
    tmp_path: Path, users: tuple[str, ...], environ: dict[str, str], last: list[str]
) -> None:
    """One user gets the group, once, and the socket the mode that the stack says."""
    vm = machine(tmp_path / "vm", *users)
    assert vm.run(**environ).returncode == 0
    assert vm.record == [*EVERYTHING, *last]


def test_says_what_the_document_promises(tmp_path: Path) -> None:
    """The six pieces of feedback of the document come in its order, and success comes last."""
    done = machine(tmp_path / "vm", "root", "ubuntu").run()
    said = [line.removeprefix("biomodal install: ") for line in done.stdout.splitlines()]
    expected = [
        "step 1/5: updating package repositories",
        "step 2/5: installing system packages",
        "package installation completed",
        "step 3/5: installing Docker",
        "step 4/5: starting the Docker service",
        "step 5/5: configuring Docker permissions",
        "adding user ubuntu to the docker group",
        "Docker installation completed",
        "all installations completed successfully",
    ]
    places = [
        next(i for i, line in enumerate(said) if line.startswith(start)) for start in expected
    ]
    assert places == sorted(places)
    assert done.stdout.endswith("biomodal install: all installations completed successfully\n")
    assert done.stderr == ""


def test_fits_user_data_and_is_a_script() -> None:
    """EC2 takes 16,384 bytes, cloud-init needs the first line, and strict mode is on."""
    content = SCRIPT.read_bytes()
    assert len(content) < 16_384
    assert content.startswith(b"#!/bin/bash\n")
    assert b"\nset -euo pipefail\n" in content
    assert b"\r" not in content
    assert content.count(b"${SSH_USER:-ubuntu}") == 1
    assert os.access(SCRIPT, os.X_OK)
