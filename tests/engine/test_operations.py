"""After the apply: an account on loopback, a machine on loopback, and the commands themselves.

The machine is OpenSSH's server with stand-ins for Java, Docker and systemd; what goes there and
what comes back is real. Objects in the account are made directly: an apply is tested elsewhere,
and takes a minute.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import boto3
import pytest

from biomodal_deploy.sandbox import Sandbox
from tests.support import planted as secrets
from tests.support.light import Ended, LightProject
from tests.support.loopback import serving
from tests.support.operated import NAME, Metadata, documented, outputs, queue, state_text
from tests.support.payloads import undocumented
from tests.support.planted import without_secrets
from tests.support.sshd import Vm, running_vm

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("operations")]

STACK: Final = "lab"
BROKEN: Final = (
    "biomodal install: step 2/5: installing system packages: curl\n"
    "biomodal install: FAILED with status 100 at line 93, in step 2/5: installing system packages\n"
)


@dataclass(frozen=True)
class Operated:
    """A stack that was applied."""

    project: LightProject  # the project, and its command line
    environment: Mapping[str, str]  # an environment that reaches the account and no other
    client: Any  # makes clients of the account, to change what is there
    vm: Vm  # the machine to log in to
    instance: str  # the id of the account's VM

    @property
    def ec2(self) -> Any:
        """EC2, to change what is there."""
        return self.client("ec2")

    def run(self, *words: str, **more: str) -> Ended:
        """Run one command."""
        return without_secrets(self.project.run(*words, environment={**self.environment, **more}))

    def state(self, resources: dict[str, list[dict[str, Any]]], **changes: str) -> None:
        """Write the stack's state."""
        values = {"private_key_filename": str(self.vm.key), "ssh_user": self.vm.user, **changes}
        path = self.project.folder / "state" / f"{STACK}.tfstate"
        path.parent.mkdir(exist_ok=True)
        path.write_text(state_text(resources, outputs(**values)))


def resources(instance: dict[str, Any], region: str) -> dict[str, list[dict[str, Any]]]:
    """Return the state's resources for what the account holds."""
    arn = f"arn:aws:ec2:{region}:123456789012:instance/{instance['InstanceId']}"
    vm = {"id": instance["InstanceId"], "arn": arn, "instance_type": "t3.large"}
    return documented() | {"aws_instance": [vm]}


@pytest.fixture(scope="module")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    """One account, one machine, one stack for all tests here."""
    workdir = tmp_path_factory.mktemp("operations")
    project = LightProject(
        workdir / "project", {STACK: {}}, {"stacks": {STACK: {"bootstrap": "native"}}}
    )
    (workdir / "vm").mkdir()
    with Sandbox.start(workdir) as sandbox, serving(Metadata) as metadata:
        environment = dict(sandbox.environment({})) | secrets.ENVIRONMENT
        secrets.plant(project.folder / "home")
        session = boto3.Session("test", "test", region_name=sandbox.region)
        client: Any = partial(session.client, endpoint_url=sandbox.endpoint)
        ec2 = client("ec2")
        client("s3").create_bucket(Bucket=NAME)
        launched = ec2.run_instances(
            ImageId=ec2.describe_images(Owners=["099720109477"])["Images"][0]["ImageId"],
            MinCount=1,
            MaxCount=1,
        )["Instances"][0]
        inside = {
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata,
            "AWS_ENDPOINT_URL": sandbox.endpoint,
        }
        with running_vm(workdir / "vm", environment=inside) as vm:
            found = Operated(project, environment, client, vm, launched["InstanceId"])
            assert found.run("synth").status == 0
            nothing = found.run("status")
            assert (nothing.status, "Nothing is applied yet" in nothing.err) == (64, True)
            found.state(resources(launched, sandbox.region))
            yield found


def lines(ended: Ended) -> dict[str, dict[str, Any]]:
    """Return what `status` found, by part."""
    return {each["check"]: each for each in ended.data["checks"]}


def test_a_command_on_the_machine(operated: Operated) -> None:
    """Its output, its own exit status, and its words with their borders."""
    to = ("connect", "--address", operated.vm.address, "--")
    first = operated.run(*to, "printf", "%s|", "two words", "$HOME")
    assert (first.status, first.out) == (0, "two words|$HOME|")
    assert "AWS does not show the host key" in first.err
    again = operated.run(*to, "exit 7")
    assert (again.status, again.out, again.err) == (7, "", "")
    assert operated.run(*to, "exit 255").status == 255
    known = operated.project.folder / "plans" / STACK / "ssh" / "known_hosts"
    assert known.read_text().startswith(f"{operated.instance} ")
    assert sorted(path.name for path in known.parent.iterdir()) == ["known_hosts"]


