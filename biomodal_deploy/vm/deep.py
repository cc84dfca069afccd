"""The document's checks on the machine itself, over SSH (sections "Next Steps", "Troubleshooting").

One program goes there and says what it saw; what that means is judged here.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping

from pydantic import ValidationError

from biomodal_deploy.aws.checks import CheckData, failed, passed, unknown
from biomodal_deploy.aws.errors import one_line
from biomodal_deploy.engine.process import Captured, NotStarted, TooMuchOutput
from biomodal_deploy.vm.access import SshWay
from biomodal_deploy.vm.built import Built
from biomodal_deploy.vm.connecting import capture_by_ssh
from biomodal_deploy.vm.judging import Seen, judged
from biomodal_deploy.vm.sent import as_program
from biomodal_deploy.vm.ssh_failures import NotConnected
from biomodal_deploy.workflow.signals import Listener


def program(settings: Mapping[str, str]) -> str:
    """Return the shell line that looks at the VM; nothing in it is secret."""
    text = as_program("signed_calls.py", "on_machine.py")
    return shlex.join(["python3", "-I", "-c", text, json.dumps(dict(settings))])


def check_inside(
    built: Built, way: SshWay, environment: Mapping[str, str], on_event: Listener
) -> tuple[CheckData, ...]:
    """Look at the machine itself.

    Raises:
        UsageError: There is no ssh, or the key will not do.
        Interrupted: It was asked to stop.
    """
    line = program(
        {
            "user": way.user,
            "region": built.region,
            "bucket": built.bucket or "",
            "registry": built.outputs.get("docker_repo_url", ""),
        }
    )
    try:
        return _judged(capture_by_ssh(way, line, environment, on_event), way)
    except NotConnected as error:
        return (failed(*error.parts).named("ssh", "SSH"),)
    except (NotStarted, TooMuchOutput) as error:
        return (unknown(one_line(str(error))).named("ssh", "SSH"),)


def _judged(done: Captured, way: SshWay) -> tuple[CheckData, ...]:
    try:
        seen = Seen.model_validate_json(done.stdout)
    except ValidationError:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        said = one_line(lines[-1]) if lines else "it said nothing"
        answer = f"the VM did not answer as expected (status {done.returncode}: {said})"
        return (unknown(answer, "connect: biomodal-aws connect").named("ssh", "SSH"),)
    ssh = passed(f"{way.user}@{way.address} port {way.port}")
    return (ssh.named("ssh", "SSH"), *judged(seen, way.user))
