"""How people and programs reach the VM, and what the account watches."""

from __future__ import annotations

from typing import Final

from biomodal_deploy.review.hardening.difference import Difference

ACCESS: Final = (
    Difference(
        id="ssh",
        area="Access",
        title="No open port 22",
        documented="Port 22 is open to 0.0.0.0/0.",
        hardened="No inbound rule. People come in through Session Manager; SSH is open to the "
        "networks in ssh_cidr_blocks, and ranges wider than /8 (IPv6: /16) are refused.",
        risk="Every address on the internet can try keys and exploit the SSH server.",
        reason="Session Manager needs no open port, and AWS logs who came. The cost: people need "
        "the aws command with its Session Manager plugin, and a shell starts as ssm-user "
        "(`sudo -iu ubuntu` for the documented user). SSH through it keeps scp.",
        back='ssh_cidr_blocks = ["192.0.2.0/24"]; for everyone, also a reason in the setting '
        "open_ssh_waiver of cdktf.json",
        variables=("ssh_cidr_blocks",),
        addresses=(
            "aws_vpc_security_group_ingress_rule.ssh_from_anywhere",
            "aws_vpc_security_group_ingress_rule.ssh_from",
        ),
    ),
    Difference(
        id="session-manager",
        area="Access",
        title="Session Manager",
        documented="The VM's role has no rights for it.",
        hardened="The role holds AmazonSSMManagedInstanceCore.",
        risk="Without it there is no way in but an open port, and no record of who used it.",
        reason="The agent is in the documented Ubuntu image. The policy covers Systems Manager's "
        "own calls; it also reads parameters of Parameter Store, so keep no secrets there in "
        "clear.",
        back="none: SSH works beside it",
        addresses=("aws_iam_role_policy_attachment.vm_role_session_manager",),
    ),
    Difference(
        id="key-pair",
        area="Access",
        title="A key pair only for SSH",
        documented="An EC2 key pair is always made.",
        hardened="It is made where ssh_cidr_blocks or ssh_public_key is given. Another key never "
        "replaces a VM that exists: add it to ~/.ssh/authorized_keys in a session.",
        risk="A key that nobody needs is one that can be lost.",
        reason="Only the public half ever reaches Terraform, in both profiles.",
        back="ssh_public_key, or ssh_cidr_blocks and the key of `biomodal-aws keygen`",
        module="the module always makes a key pair, and keeps the private key in the state",
        variables=("ssh_cidr_blocks",),
        addresses=("aws_key_pair.ssh_key", "aws_instance.vm"),
    ),
    Difference(
        id="vm-permissions",
        area="Access",
        title="The VM's permissions, each on its resource",
        documented="Batch jobs, job definitions and image pushes on every resource of the account.",
        hardened="Submit to the two queues, push to the repository and those under its name, use "
        "the bucket; describe-only actions on *. What Nextflow needs and the document forgot is "
        "there: logs:GetLogEvents, batch:TagResource, batch:CancelJob, "
        "ec2:DescribeInstanceStatus, object tags and unfinished uploads.",
        risk="Whoever gets onto the VM can run jobs on other teams' queues and overwrite their "
        "images; and a failed task shows AccessDenied in place of its error.",
        reason="Any job of the region can still be ended: Batch ties a job to no queue in IAM.",
        back='"profile": "documented"',
        module="the module's own policy stays: Batch and ECR on *",
        addresses=(
            "aws_iam_role_policy.vm_role",
            "data.aws_iam_policy_document.vm_role",
        ),
    ),
    Difference(
        id="iam-names",
        area="Access",
        title="Bounded, recognisable roles",
        documented="Roles are named after the VM and have no permissions boundary.",
        hardened="iam_name_prefix starts the names of roles, and permissions_boundary_arn bounds "
        "them. Both are empty by default.",
        risk="In accounts that demand either, an apply stops halfway.",
        reason="A boundary holds even where somebody later adds to a policy. It must permit what "
        "the policies here permit.",
        back="leave both empty",
        module="the module's role has neither",
        variables=("iam_name_prefix", "permissions_boundary_arn"),
        addresses=("aws_iam_role.vm_role", "aws_iam_instance_profile.vm_role"),
    ),
)

