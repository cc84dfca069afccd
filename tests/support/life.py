"""Life cycles of stacks under IAM users of the sandbox, and what they turned out to need."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from biomodal_deploy.iam.catalog import Phase
from biomodal_deploy.iam.permissions import StackPermissions
from biomodal_deploy.sandbox import Sandbox
from tests.support.authority.record import RecordedCall
from tests.support.native import init_or_skip
from tests.support.project import ROOT
from tests.support.terraform import Engine, provider_engine

MODULE_FACTS: Final = ROOT / "biomodal_deploy" / "iam" / "data" / "modules" / "bootstrap.json"
_PHASES: Final = {"create": Phase.APPLY, "update": Phase.UPDATE, "delete": Phase.DESTROY}
_UNFETCHABLE: Final = ("tls_private_key", "local_file", "local_sensitive_file")

Document = dict[str, Any]


@dataclass
class Life:
    """One stack in a directory of its own, run by a user who holds a policy for each command."""

    user: str  # the IAM user's name
    sandbox: Sandbox  # the account
    directory: Path  # the stack
    folder: Path  # where logs go
    values: dict[str, Any]  # its variables
    # Terraform's log by command, in the order of the commands
    logs: dict[str, Path] = field(default_factory=dict)
    phases: dict[str, tuple[Phase, ...]] = field(default_factory=dict)  # the phases of each command
    # what was compiled for each command
    permissions: dict[str, StackPermissions] = field(default_factory=dict)
    # what each apply of several phases did, by kind of resource
    actions: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    home: Path | None = None  # the user's home; a new one in the folder where None

    def __post_init__(self) -> None:
        """Make the user and their home."""
        iam = self.sandbox.client("iam")
        iam.create_user(UserName=self.user)
        key = iam.create_access_key(UserName=self.user)["AccessKey"]
        home = self.home or self.folder / f"{self.user}-home"
        home.mkdir(exist_ok=True)
        credentials = {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }
        self._engine = provider_engine(home, self.sandbox.environment({}) | credentials)

    def compiled(self) -> StackPermissions:
        """Return the permissions of the stack as it is now written."""
        # The documented source of the module, which has no copy on disk, says what it makes.
        written = self.directory / "cdk.tf.json"
        source = self.folder / f"{self.user}-source"
        source.mkdir(exist_ok=True)
        text = written.read_text().replace('"./bootstrap"', '"cegx-ds/terraform-aws-bootstrap"')
        (source / "cdk.tf.json").write_text(text)
        return StackPermissions(source, self.values, self.sandbox.account_id)

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
        self, command: str, phases: Sequence[Phase], verb: str, *arguments: str, hold: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run Terraform, the user holding only what is compiled for the phases."""
        if hold:
            self.permissions[command] = self.compiled()
            self.hold([each.as_json() for each in self.permissions[command].deployer(phases)])
        (self.directory / "terraform.tfvars.json").write_text(json.dumps(self.values))
        log = self.folder / f"{self.user}-{command}.log"
        self.logs[command], self.phases[command] = log, tuple(phases)
        verbose = {"TF_LOG": "JSON", "TF_LOG_PATH": str(log)}
        engine = Engine(self._engine.prefix, {**self._engine.variables, **verbose})
        told = ["-json"] if verb == "apply" else []
        done = engine(self.directory, verb, *told, "-no-color", "-input=false", *arguments)
        if told:
            self.actions[command] = _actions(done.stdout)
        return done

    def must(self, command: str, phase: Phase, verb: str, *arguments: str) -> None:
        """Run Terraform for one phase and say what it said where it failed."""
        self.must_all(command, [phase], verb, *arguments)

    def must_all(self, command: str, phases: Sequence[Phase], verb: str, *arguments: str) -> None:
        """Run Terraform for several phases at once and say what it said where it failed."""
        done = self.run(command, phases, verb, *arguments)
        assert done.returncode == 0, f"{self.user} {command}\n{errors(done.stderr)}\n" + "\n".join(
            each["summary"] for each in diagnostics(done.stdout)
        )

    def init(self) -> None:
        """Initialize the directory, or skip the test where no AWS provider can be had."""
        init_or_skip(self._engine, self.directory)

    def show(self, plan: str) -> Document:
        """Return a plan file as data."""
        shown: Document = json.loads(self._engine.must(self.directory, "show", "-json", plan))
        return shown

    def edit(self, change: Callable[[Document], None]) -> None:
        """Change the stack's configuration."""
        edit_stack(self.directory, change)


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
    """Join Terraform's logs, which know the resource, and the record, which knows AWS.

    A call that no resource made is the kind `provider`: it may need no permission.
    """
    by_invocation: dict[str, list[RecordedCall]] = {}
    for call in record:
        if call.user == life.user:
            by_invocation.setdefault(call.invocation, []).append(call)
    sent = {command: list(_sent(log)) for command, log in life.logs.items()}
    told = {each.invocation for calls in sent.values() for each in calls}
    assert by_invocation.keys() <= told, "a call is in no log"
    return [
        Seen(
            command=command,
            kind=each.kind,
            phase=phase,
            action=request.action,
            resource=request.resource,
            context=request.context,
            allowed=request.allowed,
        )
        for command, calls in sent.items()
        for each, phase in _with_phases(life, command, calls)
        for call in by_invocation.get(each.invocation, [])
        for request in call.requests
    ]