def test_the_machine_itself(operated: Operated) -> None:
    """Every check of the document, made there with the machine's own credentials."""
    ended = operated.run("status", "--deep", "--address", operated.vm.address, "-o", "json")
    found = lines(ended)
    inside = ("ssh", "install-log", "java", "docker", "docker-service", "docker-group", "disk")
    for part in (*inside, "cloud-init", "bucket-access", "registry-login"):
        assert found[part]["verdict"] in ("pass", "warning"), found[part]["line"]
    assert found["bucket-access"]["line"] == "written, read and deleted"
    login = (operated.vm.folder / "login").read_text()
    assert login.startswith("login --username AWS --password-stdin ")
    # The log on the machine is worth more than the console.
    assert "install-script" not in found


def test_a_failed_installation(operated: Operated) -> None:
    """At which line, and what else is missing there."""
    operated.vm.log(BROKEN)
    operated.vm.program("java", "echo 'java: command not found' >&2; exit 127")
    try:
        ended = operated.run("status", "--deep", "--address", operated.vm.address)
    finally:
        operated.vm.log("biomodal install: all installations completed successfully\n")
        operated.vm.program("java", "echo 'openjdk version \"21.0.8\"' >&2")
    assert ended.status == 2
    assert "failed with status 100 at line 93, in step 2/5" in ended.out
    assert "Needs attention: " in ended.out


def test_what_is_gone_from_the_account(operated: Operated) -> None:
    """The account holds a VM and a bucket: all else that the state names is gone, and said so."""
    found = lines(operated.run("status", "-o", "json"))
    assert found["bucket"]["verdict"] == "pass"
    assert found["vm-status"]["verdict"] == "pass"
    for part in ("compute-environment", "job-queue", "repository", "vm-role"):
        assert found[part]["verdict"] == "fail", found[part]
    assert operated.run("status").status == 2


def test_jobs_of_a_queue_that_is_gone(operated: Operated) -> None:
    """They are unknown and never none, with a status of their own for programs."""
    ended = operated.run("jobs", "-o", "json")
    (problem,) = ended.data["problems"]
    assert (ended.status, ended.data["jobs"], problem["verdict"]) == (2, [], "unknown")
    assert f"{NAME}-job-queue" in problem["line"]
    assert undocumented("jobs", ended.data) == []
    assert undocumented("status", operated.run("status", "-o", "json").data) == []


@pytest.mark.parametrize(
    ("change", "words", "status", "says"),
    [
        ({"private_key_filename": "/missing/key.pem"}, (), 64, "not on this machine"),
        ({"ssh_user": "nobody-here"}, (), 1, "refuses user nobody-here"),
        ({}, ("--address", "127.0.0.1:1"), 1, "Nothing listens at 127.0.0.1 port 1"),
        ({}, ("--ssm", "--address", "x"), 64, "--ssm"),
        ({"private_key_filename": ""}, (), 64, "session-manager-plugin: not found on PATH"),
    ],
)
def test_no_connection(
    operated: Operated, change: dict[str, str], words: tuple[str, ...], status: int, says: str
) -> None:
    """One clear line each, with its status."""
    state = operated.project.folder / "state" / f"{STACK}.tfstate"
    before = state.read_text()
    instance = {"InstanceId": operated.instance}
    operated.state(resources(instance, "us-east-1"), **change)
    # Only Session Manager's case has no address to go to.
    to = words or (
        () if change.get("private_key_filename") == "" else ("--address", operated.vm.address)
    )
    folder = operated.project.folder / "programs"
    folder.mkdir(exist_ok=True)
    (folder / "aws").write_text("#!/bin/sh\nexit 1\n")
    (folder / "aws").chmod(0o755)
    try:
        ended = operated.run("connect", *to, "--", "true", PATH=f"{folder}:/usr/bin:/bin")
    finally:
        state.write_text(before)
    assert (ended.status, ended.out) == (status, ""), ended.err
    assert says in ended.err
    assert "Traceback" not in ended.err
    assert ended.err.strip().splitlines()[-1].startswith("error: ")