VM: Final = (
    Difference(
        id="imdsv2",
        area="The VM",
        title="IMDSv2 only, two hops",
        documented="The metadata service answers without a token, one hop away.",
        hardened="A session token is required, and answers travel two hops, on the VM and on Batch "
        "hosts.",
        risk="One forged web request by a program on the host hands out the role's credentials.",
        reason="Nextflow and the AWS SDKs have used tokens for years. The second hop is what lets "
        "containers get credentials; with one, every task fails.",
        back='"profile": "documented"',
        module="the VM: same; the module's Batch hosts keep the image's default",
        addresses=("aws_instance.vm", "aws_launch_template.batch"),
    ),
    Difference(
        id="docker",
        area="The VM",
        title="Docker by group only",
        documented="docker.sock is made world-writable (mode 666) by the start-up script.",
        hardened="Mode 660: root and the group docker, which holds ssh_user.",
        risk="Every process on the VM can become root.",
        reason="A member uses Docker from the next login on. Membership is still as good as root: "
        "it is given to one user.",
        back="sudo chmod 666 /var/run/docker.sock on the VM, until its next boot",
        addresses=("aws_instance.vm",),
    ),
    Difference(
        id="termination-protection",
        area="The VM",
        title="Termination protection",
        documented="The VM can be terminated with one click.",
        hardened="EC2 refuses to terminate it outside Terraform. A destroy plan lifts the "
        "protection by itself.",
        risk="A slip in the console ends the VM, its disk and Nextflow's cache.",
        reason="It needs ec2:ModifyInstanceAttribute of whoever applies.",
        back="termination_protection = false",
        variables=("termination_protection",),
        addresses=("aws_instance.vm",),
    ),
    Difference(
        id="vm-volume",
        area="The VM",
        title="gp3, sized by a variable, tagged",
        documented="100 GB of the image's volume type, encrypted; tags by the provider's default.",
        hardened="gp3, encrypted, vm_volume_gib GiB, named after the VM; EBS-optimized.",
        risk="gp2 is slower and dearer; a volume without a name is hard to charge to anybody.",
        reason="A volume grows in place and never shrinks. A VM that exists keeps the EBS "
        "optimization that it was launched with: t3 and newer types have it always, t2 and older "
        "ones cannot and go without.",
        back="vm_volume_gib for the size",
        module="encrypted, and sized by vm_volume_gib; type and tags are the module's",
        variables=("vm_volume_gib",),
        addresses=("aws_instance.vm",),
    ),
    Difference(
        id="image",
        area="The VM",
        title="An image of your choice",
        documented="The newest Ubuntu 22.04 on the day that the VM is made.",
        hardened="The same, or ami_id where your organisation has approved one.",
        risk="An image that nobody has looked at.",
        reason="In both profiles a newer image never replaces a VM that exists.",
        back="leave ami_id empty",
        module="the module always takes the newest image, and a newer one may replace the VM",
        variables=("ami_id",),
        addresses=("aws_instance.vm",),
    ),
)

ACCOUNT: Final = (
    Difference(
        id="task-logs",
        area="The account",
        title="Task logs that end (optional)",
        documented="Batch writes to /aws/batch/job, which keeps everything for ever.",
        hardened="log_retention_days makes the log group /biomodal/VM_NAME/tasks; Nextflow's "
        "aws.batch.logsGroup sends tasks there.",
        risk="A bill that only grows, and sample names that are kept longer than they may be.",
        reason="Batch's own group belongs to the whole account, so it is left alone.",
        back="log_retention_days = 0 (the default)",
        module="none: the module has no input for it",
        variables=("log_retention_days",),
        addresses=("aws_cloudwatch_log_group.task_logs",),
    ),
    Difference(
        id="alarm",
        area="The account",
        title="An alarm for the VM (optional)",
        documented="None.",
        hardened="alarm_topic_arn hears when EC2's status checks fail for three minutes.",
        risk="A run that stopped on Friday night is found on Monday.",
        reason="The topic is yours, so that it can page whom it should.",
        back="leave alarm_topic_arn empty (the default)",
        module="none: the module has no input for it",
        variables=("alarm_topic_arn",),
        addresses=("aws_cloudwatch_metric_alarm.watch",),
    ),
    Difference(
        id="budget",
        area="The account",
        title="A monthly budget (optional)",
        documented='"Recommended", and not configured.',
        hardened="monthly_budget_usd makes an AWS Budget of what carries tag_key = tag_value; "
        "budget_email hears at 80 %, and when the forecast exceeds it.",
        risk="256 vCPUs of hosts by mistake are noticed with the invoice.",
        reason="AWS counts a tag's cost only after the account's owner has activated it as a cost "
        "allocation tag. A budget tells; it stops nothing.",
        back="monthly_budget_usd = 0 (the default)",
        module="none: the module has no input for it",
        variables=("monthly_budget_usd", "budget_email"),
        addresses=("aws_budgets_budget.watch",),
    ),
)