def use_described_module(directory: Path, public_key: str) -> None:
    """Turn the facts about the upstream module into a module on disk, and call that.

    Its key pair is made outside: the provider for it is unavailable offline.
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


def diagnostics(printed: str) -> list[dict[str, Any]]:
    """Return the errors in what Terraform printed as JSON."""
    found = [each["diagnostic"] for each in _events(printed) if each["type"] == "diagnostic"]
    return [each for each in found if each["severity"] == "error"]


def edit_stack(directory: Path, change: Callable[[Document], None]) -> None:
    """Change a synthesized stack's configuration."""
    path = directory / "cdk.tf.json"
    document = json.loads(path.read_text())
    change(document)
    # Indented: Terraform's errors quote whole lines.
    path.write_text(json.dumps(document, indent=1))


def errors(text: str) -> str:
    """Return the lines of Terraform's standard error that say something."""
    lines = [line.strip()[:600] for line in text.splitlines()]
    return "\n".join(line for line in lines if line and not line.startswith("{"))


@dataclass(frozen=True, kw_only=True)
class _Sent:
    """One call that the provider sent."""

    kind: str  # the kind of resource that it was for
    operation: str  # Terraform's id of what it did with the resource: to read it, to delete it
    invocation: str  # the SDK's id of the call


def _sent(log: Path) -> Iterator[_Sent]:
    with log.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if "HTTP Request Sent" in line:
                entry = json.loads(line)
                data_source = entry.get("tf_data_source_type")
                kind = entry.get("tf_resource_type") or (data_source and f"data.{data_source}")
                yield _Sent(
                    kind=kind or "provider",
                    operation=entry["tf_req_id"],
                    invocation=entry["http.request.header.amz_sdk_invocation_id"],
                )


def _with_phases(life: Life, command: str, calls: Sequence[_Sent]) -> Iterator[tuple[_Sent, Phase]]:
    [first, *more] = life.phases[command]
    phases: dict[str, Phase] = {}
    for kind, actions in life.actions.get(command, {}).items() if more else ():
        operations = list(dict.fromkeys(each.operation for each in calls if each.kind == kind))
        if len(set(actions)) == 1:
            actions = actions[:1] * len(operations)
        # Else one resource is replaced: the old one goes before the new one comes.
        assert len(operations) == len(actions), f"{kind}: which operation is which is not known"
        phases |= {
            operation: _PHASES[action]
            for operation, action in zip(operations, actions, strict=True)
        }
    for each in calls:
        yield each, phases.get(each.operation, first)


def _actions(printed: str) -> dict[str, list[str]]:
    """Return what an apply did, from what it printed as JSON."""
    actions: dict[str, list[str]] = {}
    for event in _events(printed):
        if event["type"] == "apply_start" and event["hook"]["action"] in _PHASES:
            resource = event["hook"]["resource"]
            actions.setdefault(resource["resource_type"], []).append(event["hook"]["action"])
    return actions


def _events(printed: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
