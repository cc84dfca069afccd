"""`init` at a real terminal and without one, against an account on loopback; then real plans."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from biomodal_deploy.config.settings import read_project_file, read_stacks
from biomodal_deploy.config.tfvars.hcl import attributes
from biomodal_deploy.errors import EXIT_DONE, EXIT_INTERRUPTED, EXIT_USAGE
from biomodal_deploy.sandbox import Sandbox
from tests.support.checkout import Checkout, environment_of
from tests.support.driven import Terminal
from tests.support.project import copy_app
from tests.support.terraform import bare_engine, require_provider

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("init")]

ESCAPES: Final = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@dataclass(frozen=True)
class Project(Checkout):
    """A checkout as it is shipped, and an account on loopback."""

    def values(self, name: str) -> dict[str, object]:
        """Return what a stack's file of variables says."""
        text = (self.folder / "environments" / f"{name}.tfvars").read_text()
        return {name: each.value for name, each in attributes(text).items()}

    def talk(self, *words: str, environment: Mapping[str, str] | None = None) -> Conversation:
        """Run one command at a terminal."""
        return Conversation(self.folder, words, environment or self.environment)


class Conversation:
    """A command that asks, and somebody who answers."""

    def __init__(
        self, folder: Path, words: tuple[str, ...], environment: Mapping[str, str]
    ) -> None:
        self.terminal, slave = Terminal.open()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "biomodal_deploy", *words],
            cwd=folder,
            env={**environment, "TERM": "xterm", "COLUMNS": "120"},
            pass_fds=(slave,),
            preexec_fn=lambda: os.login_tty(slave),
        )
        os.close(slave)
        self._read = 0

    @property
    def screen(self) -> str:
        """All that was printed, as a person reads it."""
        shown = self.terminal.shown.decode(errors="replace")
        return ESCAPES.sub("", shown).replace("\r", "")

    def answer(self, question: str, line: str) -> str:
        """Wait for the prompt below a question, type a line, and return what stood there."""
        end = time.monotonic() + 60
        while True:
            new = self.screen[self._read :]
            if question in new and new.rstrip(" ").endswith(":"):
                self._read += len(new)
                self.terminal.type(line)
                return new
            assert time.monotonic() < end, new
            assert self.process.poll() is None, new
            time.sleep(0.02)

    def end(self) -> int:
        """Wait for its end, and return its exit status."""
        status = self.process.wait(timeout=60)
        self.terminal.close()
        return status


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The checkout, with a home of its own."""
    require_provider()
    workdir = tmp_path_factory.mktemp("init")
    folder = copy_app(workdir / "checkout")
    variables = environment_of(folder, workdir / "home")
    with Sandbox.start(workdir) as sandbox:
        yield Project(folder, sandbox, sandbox.environment(variables))


def test_a_person_picks_from_the_account(project: Project) -> None:
    """Every list is the account's, a long one is narrowed, and a rule is named at once."""
    ec2 = project.sandbox.client("ec2")
    ec2.import_key_pair(KeyName="ada", PublicKeyMaterial=project.sandbox.public_key.encode())
    account = project.sandbox.account
    talk = project.talk("init")
    talk.answer("Name of the stack", "Dev")
    assert "lower-case letters" in talk.answer("lower-case letters", "dev")
    talk.answer("How it is built", "native")
    talk.answer("Its profile", "")
    assert f"[{account.region}]" in talk.answer("AWS region", "")
    assert f"[{account.account_id}]" in talk.answer("AWS account", "")
    assert account.vpc_id in talk.answer("VPC ID", "sandbox")
    talk.answer("  1  ", "1")
    subnets = talk.answer("Subnet ID", account.subnet_ids[1])
    assert account.private_subnet_id in subnets
    assert "sandbox-public-2" in subnets
    talk.answer("VM name", "")
    types = talk.answer("EC2 instance type", "m6i.2x")
    assert " lines: + shows them" in types
    assert "t4g." not in types
    assert "  1  m6i.2xlarge" in talk.answer("m6i.2xlarge", "1")
    talk.answer("Resource tag value", "lab")
    assert "made by biomodal-aws keygen dev" in talk.answer("SSH public key", "ada")
    assert talk.end() == EXIT_DONE, talk.screen
    assert "Next: git add cdktf.json environments/dev.tfvars" in talk.screen
    assert project.values("dev") == {
        "region": account.region,
        "vpc_id": account.vpc_id,
        "subnet_id": account.subnet_ids[1],
        "vm_name": "dev",
        "instance_type": "m6i.2xlarge",
        "tag_value": "lab",
        "ssh_public_key": project.sandbox.public_key,
    }
    written = read_stacks(read_project_file(project.folder), {})["dev"]
    assert (written.bootstrap, written.account) == ("native", (account.account_id,))


