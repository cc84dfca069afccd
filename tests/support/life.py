"""Life cycles of stacks under IAM users of the sandbox, and what they turned out to need."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from biomodal_deploy.permissions.catalog import Phase
from biomodal_deploy.permissions.deployment import DeploymentPermissions
from biomodal_deploy.sandbox import Sandbox
from biomodal_deploy.sandbox.authority import RecordedCall
from tests.support.project import ROOT
from tests.support.terraform import Engine, provider_engine

MODULE_FACTS: Final = (
    ROOT / "biomodal_deploy" / "permissions" / "data" / "modules" / "bootstrap.json"
)
_UNFETCHABLE: Final = ("tls_private_key", "local_file", "local_sensitive_file")

Document = dict[str, Any]


@dataclass
class Life:
    """One stack in a directory of its own, run by a user who holds a policy for each command.

    Attributes:
        user: The IAM user's name.
        sandbox: The account.
        directory: The stack.
        values: Its variables.
        logs: Terraform's log by command, in the order of the commands.
        phases: The phase of each command.
        needs: What was compiled for each command.
    """

    user: str
    sandbox: Sandbox
    directory: Path
    values: dict[str, Any]
    logs: dict[str, Path] = field(default_factory=dict)
    phases: dict[str, Phase] = field(default_factory=dict)
    permissions: dict[str, DeploymentPermissions] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the user and initialize the directory."""
        iam = self.sandbox.client("iam")
        iam.create_user(UserName=self.user)
        key = iam.create_access_key(UserName=self.user)["AccessKey"]
        home = self.directory.parent / f"{self.user}-home"
        home.mkdir()
        credentials = {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }
        self._engine = provider_engine(home, self.sandbox.environment({}) | credentials)

    def compiled(self) -> DeploymentPermissions:
        """Return the permissions of the stack as it is now written."""
        # The documented source of the module, which has no copy on disk, says what it makes.
        written = self.directory / "cdk.tf.json"
        source = self.directory.parent / f"{self.user}-source"
        source.mkdir(exist_ok=True)
        text = written.read_text().replace('"./bootstrap"', '"cegx-ds/terraform-aws-bootstrap"')
        (source / "cdk.tf.json").write_text(text)
        return DeploymentPermissions(source, self.values, self.sandbox.account_id)

    def hold(self, documents: Sequence[Mapping[str, object]]) -> None:
        """Take all policies from the user, and give these."""
        iam = self.sandbox.client("iam")
        for name in iam.list_user_policies(UserName=self.user)["PolicyNames"]:
            iam.delete_user_policy(UserName=self.user, PolicyName=name)
        for number, document in enumerate(documents):
            iam.put_user_policy(
                UserName=self.user, PolicyName=f"p{number}", PolicyDocument=json.dumps(document)
            )

    def run(
        self, command: str, phase: Phase, verb: str, *arguments: str, hold: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run Terraform, the user holding only what is compiled for the phase.

        Args:
            command: What to call it.
            phase: The phase.
            verb: Terraform's.
            arguments: What follows it.
            hold: Whether the user gets the compiled policy.
        """
        if hold:
            self.permissions[command] = self.compiled()
            self.hold([each.as_json() for each in self.permissions[command].deployer([phase])])
        (self.directory / "terraform.tfvars.json").write_text(json.dumps(self.values))
        log = self.directory.parent / f"{self.user}-{command}.log"
        self.logs[command], self.phases[command] = log, phase
        verbose = {"TF_LOG": "JSON", "TF_LOG_PATH": str(log)}
        engine = Engine(self._engine.prefix, {**self._engine.variables, **verbose})
        return engine(self.directory, verb, "-no-color", "-input=false", *arguments)

    def must(self, command: str, phase: Phase, verb: str, *arguments: str) -> None:
        """Run Terraform and say what it said where it failed."""
        done = self.run(command, phase, verb, *arguments)
        assert done.returncode == 0, f"{self.user} {command}\n{errors(done.stderr)}"

    def init(self) -> None:
        """Initialize the directory."""
        self._engine.must(self.directory, "init", "-input=false", "-no-color")

    def show(self, plan: str) -> Document:
        """Return a plan file as data."""
        shown: Document = json.loads(self._engine.must(self.directory, "show", "-json", plan))
        return shown

    def edit(self, change: Callable[[Document], None]) -> None:
        """Change the stack's configuration."""
        path = self.directory / "cdk.tf.json"
        document = json.loads(path.read_text())
        change(document)
        # Indented: Terraform's errors quote whole lines.
        path.write_text(json.dumps(document, indent=1))


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One thing that AWS was asked for, and for which kind of resource."""

    command: str
    kind: str
    phase: Phase
    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]] = field(hash=False)
    allowed: bool


def seen(life: Life, record: Sequence[RecordedCall]) -> list[Seen]:
    """Join Terraform's logs, which know the resource, and the record, which knows AWS."""
    by_invocation: dict[str, list[RecordedCall]] = {}
    for call in record:
        if call.user == life.user:
            by_invocation.setdefault(call.invocation, []).append(call)
    return [
        Seen(
            command=command,
            kind=kind,
            phase=life.phases[command],
            action=each.action,
            resource=each.resource,
            context=each.context,
            allowed=each.allowed,
        )
        for command, log in life.logs.items()
        for kind, invocation in _sent(log)
        for call in by_invocation.get(invocation, [])
        for each in call.requests
    ]


def use_described_module(directory: Path, public_key: str) -> None:
    """Turn the facts about the upstream module into a module on disk, and call that.

    Its key pair is made outside: the provider for it is not to be had offline.
    """
    document = json.loads(MODULE_FACTS.read_text())
    for kind in _UNFETCHABLE:
        document["resource"].pop(kind)
    document["resource"]["aws_key_pair"]["generated"]["public_key"] = public_key
    (directory / "bootstrap").mkdir()
    (directory / "bootstrap" / "main.tf.json").write_text(json.dumps(document, indent=1))


def copy_stack(source: Path, target: Path) -> Path:
    """Copy a synthesized stack, and keep its state beside it."""
    shutil.copytree(source, target)
    path = target / "cdk.tf.json"
    document = json.loads(path.read_text())
    document["terraform"]["backend"] = {"local": {"path": "terraform.tfstate"}}
    path.write_text(json.dumps(document, indent=1))
    return target


def errors(text: str) -> str:
    """Return the lines of Terraform's standard error that say something."""
    lines = [line.strip()[:600] for line in text.splitlines()]
    return "\n".join(line for line in lines if line and not line.startswith("{"))


def _sent(log: Path) -> Iterator[tuple[str, str]]:
    """Give what Terraform's provider sent: the kind of resource, and the SDK's id of the call."""
    with log.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if "HTTP Request Sent" not in line:
                continue
            entry = json.loads(line)
            data_source = entry.get("tf_data_source_type")
            kind = entry.get("tf_resource_type") or (data_source and f"data.{data_source}")
            if kind:
                yield kind, entry["http.request.header.amz_sdk_invocation_id"]