def test_open_keys_and_changed_hosts(operated: Operated) -> None:
    """Ssh would refuse both at length; here it is one line with what fixes it."""
    operated.vm.key.chmod(0o644)
    try:
        ended = operated.run("connect", "--address", operated.vm.address, "--", "true")
    finally:
        operated.vm.key.chmod(0o600)
    assert (ended.status, f"chmod 600 {operated.vm.key}" in ended.err) == (64, True)
    known = operated.project.folder / "plans" / STACK / "ssh" / "known_hosts"
    public = (operated.vm.folder / "user_key.pub").read_text().split()
    known.write_text(f"{operated.instance} {public[0]} {public[1]}\n")
    try:
        ended = operated.run("connect", "--address", operated.vm.address, "--", "true")
    finally:
        known.unlink()
    assert ended.status == 1
    assert "shows another host key than before" in ended.err
    assert f"ssh-keygen -R {operated.instance} -f {known}" in ended.err


def test_through_session_manager(operated: Operated) -> None:
    """The AWS CLI gets the VM's id and the command as data."""
    folder = operated.project.folder / "plugin"
    folder.mkdir()
    for name, text in (("aws", 'printf "%s\\n" "$@"; exit 5'), ("session-manager-plugin", "")):
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    words = ("connect", "--ssm", "--", "echo", "it's")
    ended = operated.run(*words, PATH=f"{folder}:/usr/bin:/bin")
    assert ended.status == 5, ended.err
    assert ended.out.splitlines()[:6] == [
        *("ssm", "start-session", "--region", "us-east-1", "--target", operated.instance)
    ]
    parameters = json.loads(ended.out.splitlines()[-1])
    assert parameters == {"command": ["echo 'it'\"'\"'s'"]}


def test_files_for_ssh_and_nextflow(operated: Operated, tmp_path: Path) -> None:
    """A Host block and both of Nextflow's files, from the state."""
    block = operated.run("connect", "--ssh-config", "--address", operated.vm.address)
    assert block.status == 0
    assert block.out.startswith(f"Host {NAME}\n    HostName 127.0.0.1\n")
    ended = operated.run("nextflow-config", "--out", str(tmp_path / "run"))
    assert ended.status == 0, ended.err
    text = (tmp_path / "run" / "nextflow.config").read_text()
    assert operated.run("nextflow-config").out == text
    assert f"queue = '{queue(f'{NAME}-job-queue')['name']}'" in text
    assert "-Xmx4096m" in (tmp_path / "run" / "nextflow.env").read_text()
    (tmp_path / "run" / "nextflow.env").write_text("mine")
    assert operated.run("nextflow-config", "--out", str(tmp_path / "run")).status == 64


def test_no_secret_was_written(operated: Operated) -> None:
    """Not one of the user's, by any of the commands above; `run` looked at what they printed."""
    folder = operated.project.folder
    assert secrets.holders(folder.parent, but=folder / "home") == []


@pytest.fixture
def queued(operated: Operated) -> Iterator[tuple[Any, str]]:
    """Batch, and the name of the stack's queue, empty; pgrep sees this process's own."""
    state = operated.project.folder / "state" / f"{STACK}.tfstate"
    before = state.read_text()
    batch = operated.client("batch")
    name = f"queue-{uuid4()}"
    batch.create_compute_environment(computeEnvironmentName=name, type="UNMANAGED", state="ENABLED")
    order = [{"order": 1, "computeEnvironment": name}]
    made = batch.create_job_queue(
        jobQueueName=name, state="ENABLED", priority=1, computeEnvironmentOrder=order
    )
    found = resources({"InstanceId": operated.instance}, "us-east-1")
    found["aws_batch_job_queue"] = [{**queue(name), "arn": made["jobQueueArn"]}]
    operated.state(found)
    operated.vm.program("pgrep", f'exec /usr/bin/pgrep -P {os.getpid()} "$@"')
    yield batch, name
    state.write_text(before)


def test_a_stop_meets_work(operated: Operated, queued: tuple[Any, str]) -> None:
    """Refused while a job waits or Nextflow runs, with what to do; nothing has been stopped."""
    batch, name = queued
    batch.register_job_definition(
        jobDefinitionName="waits",
        type="container",
        containerProperties={"image": "none", "vcpus": 1, "memory": 64},
    )
    job = batch.submit_job(
        jobName="waits", jobQueue=name, jobDefinition="waits", dependsOn=[{"jobId": str(uuid4())}]
    )
    stop = ("vm", "stop", "--address", operated.vm.address)
    words = ["bash", "-c", "exec -a 'java -cp x nextflow.cli.Launcher run' sleep 60"]
    with subprocess.Popen(words) as nextflow:
        try:
            ended = operated.run(*stop, "-o", "json")
        finally:
            nextflow.kill()
            batch.terminate_job(jobId=job["jobId"], reason="over")
    jobs, running = ended.data["problems"]
    assert (ended.status, ended.data["changed"], ended.data["state"]) == (2, False, "running")
    assert (jobs["check"], jobs["verdict"]) == ("jobs", "fail")
    assert "1 job in the queues" in jobs["line"]
    assert "biomodal-aws jobs" in jobs["fix"]
    assert (running["check"], str(nextflow.pid) in running["line"]) == ("nextflow", True)
    assert undocumented("vm stop", ended.data) == []


