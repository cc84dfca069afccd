"""`cdktf.json` as typed, frozen settings: read once, at the edge, by both programs.

The app takes from a deployment what to synthesize; the workflow takes what to guard. One model
holds both, so that a misspelt key is found whichever program runs first.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from biomodal_deploy import backends, state_bucket
from biomodal_deploy.backends import KINDS, AssumeRole, Backend, LocalBackend, S3Backend
from biomodal_deploy.credentials import refuse_credentials
from biomodal_deploy.errors import UsageError
from biomodal_deploy.faults import Location, usage_error
from biomodal_deploy.state_bucket import StateBucket

PROJECT_FILE: Final = "cdktf.json"
CONTEXT_VARIABLE: Final = "CDKTF_CONTEXT_JSON"
OUTDIR_VARIABLE: Final = "CDKTF_OUTDIR"

_Model = TypeVar("_Model", bound=BaseModel)

_NAME: Final = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
_ACCOUNT: Final = r"^[0-9]{12}$"
_REGION: Final = r"^[a-z]{2}(-[a-z]+)+-[0-9]+$"
# No absolute path and no ~: the file is shared by people whose folders differ.
_VAR_FILE: Final = r"^[^/~\x00\n]"
_PATTERNS: Final = {
    _NAME: "A deployment's name has lower-case letters, digits and single hyphens between them, "
    "and starts with a letter",
    _ACCOUNT: "An AWS account id has 12 digits",
    **backends.PATTERNS,
    **state_bucket.PATTERNS,
    _REGION: "An AWS region is written like eu-west-2",
    _VAR_FILE: "A variable file's path starts from the project's folder",
}

# A deployment's name is a directory, part of an address on screen, and a state file's name.
DeploymentName = Annotated[str, StringConstraints(pattern=_NAME, max_length=63)]

PROTECTED_KINDS: Final = (
    "aws_s3_bucket",
    "aws_ecr_repository",
    "aws_eip",
    "aws_key_pair",
    "aws_iam_role",
    "aws_instance",
)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Limits(_Frozen):
    """What a plan of this deployment must stay within.

    Attributes:
        account_ids: AWS accounts it may touch; empty for any.
        regions: AWS regions it may touch; empty for any.
        max_deletes: The most resources one plan may delete, a destroy plan excepted.
    """

    account_ids: tuple[Annotated[str, StringConstraints(pattern=_ACCOUNT)], ...] = ()
    regions: tuple[str, ...] = ()
    max_deletes: Annotated[int, Field(ge=0)] | None = None


class Deployment(_Frozen):
    """One stack with its settings and state.

    Attributes:
        bootstrap: `module` calls the documented upstream module; `native` builds the same
            environment from this project's constructs; `prerequisites` makes the account's roles
            that either needs; `state-bucket` makes a bucket for the states of others.
        profile: `documented` keeps to the document; `hardened` changes what `biomodal-aws explain`
            lists.
        var_files: Files of variables, relative to the project, after its automatic ones and before
            `--var-file`; later files win.
        account: The AWS account it is in; the same as limits on that one account.
        region: The AWS region it is in: the variable `region` where nothing else gives one, and
            the same as limits on that one region.
        open_ssh_waiver: Why the hardened profile may open port 22 to everyone. Without a reason
            it cannot.
        protected: Resource types whose delete, replacement or removal from state needs
            `--allow-destroy`.
        limits: Account, region and number of deletes.
        plan_hours: How many hours a sealed plan may be applied.
        backend: Where the state lives.
        state_bucket: What a `state-bucket` deployment makes.
    """

    bootstrap: Literal["module", "native", "prerequisites", "state-bucket"] = "module"
    profile: Literal["documented", "hardened"] = "documented"
    var_files: tuple[Annotated[str, StringConstraints(pattern=_VAR_FILE)], ...] = ()
    account: Annotated[str, StringConstraints(pattern=_ACCOUNT)] | None = None
    region: Annotated[str, StringConstraints(pattern=_REGION)] | None = None
    open_ssh_waiver: Annotated[str, StringConstraints(min_length=10)] | None = None
    protected: tuple[str, ...] = PROTECTED_KINDS
    limits: Limits = Limits()
    plan_hours: Annotated[float, Field(gt=0, le=24 * 30)] = 24
    backend: Backend = LocalBackend()
    state_bucket: StateBucket | None = None

    @model_validator(mode="after")
    def _is_what_it_says(self) -> Self:
        if self.bootstrap == "prerequisites" and self.profile == "hardened":
            raise PydanticCustomError(
                "profile", "The prerequisites have no hardened profile: they are roles only"
            )
        self._check_state_bucket()
        if self.open_ssh_waiver and self.profile != "hardened":
            raise PydanticCustomError(
                "profile", "open_ssh_waiver lifts a rule of the hardened profile only"
            )
        for name, place, allowed in (
            ("account", self.account, self.limits.account_ids),
            ("region", self.region, self.limits.regions),
        ):
            if place and allowed and place not in allowed:
                raise PydanticCustomError(
                    "limits", "limits does not have the deployment's own {name}", {"name": name}
                )
        return self

    def _check_state_bucket(self) -> None:
        made = self.state_bucket
        if (self.bootstrap == "state-bucket") != (made is not None):
            raise PydanticCustomError(
                "state_bucket", "A state-bucket deployment, and no other, has a state_bucket"
            )
        if made is None:
            return
        if self.region is None or self.profile == "hardened":
            raise PydanticCustomError(
                "state_bucket", "A state-bucket deployment has a region, and no hardened profile"
            )
        if isinstance(self.backend, S3Backend) and self.backend.bucket == made.bucket:
            raise PydanticCustomError(
                "state_bucket", "Its own state cannot be in the bucket that it makes"
            )

    @property
    def bounds(self) -> Limits:
        """The limits that hold: a deployment that says where it is may be nowhere else."""
        return Limits(
            account_ids=(self.account,) if self.account else self.limits.account_ids,
            regions=(self.region,) if self.region else self.limits.regions,
            max_deletes=self.limits.max_deletes,
        )


class _Context(BaseModel):
    """The part of cdktf's context that is ours; cdktf keeps feature flags beside it."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    deployments: dict[DeploymentName, Deployment] = Field(min_length=1)


