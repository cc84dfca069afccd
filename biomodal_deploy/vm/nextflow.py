"""What Nextflow has to know of a stack: `nextflow.config` and `nextflow.env`, and writing them.

The options are those of Nextflow's documentation ("Configuration options"), and no others. The
text is the same for the same stack: it can be kept in version control and compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from biomodal_deploy import files
from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import read_regular
from biomodal_deploy.vm.nextflow_facts import CACHE_FOLDER, NextflowFacts

# A task without an exit status (its host was taken away, or its container never started) has
# Java's largest integer; 143 is a container that was told to end, as a Spot host's are.
_LOST_HOST: Final = "[143, 2147483647]"
_SPOT_ATTEMPTS: Final = 5
_RETRIES: Final = 2


def config_text(facts: NextflowFacts) -> str:
    """Return the text of `nextflow.config` for a stack."""
    blocks = (_head(facts), _process(facts), _aws(facts))
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _head(facts: NextflowFacts) -> Iterator[str]:
    yield f"// Nextflow on the stack {comment(facts.stack)} in {comment(facts.region)}."
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
    yield "// No terminateUnschedulableJobs: while hosts start from nothing, Batch says of good"
    yield "// jobs that no host can run them, and Nextflow ends them (nextflow-io/nextflow#7479)."
    if facts.queue_cancels:
        yield "// The queue itself cancels what waits for too long (job_state_time_limit_action)."
    else:
        yield "// Nothing cancels a job that no host can ever run: it stays RUNNABLE until you do."


# Half of the machine for Java's heap: the rest is for Java outside its heap, Docker, the page
# cache and SSH. More than 16 GiB, Nextflow has no use for.
_LARGEST_MIB: Final = 16_384
_SMALLEST_MIB: Final = 256
_FIRST_MIB: Final = 512


def heap_mib(memory_mib: int) -> int:
    """Return the largest heap for Nextflow, in MiB."""
    return max(_SMALLEST_MIB, min(memory_mib // 2, _LARGEST_MIB))


def environment_text(facts: NextflowFacts) -> str:
    """Return the text of the environment file for a stack."""
    return "\n".join(_lines(facts)) + "\n"


def _lines(facts: NextflowFacts) -> Iterator[str]:
    yield f"# Nextflow's environment on the VM of {comment(facts.stack)}."
    yield "# Written by: biomodal-aws nextflow-config"
    yield "# Use it with: . ./nextflow.env"
    yield f"export AWS_REGION={shell(facts.region)}"
    yield f"export NXF_WORK={shell(facts.work_dir)}"
    if facts.memory_mib and facts.instance_type:
        heap = heap_mib(facts.memory_mib)
        first = min(_FIRST_MIB, heap)
        yield f"# Half of the {facts.memory_mib} MiB of a {comment(facts.instance_type)}."
        yield f"export NXF_OPTS={shell(f'-Xms{first}m -Xmx{heap}m')}"
    else:
        yield "# EC2 did not say how much memory the VM has; half of it is a good limit:"
        yield "# export NXF_OPTS='-Xms512m -Xmx4096m'"
    yield "# Nextflow keeps the cache for -resume in .nextflow, on the VM's disk. To resume"
    yield "# after the VM was replaced, keep it in the bucket, apart from work files that expire:"
    cache = shell(f"s3://{facts.bucket}/{CACHE_FOLDER}")
    yield comment(f"# export NXF_CLOUDCACHE_PATH={cache}")


_ESCAPES: Final = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def groovy(text: str) -> str:
    r"""Return a Groovy string of single quotes, in which `$` and `"` are plain.

    Source: Groovy documentation, "Single-quoted string": `\\`, `\'`, `\n` and `\uXXXX` are its
    escapes.
    """
    return "'" + "".join(_escaped(mark) for mark in text) + "'"


def comment(text: str) -> str:
    r"""Return a text for one comment line.

    Groovy reads `\uXXXX` before anything else, in comments too, so a backslash could end the line.
    """
    return "".join(mark if mark.isprintable() and mark != "\\" else "?" for mark in text)


def shell(text: str) -> str:
    """Return a POSIX shell word of single quotes, always quoted: it reads alike on every line."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


def _escaped(mark: str) -> str:
    if mark in _ESCAPES:
        return _ESCAPES[mark]
    if mark.isprintable():
        return mark
    units = mark.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


CONFIG_NAME: Final = "nextflow.config"
ENVIRONMENT_NAME: Final = "nextflow.env"


@dataclass(frozen=True)
class Written:
    """What lies there now.

    Attributes:
        changed: Those that were written; the others had this text already.
    """

    paths: tuple[Path, ...]
    changed: tuple[Path, ...]


def write_files(folder: Path, texts: Mapping[str, str], *, force: bool) -> Written:
    """Write files into a folder, which is made where it is missing.

    Args:
        force: Whether to write over files that say something else.

    Raises:
        UsageError: A file says something else, or the system refuses to write.
    """
    paths = {folder / name: text.encode() for name, text in texts.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        changed = [path for path, text in paths.items() if not _says(path, text)]
        # All are looked at before the first is written.
        for path in changed:
            if path.exists() and not force:
                raise UsageError(
                    "the file exists with other content",
                    field=str(path),
                    fix="overwrite it with --force, or name another folder with --out",
                )
        for path in changed:
            files.write(path, paths[path], mode=files.public_mode())
    except OSError as error:
        raise UsageError(
            f"cannot be written ({error.strerror or error})",
            field=str(error.filename or folder),
            fix="name another folder with --out",
        ) from None
    return Written(tuple(paths), tuple(changed))


def _says(path: Path, text: bytes) -> bool:
    try:
        return read_regular(path) == text
    except FileNotFoundError:
        return False
