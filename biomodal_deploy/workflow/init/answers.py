"""What is known of a new stack: what was given, and what it adds up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic import JsonValue

from biomodal_deploy.config.contract import Variable, variables_of
from biomodal_deploy.config.tfvars.values import Value

FOLDER: Final = "environments"
SHARED: Final = "terraform.tfvars"


@dataclass(frozen=True, kw_only=True)
class Given:
    """What was given on the command line.

    Attributes:
        name: The stack's name.
        settings: Settings of `cdktf.json` by name; those that were not given are left out.
        variables: Values of variables by name, as texts.
        backend: The setting `backend`, or None.
        options: The option by variable, where it has one of its own.
    """

    name: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    backend: JsonValue = None
    options: Mapping[str, str] = field(default_factory=dict)

    def option(self, name: str) -> str:
        """Return the option that gives a setting or variable."""
        return self.options.get(name, f"--var {name}=...")


@dataclass
class Answers:
    """Everything that a new stack needs.

    Attributes:
        name: Its name.
        settings: Its settings, as they go into `cdktf.json`.
        values: Its variables' values, as they go into its var-file.
        shared: Whether that is the project's own `terraform.tfvars`: of the first stack it is.
    """

    name: str = ""
    settings: dict[str, JsonValue] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    shared: bool = False

    @property
    def bootstrap(self) -> str:
        """Its implementation."""
        return str(self.settings.get("bootstrap", "module"))

    @property
    def profile(self) -> str:
        """Its profile."""
        return str(self.settings.get("profile", "documented"))

    @property
    def variables(self) -> dict[str, Variable]:
        """The variables that it has, by name."""
        open_ssh = "open_ssh_waiver" in self.settings
        found = variables_of(self.bootstrap, self.profile, open_ssh=open_ssh)
        return {variable.name: variable for variable in found}

    @property
    def missing(self) -> list[str]:
        """The variables that need a value and have none yet."""
        found = self.variables.items()
        return [each for each, it in found if it.default is None and each not in self.values]

    @property
    def var_file(self) -> str:
        """Its file of variables, relative to the project."""
        return SHARED if self.shared else f"{FOLDER}/{self.name}.tfvars"

    @property
    def entry(self) -> dict[str, JsonValue]:
        """Its entry in `cdktf.json`: where it is and what it is first, the rest as it came."""
        names = dict.fromkeys(("bootstrap", "profile", "account", "region", "var_files"))
        settings: dict[str, JsonValue] = {
            **self.settings,
            "bootstrap": self.bootstrap,
            "profile": self.profile,
        }
        if not self.shared:
            settings["var_files"] = [self.var_file]
        return {name: settings[name] for name in names | settings if name in settings}
