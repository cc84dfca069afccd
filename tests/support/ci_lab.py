"""A team for the CI templates: its repository, its account in the sandbox, its forge."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from biomodal_deploy.engine.toolchain import find_provider_source
from biomodal_deploy.engine.toolchain.mirror_search import platform_name
from biomodal_deploy.sandbox import Sandbox
from tests.support.ci_jobs import GitHubJob, GitLabJob, Machine, clone_at, read_template
from tests.support.forge_server import TOKEN, Forge, forge
from tests.support.git import git
from tests.support.project import ROOT, write_stacks
from tests.support.signers import make_key, signers_line

STACK: Final = "biomodal-aws"
BUCKET: Final = "lab-terraform-state"
# The provider waits a minute for a new bucket's lifecycle rule; with one that exists there is none.
DATA: Final = "lab-data"
PASSPHRASE: Final = "correct horse"
PLANS: Final = {"remote": "s3://lab-plans/sealed"}
# A second stack, small: GitLab's way is the same scripts.
ROLES: Final = "roles"


@dataclass
class Lab:
    """A team: its repository, its account, its forge."""

    origin: Path  # the repository
    folder: Path  # for machines and artifacts
    sandbox: Sandbox
    forge: Forge
    roles: dict[str, dict[str, str]]  # the credentials of who plans and who applies

    def machine(self, name: str, role: str = "plan", clone: Path | None = None) -> Machine:
        """Return a fresh machine, its clone in a place of its own."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return Machine(folder, clone or folder / "work" / name, self.roles[role])

    def github(self, template: str, job: str, machine: Machine, **context: str) -> GitHubJob:
        """Return a job of GitHub's on a machine."""
        sha = context.pop("sha", "") or self.head()
        environment = {
            "vars.AWS_ROLE": "arn:aws:iam::123456789012:role/lab",
            "vars.AWS_REGION": self.sandbox.region,
            "vars.PLAN_STORE": "",
            "secrets.PLAN_PASSPHRASE": PASSPHRASE,
            "github.token": TOKEN,
            "github.sha": sha,
            "github.repository": "lab/biomodal",
            "github.ref_name": "main",
            "github.event.repository.default_branch": "main",
            "matrix.stack": STACK,
            "inputs.allow_destroy": "",
        }
        machine.variables |= {**self.forge.github(), "GITHUB_RUN_ID": "77", "GITHUB_SHA": sha}
        return GitHubJob(
            workflow=read_template(f"github/{template}.yml"),
            name=job,
            machine=machine,
            origin=self.origin,
            artifacts=self.folder / "artifacts",
            context={**environment, **context},
        )

    def gitlab(self, job: str, machine: Machine, **variables: str) -> GitLabJob:
        """Return a job of GitLab's on a machine that has a clone."""
        machine.variables |= {
            **self.forge.gitlab(),
            "AWS_ROLE": "arn:aws:iam::123456789012:role/lab",
            "AWS_ID_TOKEN": "a.b.c",
            "CI_JOB_ID": "1",
            **variables,
        }
        clone_at(self.origin, machine.clone, self.head())
        pipeline = read_template("gitlab/.gitlab-ci.yml")
        # As the template says: for each stack two jobs.
        for each in ("plan", "apply"):
            pipeline[each] = {"extends": f".{each}", "variables": {"STACK": ROLES}}
        return GitLabJob(pipeline, job, machine)

    def head(self) -> str:
        """Return the commit of the protected branch."""
        return git(self.origin, "rev-parse", "main")

    def commit(self, message: str) -> str:
        """Commit what is in the repository's working copy, and tell the forge."""
        git(self.origin, "add", "--all")
        git(self.origin, "commit", "--quiet", "--message", message)
        commit = git(self.origin, "rev-parse", "HEAD")
        self.forge.trees[commit] = git(self.origin, "rev-parse", "HEAD^{tree}")
        return commit