def test_without_an_account_the_answers_are_typed(project: Project) -> None:
    """One line says why there is nothing to pick from; Ctrl-C on the way writes nothing."""
    before = (project.folder / "cdktf.json").read_bytes()
    unknown = {name: text for name, text in project.environment.items() if "AWS_" not in name}
    nobody = {
        **unknown,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    talk = project.talk(
        "init", "other", "--bootstrap=module", "--profile=documented", environment=nobody
    )
    talk.answer("AWS region", "eu-west-2")
    said = talk.answer("AWS account", "")
    assert (
        said.count("Nothing to pick from: there are no AWS credentials. Please type the answer.")
        == 1
    )
    assert "A VPC id is" not in talk.answer("VPC ID", "vpc-1")
    assert "A VPC id is vpc- and 8 to 17 hexadecimal digits." in talk.answer("A VPC", "\x03")
    assert talk.end() == EXIT_INTERRUPTED
    assert "nothing was written" in talk.screen
    assert (project.folder / "cdktf.json").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "more"), [(("--no-input",), {}), ((), {"CI": "true"})], ids=["option", "ci"]
)
def test_nobody_is_asked_who_cannot_answer(
    project: Project, words: tuple[str, ...], more: dict[str, str]
) -> None:
    """A terminal alone is no person: what is missing is an error, and no question."""
    talk = project.talk("init", *words, environment={**project.environment, **more})
    assert talk.end() == EXIT_USAGE
    assert talk.screen.startswith("error: NAME, --region, --vpc-id, --subnet-id: missing")


def test_options_make_a_stack_that_plans(project: Project) -> None:
    """The file is as Terraform formats it, and the printed commands work as they stand."""
    account = project.sandbox.account
    made = project.run(
        "init",
        "lab-2",
        "--bootstrap=native",
        f"--account={account.account_id}",
        f"--region={account.region}",
        f"--vpc-id={account.vpc_id}",
        f"--subnet-id={account.subnet_ids[0]}",
        f"--var=ssh_public_key={project.sandbox.public_key}",
        "--var=tag_value=lab",
    )
    assert made.status == EXIT_DONE, made.err
    terraform = bare_engine(project.folder.parent / "home")
    terraform.must(project.folder, "fmt", "-check", "-diff", "environments")
    *_, doctor, plan = made.out.split("biomodal-aws ")
    asked = project.run(*doctor.split())
    assert asked.status == EXIT_DONE, asked.out + asked.err
    planned = project.run(*plan.split())
    assert planned.status == EXIT_DONE, planned.out + planned.err
    assert "Plan: 20 to create, 7 outputs change." in planned.out
    (apply,) = re.findall(r"Next: biomodal-aws (.*)$", planned.out.strip(), re.MULTILINE)
    assert re.fullmatch(r"apply \S+ --stack lab-2", apply)
    copied = project.run("init", "lab-3", "--from=lab-2", "--output=json")
    assert copied.data["variables"] == {**project.values("lab-2"), "vm_name": "lab-3"}
