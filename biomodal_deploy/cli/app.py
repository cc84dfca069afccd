"""The commands, in the order in which a person meets them."""

from __future__ import annotations

from typing import Final

import typer

from biomodal_deploy.cli.commands.apply import apply
from biomodal_deploy.cli.commands.backend import backend
from biomodal_deploy.cli.commands.cache import cache
from biomodal_deploy.cli.commands.connect import connect
from biomodal_deploy.cli.commands.demo import demo
from biomodal_deploy.cli.commands.destroy import destroy
from biomodal_deploy.cli.commands.diagnose import diagnose
from biomodal_deploy.cli.commands.doctor import doctor
from biomodal_deploy.cli.commands.drift import drift
from biomodal_deploy.cli.commands.explain import explain
from biomodal_deploy.cli.commands.history import history
from biomodal_deploy.cli.commands.init import init
from biomodal_deploy.cli.commands.keygen import keygen
from biomodal_deploy.cli.commands.lock import lock
from biomodal_deploy.cli.commands.nextflow_config import nextflow_config
from biomodal_deploy.cli.commands.output import output
from biomodal_deploy.cli.commands.plan import plan
from biomodal_deploy.cli.commands.policy import policy
from biomodal_deploy.cli.commands.prerequisites import prerequisites
from biomodal_deploy.cli.commands.report import report
from biomodal_deploy.cli.commands.sandbox import sandbox
from biomodal_deploy.cli.commands.show import show
from biomodal_deploy.cli.commands.ssh_config import ssh_config
from biomodal_deploy.cli.commands.status import status
from biomodal_deploy.cli.commands.synth import synth
from biomodal_deploy.cli.commands.validate import validate

COMMANDS: Final = (
    demo,
    init,
    doctor,
    explain,
    prerequisites,
    keygen,
    synth,
    lock,
    validate,
    plan,
    show,
    report,
    apply,
    output,
    status,
    connect,
    ssh_config,
    nextflow_config,
    drift,
    destroy,
    diagnose,
    history,
)

app = typer.Typer(
    name="biomodal-aws",
    help="Stand up the documented AWS environment, and prove beforehand what will happen.",
    epilog="Exit status: 0 done or no changes, 1 Terraform failed, 2 something to look at, "
    "3 a guard refused, 4 a sealed plan does not hold, 64 bad usage or settings, 130 interrupted.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for command in COMMANDS:
    app.command()(command)

app.add_typer(backend, name="backend")
app.add_typer(policy, name="policy")
app.add_typer(sandbox, name="sandbox")
app.add_typer(cache, name="cache")
