"""A command of its own that calls the engine, for tests that signal, hang up and kill it.

`python -m tests.support.engine_driver DIRECTORY VERB` writes DIRECTORY/ready just before the
call, prints every event, and writes DIRECTORY/result.json after it. DRIVER_BINARY is the program.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from biomodal_deploy.engine.terraform import TerraformCli, TerraformFailed, TerraformStopped
from biomodal_deploy.engine.terraform.events import Event
from biomodal_deploy.engine.toolchain import Terraform
from biomodal_deploy.errors import BiomodalError


def main(directory: Path, verb: str) -> None:
    """Run one verb and write what came of it."""
    binary = Terraform(tuple(json.loads(os.environ["DRIVER_BINARY"])), "1.11.4", "setting", "test")
    cli = TerraformCli(binary, directory, environment=os.environ)
    log, plan = directory / "run.log", directory / "p.tfplan"

    def on_event(event: Event) -> None:
        print(event, flush=True)

    (directory / "ready").touch()
    result: dict[str, object] = {"outcome": "done"}
    try:
        match verb:
            case "init":
                cli.init(on_event, log)
            case "plan":
                cli.plan(plan, on_event, log)
            case "apply":
                result["interrupted"] = cli.apply(plan, on_event, log).interrupted
            case "show":
                cli.show_plan(plan)
    except BiomodalError as error:
        result = {"outcome": type(error).__name__, "message": str(error), "code": error.code}
        if isinstance(error, TerraformStopped):
            result["steps"] = list(error.steps)
        if isinstance(error, TerraformStopped | TerraformFailed):
            result["lock"] = error.lock.id if error.lock else None
    (directory / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