def test_what_was_not_looked_at_is_not_nothing(operated: Operated) -> None:
    """A queue that is gone and a VM that nobody can log in to: both unknown, so not stopped."""
    ended = operated.run("vm", "stop", "--address", "127.0.0.1:1")
    assert ended.status == 2
    assert f"the jobs in {NAME}-job-queue are unknown" in ended.out
    assert "whether it runs on the VM is unknown: Nothing listens" in ended.out
    assert f"Not stopped: {operated.instance} is running" in ended.out
    assert "biomodal-aws vm stop --force" in ended.out


@pytest.mark.usefixtures("queued")
def test_a_stop_and_a_start(operated: Operated) -> None:
    """Both twice: the second time nothing changes; what costs on is said with its price."""
    ec2 = operated.ec2
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    (reservation,) = ec2.describe_instances(InstanceIds=[operated.instance])["Reservations"]
    vpc = reservation["Instances"][0]["VpcId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    address = ec2.allocate_address(Domain="vpc")
    ec2.associate_address(InstanceId=operated.instance, AllocationId=address["AllocationId"])
    stop = ("vm", "stop", "--address", operated.vm.address)
    ended = operated.run(*stop, "-o", "json")
    assert (ended.status, ended.data["problems"]) == (0, []), ended.err
    assert (ended.data["state"], ended.data["changed"]) == ("stopped", True)
    volume, kept = ended.data["costs"]
    assert volume["amount"] == pytest.approx(volume["quantity"] * volume["price"]["amount"])
    assert (kept["address"], kept["amount"] > 3) == (address["PublicIp"], True)
    assert undocumented("vm stop", ended.data) == []
    again = operated.run(*stop)
    assert (again.status, f"{operated.instance} is stopped, as before" in again.out) == (0, True)
    assert f"costs on  public IPv4 address ({address['PublicIp']}): 3.65 USD a month" in again.out
    started = operated.run("vm", "start", "-o", "json")
    assert (started.status, started.data["state"], started.data["changed"]) == (0, "running", True)
    assert undocumented("vm start", started.data) == []
    assert "is running, as before" in operated.run("vm", "start").out


def test_a_stop_by_force(operated: Operated) -> None:
    """Whatever could not be looked at."""
    ended = operated.run("vm", "stop", "--force")
    assert (ended.status, f"{operated.instance} is stopped, after" in ended.out) == (0, True)
    assert operated.run("vm", "start").status == 0


def test_the_idle_stop(operated: Operated) -> None:
    """Switched over SSH, on and off; refused where a shutdown would delete the VM."""
    root = operated.vm.folder / "root"
    for name in ("usr/local/sbin", "etc/systemd/system"):
        (root / name).mkdir(parents=True)
    operated.vm.program("sudo", f'shift; ROOT={root} exec "$@"')
    switch = ("vm", "idle-stop", "--address", operated.vm.address)
    ended = operated.run(*switch, "60", "-o", "json")
    assert (ended.status, ended.data["minutes"]) == (0, 60), ended.err
    assert undocumented("vm idle-stop", ended.data) == []
    timer = root / "etc/systemd/system/biomodal-idle-stop.timer"
    assert timer.exists()
    off = operated.run(*switch, "0")
    assert (off.status, "does not stop by itself" in off.out, timer.exists()) == (0, True, False)
    behaviour = {"InstanceId": operated.instance, "Attribute": "instanceInitiatedShutdownBehavior"}
    operated.ec2.modify_instance_attribute(**behaviour, Value="terminate")
    refused = operated.run(*switch, "60")
    operated.ec2.modify_instance_attribute(**behaviour, Value="stop")
    assert (refused.status, "would not stop this VM" in refused.err) == (64, True), refused.err
    operated.vm.program("sudo", "echo 'sudo: a password is required' >&2; exit 1")
    failed = operated.run(*switch, "60")
    assert (failed.status, "a password is required" in failed.err) == (1, True), failed.err


def test_a_stopped_vm(operated: Operated) -> None:
    """Last, since it stops: the line has the command that starts it."""
    operated.ec2.stop_instances(InstanceIds=[operated.instance])
    for words in (("connect", "--address", "127.0.0.1:1", "--", "true"), ("status",)):
        ended = operated.run(*words)
        assert ended.status in (1, 2)
        assert "biomodal-aws vm start" in ended.out + ended.err
