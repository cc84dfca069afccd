"""What a new stack needs: given, copied, asked for, or named as missing, all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from pydantic import JsonValue

from biomodal_deploy.errors import UsageError
from biomodal_deploy.workflow.init import Asker, Choice, Question
from biomodal_deploy.workflow.init.answers import (
    Answers,
    Given,
    check_name,
    check_setting,
    check_value,
    described,
    read_value,
    require_name,
    shared_by,
    take_variables,
)

if TYPE_CHECKING:
    from biomodal_deploy.workflow.init.account import Account

_BOOTSTRAPS: Final = (
    Choice("module", ("exactly the document: calls its module; private key in the state",)),
    Choice("native", ("the same, built here: can be rehearsed offline; your own SSH key",)),
    Choice("prerequisites", ("the account's roles that AWS Batch needs",)),
)
_PROFILES: Final = (
    Choice("documented", ("keeps to the document",)),
    Choice("hardened", ("the document's security review, done",)),
)
_ANY: Final = "any"
_LOCAL: Final = "local"
# What another region or account does not have, where a stack is copied there.
_OF_A_VPC: Final = ("subnet_id", "batch_subnet_ids")
_OF_A_REGION: Final = ("vpc_id", *_OF_A_VPC, "ami_id", "alarm_topic_arn")
_OF_AN_ACCOUNT: Final = (
    *_OF_A_REGION,
    "permissions_boundary_arn",
    "access_log_bucket",
    "use_existing_bucket_url",
)

OpenAccount: TypeAlias = "Callable[[Asker], Account]"


def gather(
    given: Given,
    base: Answers,
    *,
    taken: Mapping[str, JsonValue],
    asker: Asker | None,
    open_account: OpenAccount,
    partly: bool = False,
) -> Answers:
    """Return everything that a new stack needs.

    Args:
        base: What another stack gives it; that is not asked for again.
        taken: The stacks that are there, as they stand in `cdktf.json`.
        asker: Asks a person; None where nobody can be asked, and then AWS is not asked either.
        open_account: Opens what there is to pick from; called where somebody is asked.
        partly: Whether values may be missing, to be filled in later.
    """
    interview = _Interview(given, base, asker, open_account(asker) if asker else None)
    interview.what_it_is(taken)
    interview.where_it_is()
    if "vpc_id" in interview.answers.variables:
        interview.its_network()
        interview.its_machine()
    if interview.missing and not partly:
        raise UsageError(
            "missing, and nobody can be asked here",
            field=", ".join(interview.missing),
            fix="give each of them",
        )
    return interview.answers


def _nothing(_: Account) -> tuple[Choice, ...]:
    """Return no choices: the answer is typed."""
    return ()


class _Interview:
    """The questions, in the order in which one answer bears on the next."""

    def __init__(
        self, given: Given, base: Answers, asker: Asker | None, account: Account | None
    ) -> None:
        self.given, self.asker, self.account = given, asker, account
        self.answers = replace(base, settings=dict(base.settings), values=dict(base.values))
        self.missing: list[str] = []  # the options that nobody could be asked for

    def what_it_is(self, taken: Mapping[str, JsonValue]) -> None:
        """Its name, how it is built, and every value that was given."""
        name = self.given.name
        if name is None:
            question = Question(
                name="NAME", text="Name of the stack", check=lambda text: check_name(text, taken)
            )
            if self.asker:
                name = self.asker.ask(question)
            else:
                self.missing.append(question.name)
        else:
            require_name(name, taken)
        self.answers.name = name or ""
        # The first stack of a project is one that can be rehearsed, unless another is chosen.
        first, second, *others = _BOOTSTRAPS
        choices = (second, first, *others) if self.answers.shared else _BOOTSTRAPS
        self._kind("bootstrap", "How it is built", choices)
        if self.answers.bootstrap != "prerequisites":
            self._kind("profile", "Its profile", _PROFILES)
        elif "profile" in self.given.settings:
            self.answers.settings["profile"] = self.given.settings["profile"]
        self._backend(taken)
        self._forget_elsewhere()
        take_variables(self.answers, self.given)

    def where_it_is(self) -> None:
        """Its region and account."""
        self.variable(
            "region", lambda account: account.region, lambda it: map(Choice, it.regions())
        )
        if "region" in self.answers.values:
            self.answers.settings["region"] = str(self.answers.values["region"])
        if (account := self.given.settings.get("account")) is not None:
            if (rule := check_setting("account", account)) is not None:
                raise UsageError(
                    rule.rstrip("."), field="--account", value=account, fix="give another value"
                )
            self.answers.settings["account"] = account
        if self.asker and self.account:
            limit = self.answers.settings.get("account")
            self.account.use(str(self.answers.settings["region"]), limit)
            if limit is None:
                self._ask_account(self.asker, self.account)

    def its_network(self) -> None:
        """Its VPC, and a subnet of that."""
        self.variable("vpc_id", choices=lambda account: account.vpcs())
        vpc_id = str(self.answers.values.get("vpc_id", ""))
        self.variable("subnet_id", choices=lambda account: account.subnets(vpc_id))

    def its_machine(self) -> None:
        """Its name, which everything is named after, its type, and the key to it."""
        variable = self.answers.variables["vm_name"]
        name = self.answers.name
        fits = check_value(variable, name) is None
        if self.asker is None:
            # Without the stack's name, that alone is what is missing.
            if fits or not name:
                self.answers.values.setdefault("vm_name", name)
            self.variable("vm_name")
            return
        self.variable("vm_name", lambda _: name if fits else None)
        subnet_id = str(self.answers.values["subnet_id"])
        kind = self.answers.variables["instance_type"]
        self.variable(
            kind.name,
            lambda _: str(kind.default),
            lambda account: [
                each
                for each in account.instance_types(subnet_id)
                if kind.broken_rule(each.value) is None
            ],
        )
        # The document's default calls every environment a development.
        tag = self.answers.variables["tag_value"]
        self.variable(tag.name, lambda _: str(tag.default))
        native = (self.answers.bootstrap, self.answers.profile) == ("native", "documented")
        if native and self.account and "ssh_public_key" not in self.answers.values:
            self._ask_key(self.asker, self.account)

    def _kind(self, setting: str, text: str, choices: Sequence[Choice]) -> None:
        found = self.given.settings.get(setting) or self.answers.settings.get(setting)
        if found is None and self.asker:
            found = _pick(self.asker, setting, text, choices)
        self.answers.settings[setting] = found or choices[0].value

    def _backend(self, taken: Mapping[str, JsonValue]) -> None:
        """Where its state lives; asked where the others share theirs, and silence would not."""
        if (backend := self.given.backend) is not None:
            self.answers.settings["backend"] = backend
            return
        shared = {f"as {name}": backend for name, backend in shared_by(taken).items()}
        if self.asker and shared and "backend" not in self.answers.settings:
            choices = [Choice(word, (described(each),)) for word, each in shared.items()]
            choices.append(Choice(_LOCAL, ("a file on this machine",)))
            answer = _pick(self.asker, "backend", "Where its state lives", choices)
            if answer != _LOCAL:
                self.answers.settings["backend"] = shared[answer]

    def _forget_elsewhere(self) -> None:
        """Leave out of a copy what the place does not have that was given."""
        values, settings = self.answers.values, self.answers.settings
        elsewhere: set[str] = set()
        account, new = settings.get("account"), self.given.settings.get("account")
        if account and new and account != new:
            elsewhere.update(_OF_AN_ACCOUNT)
        for variable, its_own in (("region", _OF_A_REGION), ("vpc_id", _OF_A_VPC)):
            new = self.given.variables.get(variable)
            if new and new != values.get(variable):
                elsewhere.update(its_own)
        for name in elsewhere | (values.keys() - self.answers.variables.keys()):
            values.pop(name, None)

    def _ask_account(self, asker: Asker, account: Account) -> None:
        answer = asker.ask(
            Question(
                name="account",
                text=f"AWS account that it is in ({_ANY}: no limit)",
                check=lambda text: None if text == _ANY else check_setting("account", text),
                default=account.caller or _ANY,
            )
        )
        if answer != _ANY:
            self.answers.settings["account"] = answer
            account.keep_to(answer)

    def _ask_key(self, asker: Asker, account: Account) -> None:
        variable = self.answers.variables["ssh_public_key"]
        vm_name = self.answers.values["vm_name"]
        own = f"~/.ssh/{vm_name}.pub"
        found = account.public_keys().items()
        keys = {name: text for name, text in found if variable.broken_rule(text) is None}
        made = f"made by biomodal-aws keygen {vm_name}"
        there = Path(own).expanduser().is_file()
        answer = asker.ask(
            Question(
                name=variable.name,
                text="SSH public key: this file, a key pair of the account, or the key itself",
                check=lambda text: (
                    None if text == own or text in keys else check_value(variable, text)
                ),
                default=own,
                choices=(
                    Choice(own, ("there" if there else made,)),
                    *(Choice(name, (text.split()[0],)) for name, text in keys.items()),
                ),
            )
        )
        if answer != own:
            self.answers.values[variable.name] = keys.get(answer, answer)

    def variable(
        self,
        name: str,
        default: Callable[[Account], str | None] = lambda _: None,
        choices: Callable[[Account], Iterable[Choice]] = _nothing,
    ) -> None:
        """Ask for a variable that has no value yet, or note that it is missing."""
        if name in self.answers.values:
            return
        variable = self.answers.variables[name]
        if not (self.asker and self.account):
            if variable.default is None:
                self.missing.append(self.given.option(name))
            return
        answer = self.asker.ask(
            Question(
                name=name,
                text=variable.description,
                check=lambda text: check_value(variable, text),
                default=default(self.account),
                choices=tuple(choices(self.account)),
            )
        )
        # Also where it is the default: the project's terraform.tfvars may say something else.
        self.answers.values[name] = read_value(variable, answer)


def _pick(asker: Asker, name: str, text: str, choices: Sequence[Choice]) -> str:
    """Return one of some choices, the first of them by default."""
    return asker.ask(
        Question(
            name=name,
            text=text,
            check=lambda _: None,
            default=choices[0].value,
            choices=choices,
            closed=True,
        )
    )
