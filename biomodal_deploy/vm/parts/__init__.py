"""Every part of a deployment that `status` looks at, in the order in which they depend."""

from __future__ import annotations

from functools import partial

from biomodal_deploy.aws.answer import Part
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.vm.built import Built
from biomodal_deploy.vm.parts import batch, roles, storage, vm


def all_parts(built: Built, clients: Clients) -> tuple[Part, ...]:
    """Return what there is to look at.

    Args:
        built: The deployment as it was applied.
        clients: How to ask AWS.
    """
    several = len(built.environments) > 1
    return (
        Part("vm", "VM", partial(vm.machine, built, clients)),
        Part("vm-status", "VM status checks", partial(vm.status_checks, built, clients)),
        Part("install-script", "Install script", partial(vm.install_script, built, clients)),
        *(
            Part(
                f"compute-environment-{number}" if several else "compute-environment",
                "Compute environment",
                partial(batch.compute_environment, each, clients),
            )
            for number, each in enumerate(built.environments, 1)
        ),
        *_missing("compute-environment", "Compute environment", len(built.environments)),
        *(
            Part(
                f"job-queue-{number}" if len(built.queues) > 1 else "job-queue",
                "Job queue",
                partial(batch.job_queue, each, clients),
            )
            for number, each in enumerate(built.queues, 1)
        ),
        *_missing("job-queue", "Job queue", len(built.queues)),
        Part("bucket", "Bucket", partial(storage.bucket, built, clients)),
        Part("repository", "ECR repository", partial(storage.repository, built, clients)),
        Part("vm-role", "VM role", partial(roles.vm_role, built, clients)),
        Part("hosts-role", "Batch hosts' role", partial(roles.hosts_role, built, clients)),
    )


def _missing(name: str, title: str, found: int) -> tuple[Part, ...]:
    return () if found else (Part(name, title, partial(batch.missing, title)),)
