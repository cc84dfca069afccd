"""What the Batch hosts are, may do, and cost."""

from __future__ import annotations

from typing import Final

from biomodal_deploy.review.hardening.difference import Difference

_OF_THE_MODULE: Final = "the module's Batch stays as it is: its inputs have nothing for it"
_ENVIRONMENTS: Final = (
    "aws_batch_compute_environment.batch",
    "aws_batch_compute_environment.batch_on_demand",
)

BATCH: Final = (
    Difference(
        id="batch-role",
        area="Batch",
        title="Hosts with a role of their own",
        documented="Hosts use the account's shared ecsInstanceRole, which cannot read the bucket.",
        hardened="A role of this deployment: AmazonEC2ContainerServiceforEC2Role, this bucket, "
        "this repository.",
        risk="Every task that stages files gets 403; and once somebody has added S3 to the shared "
        "role, every Batch job of the account can read your data.",
        reason="Nothing has to be made in the account beforehand. The managed policy lets hosts "
        "pull from any repository; AWS offers none that is narrower.",
        back='"profile": "documented"',
        module="the shared ecsInstanceRole stays: give it the bucket yourself",
        addresses=(
            "aws_iam_role.batch_host_role",
            "aws_iam_role_policy.batch_host_role",
            "aws_iam_role_policy_attachment.batch_host_role_ecs",
            "aws_iam_instance_profile.batch_host_role",
            "data.aws_iam_policy_document.batch_host_role",
            "data.aws_iam_policy_document.batch_host_role_trust",
            *_ENVIRONMENTS,
        ),
    ),
    Difference(
        id="batch-inbound",
        area="Batch",
        title="Hosts listen to nobody",
        documented="All ports are open to the subnet and to the VM.",
        hardened="No inbound rule.",
        risk="Whatever else is in the subnet reaches every port of every host.",
        reason="Hosts call Batch, ECS, ECR and S3; nothing calls them.",
        back='"profile": "documented"',
        module=_OF_THE_MODULE,
        addresses=(
            "aws_vpc_security_group_ingress_rule.batch_hosts_from_subnet",
            "aws_vpc_security_group_ingress_rule.batch_hosts_from_vm",
        ),
    ),
    Difference(
        id="batch-image",
        area="Batch",
        title="Amazon Linux 2023, said so",
        documented="Whatever Batch takes by default.",
        hardened="image_type ECS_AL2023.",
        risk="Batch refuses new environments on Amazon Linux 2, and a default can move again.",
        reason="The hosts' user data is written for it.",
        back='"profile": "documented"',
        module=_OF_THE_MODULE,
        addresses=_ENVIRONMENTS,
    ),
    Difference(
        id="batch-volume",
        area="Batch",
        title="Encrypted gp3 volumes, tagged hosts",
        documented="500 GB gp2, not encrypted, without tags.",
        hardened="batch_volume_gib (500) of encrypted gp3; hosts, volumes and network interfaces "
        "carry the tag.",
        risk="Sample data in clear on disks; costs that nobody can attribute.",
        reason="The provider's default tags do not reach what Batch launches, so the template has "
        "them.",
        back="batch_volume_gib for the size",
        module=_OF_THE_MODULE,
        variables=("batch_volume_gib",),
        addresses=("aws_launch_template.batch",),
    ),
    Difference(
        id="batch-user-data",
        area="Batch",
        title="The AWS command line for tasks",
        documented="Hosts have none that a container can use.",
        hardened="Multipart MIME user data installs AWS's own into /opt/aws-cli; tell Nextflow "
        "aws.batch.cliPath = '/opt/aws-cli/bin/aws'.",
        risk="Tasks whose image lacks `aws` end with status 127.",
        reason="A host downloads the current version over TLS from awscli.amazonaws.com; where it "
        "cannot, tasks need their own.",
        back="leave cliPath out of Nextflow's configuration",
        module=_OF_THE_MODULE,
        addresses=("aws_launch_template.batch",),
    ),
    Difference(
        id="batch-on-demand",
        area="Batch",
        title="An On-Demand queue beside the Spot queue",
        documented="One Spot environment and one queue.",
        hardened="A Spot and an On-Demand environment with a queue each: VM_NAME-job-queue and "
        "VM_NAME-job-queue-on-demand.",
        risk="A task that Spot has taken back three times has nowhere else to go.",
        reason="Two queues and not one that overflows: On-Demand costs about three times as much, "
        "so the pipeline says when: queue = { task.attempt > 1 ? ON_DEMAND : SPOT }.",
        back="use the Spot queue only: an unused environment costs nothing",
        module=_OF_THE_MODULE,
        addresses=(*_ENVIRONMENTS, "aws_batch_job_queue.job_queue_on_demand"),
    ),
    Difference(
        id="batch-replaceable",
        area="Batch",
        title="Environments that can be replaced and updated",
        documented="One fixed name.",
        hardened="Names with a suffix, the new one made before the old one goes; running jobs have "
        "six hours in an update.",
        risk="A forced replacement ends in `found existing JobQueue relationship`, halfway.",
        reason="In both profiles a change of the launch template reaches the environment, by its "
        "version number.",
        back='"profile": "documented"',
        module=_OF_THE_MODULE,
        addresses=_ENVIRONMENTS,
    ),
    Difference(
        id="batch-stuck",
        area="Batch",
        title="Jobs that can never start are cancelled",
        documented="They wait for ever, and so does all that is behind them.",
        hardened="After batch_stuck_minutes (60) where no host or environment can ever fit them; "
        "after a day where EC2 has no capacity.",
        risk="A run with one request too large hangs without a word.",
        reason="Nextflow sees a failed task, and its errorStrategy decides.",
        back="batch_stuck_minutes = 1440 for the longest",
        module=_OF_THE_MODULE,
        variables=("batch_stuck_minutes",),
        addresses=("aws_batch_job_queue.job_queue", "aws_batch_job_queue.job_queue_on_demand"),
    ),
    Difference(
        id="batch-size",
        area="Batch",
        title="Subnets, instance types and size by variables",
        documented="The VM's subnet, `optimal`, 256 vCPUs.",
        hardened="The same by default: batch_subnet_ids, batch_instance_types and batch_max_vcpus "
        "(in each environment).",
        risk="One zone without Spot capacity stops a run.",
        reason="Several subnets in several zones are what Spot needs; each must reach the internet "
        "or VPC endpoints.",
        back="leave them at their defaults",
        module=_OF_THE_MODULE,
        variables=("batch_subnet_ids", "batch_instance_types", "batch_max_vcpus"),
        addresses=_ENVIRONMENTS,
    ),
)