class ProjectFile(BaseModel):
    """`cdktf.json`, as far as we read it.

    Attributes:
        app: The command that synthesizes.
        output: The folder it writes to, relative to the project.
        context: cdktf's context.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    app: str = Field(min_length=1)
    output: str = "cdktf.out"
    context: dict[str, JsonValue] = Field(default_factory=dict)


def read_project_file(project_dir: Path) -> ProjectFile:
    """Read `cdktf.json`.

    Raises:
        UsageError: It is missing, unreadable, no JSON, or has a wrong value.
    """
    path = project_dir / PROJECT_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError(
            "There is no such file", field=str(path), fix="name the project with --project-dir"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"It cannot be read ({error})", field=str(path), fix="make it a readable UTF-8 file"
        ) from None
    return _validated(ProjectFile, _object(text, str(path)), prefix="", source=PROJECT_FILE)


def read_deployments(
    project_file: ProjectFile, environment: Mapping[str, str] = os.environ
) -> dict[str, Deployment]:
    """Return every deployment by name, `CDKTF_CONTEXT_JSON` taking precedence as in cdktf.

    Raises:
        UsageError: A setting is unknown, misspelt or wrong.
    """
    context = dict(project_file.context)
    source = PROJECT_FILE
    if override := environment.get(CONTEXT_VARIABLE):
        context |= _object(override, CONTEXT_VARIABLE)
        source = f"{PROJECT_FILE} or {CONTEXT_VARIABLE}"
    _refuse_credentials(context.get("deployments"), source)
    found = _validated(_Context, context, prefix="context.", source=source).deployments
    backends.refuse_shared(((name, each.backend) for name, each in found.items()), source)
    return found


def optional_deployments(
    project_file: ProjectFile, environment: Mapping[str, str] = os.environ
) -> dict[str, Deployment]:
    """Return every deployment by name; none for an app that keeps its settings elsewhere.

    Raises:
        UsageError: A setting is unknown, misspelt or wrong.
    """
    if "deployments" in project_file.context or environment.get(CONTEXT_VARIABLE):
        return read_deployments(project_file, environment)
    return {}


def check_deployment(name: str, value: dict[str, JsonValue], source: str) -> Deployment:
    """Return one deployment's settings, which stand in no file yet.

    Raises:
        UsageError: The name, or a setting, is wrong.
    """
    deployments: dict[str, JsonValue] = {name: value}
    _refuse_credentials(deployments, source)
    context: dict[str, JsonValue] = {"deployments": deployments}
    return _validated(_Context, context, prefix="context.", source=source).deployments[name]


def output_directory(
    project_dir: Path, project_file: ProjectFile, environment: Mapping[str, str] = os.environ
) -> Path:
    """Return the folder that synthesis writes to: `CDKTF_OUTDIR`, else the project's setting."""
    return project_dir / (environment.get(OUTDIR_VARIABLE) or project_file.output)


def _object(text: str, where: str) -> dict[str, JsonValue]:
    try:
        value = json.loads(text, object_pairs_hook=_each_once)
    # ValueError: malformed JSON, but also a number with more digits than Python reads.
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"It is not valid JSON ({error})",
            field=where,
            fix="look there for a missing comma, quote or brace",
        ) from None
    if not isinstance(value, dict):
        raise UsageError(
            "It is not a JSON object", field=where, value=value, fix="put it between { and }"
        )
    return value


def _each_once(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    # JSON lets the last one win: a deployment copied and not renamed would be gone without a word.
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f'"{name}" is there twice')
    return dict(pairs)


def _refuse_credentials(deployments: JsonValue, source: str) -> None:
    # Before pydantic: what it refuses it quotes.
    for name, each in deployments.items() if isinstance(deployments, dict) else ():
        if isinstance(each, dict):
            field = f"{source}: context.deployments.{name}.backend"
            refuse_credentials(each.get("backend"), field)


def _validated(
    model: type[_Model], value: dict[str, JsonValue], *, prefix: str, source: str
) -> _Model:
    try:
        # JSON mode: a JSON array is a tuple, and yet "true" is no boolean.
        return model.model_validate_json(json.dumps(value))
    except ValidationError as error:
        raise usage_error(
            error,
            prefix=f"{source}: {prefix}",
            source=source,
            keys_at=_settings_at,
            patterns=_PATTERNS,
            shown=_in_the_file,
        ) from None


def _settings_at(location: Location) -> Iterable[str]:
    # deployments.NAME.limits; the name may itself be "limits".
    match location[2:]:
        case ("limits",):
            return Limits.model_fields
        case ("state_bucket",):
            return StateBucket.model_fields
        case ("backend", kind, *inner):
            return AssumeRole.model_fields if inner else KINDS[kind].model_fields
        case _:
            return Deployment.model_fields


def _in_the_file(location: Location) -> Location:
    # deployments.NAME.backend.s3.bucket stands there without the s3.
    return (*location[:3], *location[4:]) if location[2:3] == ("backend",) else location
