"""`nextflow.config`: options of Nextflow's documentation ("Configuration options"), and no others.

The text is the same for the same deployment: it can be kept in version control and compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from biomodal_deploy.vm.nextflow.facts import NextflowFacts
from biomodal_deploy.vm.nextflow.quoting import comment, groovy

# A task without an exit status (its host was taken away, or its container never started) has
# Java's largest integer; 143 is a container that was told to end, as a Spot host's are.
_LOST_HOST: Final = "[143, 2147483647]"
_SPOT_ATTEMPTS: Final = 5
_RETRIES: Final = 2


def config_text(facts: NextflowFacts) -> str:
    """Return the text of `nextflow.config` for a deployment."""
    blocks = (_head(facts), _process(facts), _aws(facts))
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _head(facts: NextflowFacts) -> Iterator[str]:
    yield f"// Nextflow on the deployment {comment(facts.stack)} in {comment(facts.region)}."
    yield "// Written by: biomodal-aws nextflow-config"
    yield "// Nextflow takes it up in the folder that a run starts in, or with -c FILE."
    if facts.registry:
        yield f"// Images of your own: {comment(facts.registry)}/REPOSITORY:TAG"
    yield ""
    yield "// A folder, because Nextflow takes no bucket's root."
    yield f"workDir = {groovy(facts.work_dir)}"


def _process(facts: NextflowFacts) -> Iterator[str]:
    yield "process {"
    yield "    executor = 'awsbatch'"
    if facts.on_demand_queue:
        yield "    // Spot first; a task that is tried again goes to On-Demand hosts, which are not"
        yield "    // reclaimed and cost about three times as much."
        yield (
            f"    queue = {{ task.attempt > 1 ? {groovy(facts.on_demand_queue)} : "
            f"{groovy(facts.queue)} }}"
        )
    else:
        if facts.queue_is_spot:
            yield "    // Spot hosts only: there is no queue to fall back to. A long task may be"
            yield "    // reclaimed again and again. The hardened profile has both kinds."
        yield f"    queue = {groovy(facts.queue)}"
    yield "    // Tried again: tasks that lost their host. One that fails by itself ends the run,"
    yield "    // unless the pipeline says otherwise for its process."
    yield f"    errorStrategy = {{ task.exitStatus in {_LOST_HOST} ? 'retry' : 'terminate' }}"
    yield f"    maxRetries = {_RETRIES}"
    yield "}"


def _aws(facts: NextflowFacts) -> Iterator[str]:
    yield "aws {"
    yield f"    region = {groovy(facts.region)}"
    yield "    batch {"
    for line in _batch(facts):
        yield f"        {line}"
    yield "    }"
    yield "}"


def _batch(facts: NextflowFacts) -> Iterator[str]:
    if facts.cli_path:
        yield "// The hosts have it, so images need no AWS command line."
        yield f"cliPath = {groovy(facts.cli_path)}"
    else:
        yield "// No cliPath: the hosts have no AWS command line, so each task's image needs one"
        yield "// (or Wave and Fusion in its place)."
    if facts.job_role:
        yield f"jobRole = {groovy(facts.job_role)}"
    elif facts.shared_hosts_role:
        yield "// No jobRole: tasks use the hosts' role, ecsInstanceRole. As documented, it may not"
        yield "// use S3 at all, and every task then fails with 403 (AccessDenied):"
        yield "// `biomodal-aws doctor` prints the command that adds the bucket to it."
    else:
        yield "// No jobRole: tasks use the hosts' role, which may read and write the bucket."
    if facts.on_demand_queue or not facts.queue_is_spot:
        yield "// Nextflow itself tries again, see above; Batch would use the same queue."
        yield "maxSpotAttempts = 0"
    else:
        yield "// Batch starts a reclaimed task again on another Spot host. 0 is Nextflow's default"
        yield "// since 24.10, with which one reclaim fails the task."
        yield f"maxSpotAttempts = {_SPOT_ATTEMPTS}"
    if facts.logs_group:
        yield f"logsGroup = {groovy(facts.logs_group)}"
    yield "// A job that no host can ever run fails at once, instead of waiting for ever (Nextflow"
    yield "// 25.04 or newer; older ones pass it over)."
    yield "terminateUnschedulableJobs = true"
