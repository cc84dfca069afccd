"""`nextflow.env`: what Nextflow takes from its environment, to be sourced by a shell on the VM."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from biomodal_deploy.vm.nextflow.facts import CACHE_FOLDER, NextflowFacts
from biomodal_deploy.vm.nextflow.quoting import comment, shell

# Half of the machine for Java's heap: the rest is for Java outside its heap, Docker, the page
# cache and SSH. More than 16 GiB, Nextflow has no use for.
_LARGEST_MIB: Final = 16_384
_SMALLEST_MIB: Final = 256
_FIRST_MIB: Final = 512


def heap_mib(memory_mib: int) -> int:
    """Return the largest heap for Nextflow, in MiB.

    Args:
        memory_mib: The machine's memory in MiB.
    """
    return max(_SMALLEST_MIB, min(memory_mib // 2, _LARGEST_MIB))


def environment_text(facts: NextflowFacts) -> str:
    """Return the text of the environment file for a deployment."""
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
