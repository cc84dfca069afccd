"""The environment of a command that may reach the sandbox and nothing else of AWS."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import botocore.session
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biomodal_deploy.sandbox import Sandbox
from biomodal_deploy.sandbox.account import sandbox_environment, write_config_file
from biomodal_deploy.sandbox.inventory import client_factory

ENDPOINT = "http://127.0.0.1:4566"
REAL = {
    **dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), "real"),
    **dict.fromkeys(("AWS_SECURITY_TOKEN", "aws_lower"), "real"),
    **dict.fromkeys(("AWS_PROFILE", "AWS_DEFAULT_PROFILE"), "prod"),
    "AWS_ROLE_ARN": "arn:aws:iam::999999999999:role/real",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/real",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/real",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.2/real",
    "AWS_CONFIG_FILE": "/real/config",
    "AWS_SHARED_CREDENTIALS_FILE": "/real/credentials",
    "AWS_ENDPOINT_URL_S3": "https://real",
    "AWS_CA_BUNDLE": "/real.pem",
    "AWS_USE_FIPS_ENDPOINT": "true",
}
OURS = {
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"),
}


def environment(tmp_path: Path, base: dict[str, str]) -> dict[str, str]:
    """Return a sandbox's environment with a configuration file of its own."""
    config = tmp_path / "aws-config"
    if not config.exists():
        write_config_file(tmp_path)
    return sandbox_environment(base, endpoint=ENDPOINT, region="eu-west-2", config_file=config)


def test_no_real_credential_source_is_left(tmp_path: Path) -> None:
    """Of sixteen variables that lead to a real account none remains; the mapping stays."""
    given = {**REAL, "PATH": "/bin", "HOME": "/home/me"}
    made = environment(tmp_path, given)
    assert given == {**REAL, "PATH": "/bin", "HOME": "/home/me"}
    assert not set(made.values()) & set(REAL.values()) - {"true"}
    assert not set(made) & set(REAL) - OURS
    kept = {"PATH": "/bin", "HOME": "/home/me"}
    ours = {"AWS_ENDPOINT_URL": ENDPOINT, "AWS_EC2_METADATA_DISABLED": "true"}
    ours |= dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), "eu-west-2")
    assert made.items() >= {**kept, **ours}.items()


@given(
    st.dictionaries(st.from_regex(r"[A-Za-z_]{1,20}", fullmatch=True), st.text("abc", max_size=5))
)
def test_everything_else_is_kept(base: dict[str, str]) -> None:
    """Variables that are not AWS's own come through unchanged."""
    made = sandbox_environment(
        base, endpoint=ENDPOINT, region="us-east-1", config_file=Path("/private/aws-config")
    )
    ours = {"BOTO_CONFIG", "NO_PROXY", "no_proxy"}
    for name, value in base.items():
        if not name.upper().startswith("AWS_") and name not in ours:
            assert made[name] == value


@pytest.mark.parametrize(
    ("given_hosts", "wanted"),
    [
        (None, "127.0.0.1,localhost"),
        ("", "127.0.0.1,localhost"),
        ("internal.example", "internal.example,127.0.0.1,localhost"),
        ("127.0.0.1", "127.0.0.1,localhost"),
    ],
)
def test_a_proxy_is_never_asked_for_loopback(
    tmp_path: Path, given_hosts: str | None, wanted: str
) -> None:
    """Loopback is added to the hosts that go without a proxy."""
    base = {} if given_hosts is None else {"NO_PROXY": given_hosts, "no_proxy": given_hosts}
    made = environment(tmp_path, base)
    assert made["NO_PROXY"] == made["no_proxy"] == wanted