@contextmanager
def team(folder: Path) -> Iterator[Lab]:
    """A team whose repository is this project's HEAD and their settings, as docs/ci.md has it."""
    origin = folder / "origin"
    git(folder, "clone", "--quiet", str(ROOT), str(origin))
    git(origin, "checkout", "--quiet", "-B", "main")
    with Sandbox.start(folder) as sandbox, forge() as api:
        for bucket in (BUCKET, DATA, "lab-plans"):
            sandbox.client("s3").create_bucket(Bucket=bucket)
        lab = Lab(origin, folder, sandbox, api, _principals(sandbox))
        values = {
            STACK: ("native", f'{sandbox.tfvars_text()}use_existing_bucket_url = "s3://{DATA}"\n'),
            ROLES: ("prerequisites", "spot_service_role = true\n"),
        }
        write_stacks(
            origin,
            {
                name: {
                    "bootstrap": bootstrap,
                    "account": sandbox.account_id,
                    "region": sandbox.region,
                    "var_files": [f"environments/{name}.tfvars"],
                    "backend": {"kind": "s3", "bucket": BUCKET, "region": sandbox.region},
                    "approvals": {"required": 1},
                    # GitHub's plans are artifacts, GitLab's go through a bucket.
                    **({"plan_store": PLANS} if name == ROLES else {}),
                }
                for name, (bootstrap, _) in values.items()
            },
        )
        signer = signers_line("bob@lab", make_key(folder, "bob"))
        (origin / "allowed_signers").write_text(signer)
        (origin / "environments").mkdir(exist_ok=True)
        for name, (_, text) in values.items():
            (origin / "environments" / f"{name}.tfvars").write_text(text)
        (origin / ".github" / "workflows").mkdir(parents=True)
        for template in (origin / "ci" / "github").iterdir():
            shutil.copy(template, origin / ".github" / "workflows")
        shutil.copy(origin / "ci" / "gitlab" / ".gitlab-ci.yml", origin)
        _lock_providers(lab)
        _grant(lab)
        lab.commit("Set up CI")
        yield lab


def _principals(sandbox: Sandbox) -> dict[str, dict[str, str]]:
    """Make who plans and who applies, and return an environment with the credentials of each.

    Users, since the sandbox holds users to their policies, and not roles. It does not know what
    service-linked roles take: for those there is the account's owner.
    """
    iam, found = sandbox.client("iam"), {"owner": sandbox.environment({})}
    for name in ("plan", "apply"):
        iam.create_user(UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        found[name] = {
            **sandbox.environment({}),
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }
    return found


def _grant(lab: Lab) -> None:
    """Give each the policies that docs/ci.md says, and nothing else; the state is in them."""
    iam = lab.sandbox.client("iam")
    state = f"arn:aws:s3:::{BUCKET}/{ROLES}/terraform.tfstate"
    # `drift --all` reads the state of the other stack too.
    others = {"Effect": "Allow", "Action": "s3:*Object", "Resource": [state, f"{state}.tflock"]}
    for name, phase in (("plan", "plan"), ("apply", "all")):
        words = f"biomodal-aws policy deployer --stack {STACK} --phase {phase}"
        printed = json.loads(on_laptop(lab, f"{words} 2>/dev/null"))
        # Several by name where one is too long for IAM.
        documents = [printed] if "Version" in printed else list(printed.values())
        documents.append({"Version": "2012-10-17", "Statement": [others]})
        for number, document in enumerate(documents):
            iam.put_user_policy(
                UserName=name, PolicyName=f"p{number}", PolicyDocument=json.dumps(document)
            )


def _lock_providers(lab: Lab) -> None:
    """Write locks/, as everybody does before the first commit."""
    try:
        on_laptop(lab, f"biomodal-aws lock --platform {platform_name()}")
    except AssertionError:
        source = find_provider_source(wanted={"hashicorp/aws": "~> 5.100"})
        if source.kind == "registry":
            pytest.skip(f"no AWS provider here: {source.reason}, and no registry answers")
        raise


def approval(lab: Lab, desk: Machine, stack: str, **more: str) -> str:
    """Have somebody sign at a workstation what a job planned; return the approval."""
    mine = {"STACK": stack, "KEY": str(lab.folder / "bob"), **more}
    ran = desk.shell("ci/approve.sh", {**desk.environment(), **mine})
    assert ran.status == 0, ran.log
    assert list(desk.clone.rglob("*.tfplan")) == []
    return ran.log.strip().rpartition("\n")[2]


def on_laptop(lab: Lab, script: str) -> str:
    """Run a script in the repository as the account's owner, and return what it printed."""
    machine = Machine(lab.folder / "laptop", lab.origin, lab.sandbox.environment({}))
    ran = machine.shell(script, {**machine.environment(), **machine.credentials})
    shutil.rmtree(machine.folder)
    assert ran.status == 0, ran.log
    return ran.log
