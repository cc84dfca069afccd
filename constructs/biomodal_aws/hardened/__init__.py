"""Constructs of the hardened profile, apart so that other stacks do not load their bindings."""

from biomodal_aws.hardened.alarms import Alarms
from biomodal_aws.hardened.batch_environments import BatchEnvironments
from biomodal_aws.hardened.bucket_protection import BucketProtection
from biomodal_aws.hardened.instance_role import InstanceRole
from biomodal_aws.hardened.retention import ImageRetention, TaskLogs

__all__ = [
    "Alarms",
    "BatchEnvironments",
    "BucketProtection",
    "ImageRetention",
    "InstanceRole",
    "TaskLogs",
]
