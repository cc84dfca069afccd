"""Constructs for the AWS environment that runs biomodal pipelines.

Each takes `scope, id_` and keyword arguments and offers its results as attributes. Ids become
Terraform addresses (`OrchestratorVm(self, "vm")` is `aws_instance.vm`), so keep an id once it is
deployed.
"""

from biomodal_aws._bindings import install as _install_bindings

# Before the first import of an AWS binding, here or in the caller's own code: as shipped, that
# import costs 40 s and 1.5 GB.
_install_bindings()

from biomodal_aws.batch_environment import BatchEnvironment  # noqa: E402
from biomodal_aws.batch_job_queue import BatchJobQueue  # noqa: E402
from biomodal_aws.data_bucket import DataBucket  # noqa: E402
from biomodal_aws.elastic_ip import ElasticIp  # noqa: E402
from biomodal_aws.iam.vm_role import VmRole  # noqa: E402
from biomodal_aws.image_repository import ImageRepository  # noqa: E402
from biomodal_aws.key_pair import KeyPair  # noqa: E402
from biomodal_aws.orchestrator_vm import OrchestratorVm  # noqa: E402
from biomodal_aws.part import Part  # noqa: E402
from biomodal_aws.security_groups import BatchSecurityGroup, SshSecurityGroup  # noqa: E402

__all__ = [
    "BatchEnvironment",
    "BatchJobQueue",
    "BatchSecurityGroup",
    "DataBucket",
    "ElasticIp",
    "ImageRepository",
    "KeyPair",
    "OrchestratorVm",
    "Part",
    "SshSecurityGroup",
    "VmRole",
]