def test_the_configuration_is_for_its_owner_only(tmp_path: Path) -> None:
    """The stand-in for the user's AWS files is private, and never written over another file."""
    path = write_config_file(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        write_config_file(tmp_path)


def test_botocore_finds_the_sandboxs_keys_and_no_others(tmp_path: Path) -> None:
    """A home full of real AWS files is not opened by a tool in this environment."""
    home = tmp_path / "home" / ".aws"
    home.mkdir(parents=True)
    for name in ("config", "credentials"):
        (home / name).write_text("[default]\naws_access_key_id=real\naws_secret_access_key=real\n")
    (tmp_path / "home" / ".boto").write_text("[Credentials]\naws_access_key_id = real\n")
    made = environment(tmp_path, {**REAL, "HOME": str(tmp_path / "home")})
    code = (
        "import botocore.session as b; s = b.Session(); print(s.get_credentials().access_key,"
        " s.profile, s.full_config['profiles'])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], env=made, capture_output=True, text=True, check=True
    )
    assert shown.stdout == "sandbox None {'default': {}}\n"


def test_clients_ignore_the_callers_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Profiles, endpoints, proxies and FIPS settings of the caller reach no client of ours."""
    for name, value in REAL.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HTTP_PROXY", "http://real:3128")
    make = client_factory(ENDPOINT, "eu-west-2", write_config_file(tmp_path))
    for service in ("ec2", "iam", "s3", "batch", "ecr", "sts"):
        client = make(service)
        assert client.meta.endpoint_url == ENDPOINT
        assert client.meta.config.__dict__["proxies"] == {}
    with pytest.raises(botocore.exceptions.ProfileNotFound):
        botocore.session.Session().get_scoped_config()


OWNER = """
import os, sys, time
from pathlib import Path
from biomodal_deploy.sandbox import Sandbox
with Sandbox.start(Path(sys.argv[1])) as sandbox:
    print(sandbox.pid, sandbox.endpoint, flush=True)
    {then}
"""
Owner = Callable[[str], tuple["subprocess.Popen[str]", psutil.Process]]


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    """Starts a process that owns a sandbox, and gives it and the server."""
    started: list[subprocess.Popen[str]] = []

    def start(then: str) -> tuple[subprocess.Popen[str], psutil.Process]:
        process = subprocess.Popen(
            [sys.executable, "-c", OWNER.format(then=then), str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout
        return process, psutil.Process(int(process.stdout.readline().split()[0]))

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout:
            process.stdout.close()


KILLING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)


def gone(server: psutil.Process, directory: Path) -> bool:
    """Say whether the server ended within half a minute and left no file."""
    with suppress(psutil.NoSuchProcess):
        server.wait(30)
    deadline = time.monotonic() + 30
    while list(directory.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not server.is_running() and not list(directory.iterdir())


@pytest.mark.engine
@pytest.mark.parametrize(
    ("then", "signum"),
    [
        *((then, None) for then in ("pass", "raise RuntimeError", "sys.exit(3)", "os._exit(4)")),
        *(
            ("time.sleep(60)", getattr(signal, f"SIG{name}"))
            for name in ["INT", "TERM", "HUP", "KILL"]
        ),
    ],
)
def test_it_ends_when_its_owner_ends(
    owner: Owner, tmp_path: Path, then: str, signum: int | None
) -> None:
    """By itself, with an exception, without goodbye, or killed: no server and no folder stay."""
    process, server = owner(then)
    if signum:
        process.send_signal(signum)
    process.wait(60)
    assert gone(server, tmp_path)


@pytest.mark.engine
def test_ctrl_c_reaches_the_owner_and_not_the_server(owner: Owner, tmp_path: Path) -> None:
    """The terminal interrupts the foreground group: Terraform still has an account to finish in."""
    process, server = owner(
        "import signal; signal.signal(signal.SIGINT, lambda *_: print('asked', flush=True));"
        " print('armed', flush=True); time.sleep(60)"
    )
    assert process.stdout
    assert process.stdout.readline() == "armed\n"
    assert os.getsid(server.pid) == server.pid, "Ctrl-Z and a hang-up would reach it too"
    os.killpg(process.pid, signal.SIGINT)
    assert process.stdout.readline() == "asked\n"
    server.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert server.is_running()
    process.kill()
    process.wait(60)
    assert gone(server, tmp_path)


@pytest.mark.engine
def test_it_ends_when_its_owner_is_killed_before_it_is_ready(tmp_path: Path) -> None:
    """A server that is still loading when its owner dies does not stay either."""
    code = OWNER.format(then="pass")
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    children: list[psutil.Process] = []
    while not children:
        children = psutil.Process(process.pid).children()
    process.kill()
    process.wait()
    assert gone(children[0], tmp_path)


@pytest.mark.engine
def test_a_server_that_ends_by_itself_is_reaped() -> None:
    """Stopping a sandbox whose server was killed works, twice, and leaves no zombie."""
    sandbox = Sandbox.start()
    os.kill(sandbox.pid, signal.SIGKILL)
    sandbox.stop()
    sandbox.stop()
    assert not psutil.pid_exists(sandbox.pid)
    assert not sandbox.directory.exists()


@pytest.mark.engine
def test_what_the_owner_starts_does_not_keep_it_alive(owner: Owner, tmp_path: Path) -> None:
    """A child of the owner that outlives it does not hold the server's pipe open."""
    process, server = owner(
        "import subprocess; print(subprocess.Popen(['sleep', '60']).pid, flush=True);"
        " time.sleep(60)"
    )
    assert process.stdout
    survivor = psutil.Process(int(process.stdout.readline()))
    process.kill()
    process.wait(60)
    assert gone(server, tmp_path)
    assert survivor.is_running()
    survivor.kill()
