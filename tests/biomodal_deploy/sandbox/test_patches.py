"""Each patch around moto mends what it says: the same calls go wrong without it."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from biomodal_deploy.operations.install_log import InstallState, read_install
from biomodal_deploy.sandbox import patches
from biomodal_deploy.sandbox.patches import (
    batch,
    budgets,
    console,
    ecr,
    iam,
    instances,
    launch_templates,
    protection,
    volumes,
)
from biomodal_deploy.sandbox.patches.change import Change
from tests.support.project import ROOT

REGION: Final = "us-east-1"
ACCOUNT: Final = "123456789012"
PROFILE: Final = f"arn:aws:iam::{ACCOUNT}:instance-profile/hosts"

Patch = Callable[[], list[Change]]
Use = Callable[[Patch], None]


def launch(ec2: Any, **more: Any) -> str:
    """Launch an instance and return its id."""
    answer = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, **more)
    return str(answer["Instances"][0]["InstanceId"])


def environment(aws: Callable[[str], Any], **more: Any) -> str:
    """Make a compute environment, with what it needs, and return its ARN."""
    roles, ec2 = aws("iam"), aws("ec2")
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    if not roles.list_instance_profiles()["InstanceProfiles"]:
        roles.create_role(RoleName="hosts", AssumeRolePolicyDocument=trust)
        roles.create_instance_profile(InstanceProfileName="hosts")
    subnet = ec2.describe_subnets()["Subnets"][0]
    group = ec2.describe_security_groups()["SecurityGroups"][0]
    answer = aws("batch").create_compute_environment(
        **{
            "computeEnvironmentName": "spot",
            "type": "MANAGED",
            "state": "ENABLED",
            "serviceRole": f"arn:aws:iam::{ACCOUNT}:role/hosts",
            "computeResources": {
                "type": "SPOT",
                "minvCpus": 0,
                "maxvCpus": 256,
                "instanceTypes": ["optimal"],
                "instanceRole": PROFILE,
                "subnets": [subnet["SubnetId"]],
                "securityGroupIds": [group["GroupId"]],
            },
            **more,
        }
    )
    return str(answer["computeEnvironmentArn"])


def queue(aws: Callable[[str], Any], compute_environment: str, **more: Any) -> None:
    """Make a job queue on a compute environment."""
    order = [{"order": 1, "computeEnvironment": compute_environment}]
    aws("batch").create_job_queue(
        jobQueueName="queue", state="ENABLED", priority=1, computeEnvironmentOrder=order, **more
    )


def only(answers: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the one answer there is."""
    (answer,) = answers
    return answer


def test_every_patch_has_a_test_here() -> None:
    """A patch cannot be added without the test that shows why it is there."""
    named = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert {patch.__name__ for patch in patches.PATCHES} <= named


def test_a_patch_of_a_name_that_moto_lost_is_noticed() -> None:
    """A later moto without the patched method stops the sandbox at its start."""
    with pytest.raises(AttributeError, match="renamed"):
        Change(object(), "renamed", lambda old: old).apply()


def test_monitoring(aws: Callable[[str], Any], use: Use) -> None:
    """MonitorInstances and UnmonitorInstances answer and are remembered."""
    ec2 = aws("ec2")
    vm = launch(ec2)
    with pytest.raises(NotImplementedError):
        ec2.monitor_instances(InstanceIds=[vm])
    use(instances.monitoring)

    def state() -> str:
        reservation = only(ec2.describe_instances(InstanceIds=[vm])["Reservations"])
        return str(only(reservation["Instances"])["Monitoring"]["State"])

    answer = ec2.monitor_instances(InstanceIds=[vm])
    assert only(answer["InstanceMonitorings"])["Monitoring"]["State"] == "pending"
    assert state() == "enabled"
    with pytest.raises(ClientError, match=r"InvalidInstanceID\.NotFound"):
        ec2.unmonitor_instances(InstanceIds=[vm, "i-0123456789abcdef0"])
    assert state() == "enabled"
    ec2.unmonitor_instances(InstanceIds=[vm])
    assert state() == "disabled"


def test_user_data_can_be_changed(aws: Callable[[str], Any], use: Use) -> None:
    """User data that ModifyInstanceAttribute sets is read back as it was, bytes of any kind."""
    ec2 = aws("ec2")
    vm = launch(ec2)
    packed = b"\x1f\x8b\x00 not text"
    with pytest.raises(ClientError, match="Invalid BASE64"):
        ec2.modify_instance_attribute(InstanceId=vm, UserData={"Value": packed})
    use(instances.user_data_can_be_changed)
    ec2.modify_instance_attribute(InstanceId=vm, UserData={"Value": packed})
    read = ec2.describe_instance_attribute(InstanceId=vm, Attribute="userData")
    assert base64.b64decode(read["UserData"]["Value"]) == packed


def test_primary_interface_goes_with_its_instance(aws: Callable[[str], Any], use: Use) -> None:
    """A terminated instance leaves no interface, but the one that was made beforehand."""
    ec2 = aws("ec2")

    def interfaces() -> list[str]:
        listed = ec2.describe_network_interfaces()["NetworkInterfaces"]
        return [each["NetworkInterfaceId"] for each in listed]

    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    ec2.terminate_instances(InstanceIds=[launch(ec2, SubnetId=subnet)])
    without_patch = interfaces()
    assert len(without_patch) == 1
    use(instances.primary_interface_goes_with_its_instance)
    ec2.terminate_instances(InstanceIds=[launch(ec2, SubnetId=subnet)])
    assert interfaces() == without_patch
    own = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    nics = [{"DeviceIndex": 0, "NetworkInterfaceId": own}]
    ec2.terminate_instances(InstanceIds=[launch(ec2, NetworkInterfaces=nics)])
    assert own in interfaces()


def test_attributes_leave_security_groups_alone(aws: Callable[[str], Any], use: Use) -> None:
    """A change of the shutdown behaviour changes that, and no security group."""
    ec2 = aws("ec2")
    vm = launch(ec2)

    def groups() -> list[str]:
        read = ec2.describe_instance_attribute(InstanceId=vm, Attribute="groupSet")
        return [each["GroupId"] for each in read["Groups"]]

    (group,) = [each["GroupId"] for each in ec2.describe_security_groups()["SecurityGroups"]]
    ec2.modify_instance_attribute(InstanceId=vm, Groups=[group])
    ec2.modify_instance_attribute(
        InstanceId=vm, InstanceInitiatedShutdownBehavior={"Value": "terminate"}
    )
    assert groups() == []
    use(instances.attributes_leave_security_groups_alone)
    ec2.modify_instance_attribute(InstanceId=vm, Groups=[group])
    ec2.modify_instance_attribute(
        InstanceId=vm, InstanceInitiatedShutdownBehavior={"Value": "terminate"}
    )
    assert groups() == [group]
    read = ec2.describe_instance_attribute(
        InstanceId=vm, Attribute="instanceInitiatedShutdownBehavior"
    )
    assert read["InstanceInitiatedShutdownBehavior"]["Value"] == "terminate"


def test_instance_profile_can_be_replaced(aws: Callable[[str], Any], use: Use) -> None:
    """An instance shows the profile that replaced its first one."""
    ec2, roles = aws("ec2"), aws("iam")
    for name in ("first", "second", "third"):
        roles.create_instance_profile(InstanceProfileName=name)
    vm = launch(ec2, IamInstanceProfile={"Name": "first"})

    def after(name: str) -> str:
        associations = ec2.describe_iam_instance_profile_associations()
        association = only(associations["IamInstanceProfileAssociations"])
        ec2.replace_iam_instance_profile_association(
            AssociationId=association["AssociationId"], IamInstanceProfile={"Name": name}
        )
        reservation = only(ec2.describe_instances(InstanceIds=[vm])["Reservations"])
        return str(only(reservation["Instances"])["IamInstanceProfile"]["Arn"]).split("/")[-1]

    assert after("second") == "first"
    use(instances.instance_profile_can_be_replaced)
    assert after("third") == "third"


def test_interface_and_instance_have_the_same_groups(aws: Callable[[str], Any], use: Use) -> None:
    """Security groups set on an instance's own interface are the instance's, and the other way."""
    ec2 = aws("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]
    groups = [
        ec2.create_security_group(GroupName=name, Description=name, VpcId=subnet["VpcId"])[
            "GroupId"
        ]
        for name in ("first", "second", "third")
    ]
    vm = launch(ec2, SubnetId=subnet["SubnetId"], SecurityGroupIds=groups[:1])

    def shown() -> tuple[list[str], list[str]]:
        reservation = only(ec2.describe_instances(InstanceIds=[vm])["Reservations"])
        instance = only(reservation["Instances"])
        interface = only(instance["NetworkInterfaces"])
        return (
            [each["GroupId"] for each in instance["SecurityGroups"]],
            sorted(each["GroupId"] for each in interface["Groups"]),
        )

    def set_on_interface(wanted: list[str]) -> None:
        interface = only(
            ec2.describe_network_interfaces(
                Filters=[{"Name": "attachment.instance-id", "Values": [vm]}]
            )["NetworkInterfaces"]
        )
        ec2.modify_network_interface_attribute(
            NetworkInterfaceId=interface["NetworkInterfaceId"], Groups=wanted
        )

    set_on_interface(groups[1:2])
    assert shown() == (groups[:1], sorted(groups[:2]))
    use(instances.interface_and_instance_have_the_same_groups)
    set_on_interface(groups[:2])
    assert shown() == (groups[:2], sorted(groups[:2]))
    ec2.modify_instance_attribute(InstanceId=vm, Groups=groups[2:])
    assert shown() == (groups[2:], groups[2:])


def test_launches_can_be_protected(aws: Callable[[str], Any], use: Use) -> None:
    """An instance that is launched protected is, and another one is not."""
    ec2 = aws("ec2")

    def protected(**more: Any) -> bool:
        vm = launch(ec2, **more)
        read = ec2.describe_instance_attribute(InstanceId=vm, Attribute="disableApiTermination")
        return bool(read["DisableApiTermination"]["Value"])

    assert not protected(DisableApiTermination=True)
    use(protection.launches_can_be_protected)
    assert protected(DisableApiTermination=True)
    assert not protected()


def template_data(ec2: Any, name: str) -> dict[str, Any]:
    """Make a launch template with tags of its own and return its data."""
    tags = [{"Key": "Edit", "Value": "one"}]
    ec2.create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData={
            "InstanceType": "t3.large",
            "TagSpecifications": [{"ResourceType": "instance", "Tags": tags}],
        },
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": tags}],
    )
    versions = ec2.describe_launch_template_versions(LaunchTemplateName=name)
    data: dict[str, Any] = only(versions["LaunchTemplateVersions"])["LaunchTemplateData"]
    return data


def test_own_tags_are_no_data(aws: Callable[[str], Any], use: Use) -> None:
    """A launch template's own tags are not among those of what it launches."""
    ec2 = aws("ec2")
    assert len(template_data(ec2, "before")["TagSpecifications"]) == 2
    use(launch_templates.own_tags_are_no_data)
    assert only(template_data(ec2, "after")["TagSpecifications"])["ResourceType"] == "instance"
    template = only(ec2.describe_launch_templates(LaunchTemplateNames=["after"])["LaunchTemplates"])
    assert template["Tags"] == [{"Key": "Edit", "Value": "one"}]


def test_own_tags_can_change(aws: Callable[[str], Any], use: Use) -> None:
    """A launch template shows the tags that it has now."""
    ec2 = aws("ec2")
    template_data(ec2, "template")

    def tags() -> list[str]:
        template = only(ec2.describe_launch_templates()["LaunchTemplates"])
        ec2.create_tags(
            Resources=[template["LaunchTemplateId"]], Tags=[{"Key": "Edit", "Value": "two"}]
        )
        template = only(ec2.describe_launch_templates()["LaunchTemplates"])
        return [tag["Value"] for tag in template["Tags"]]

    assert tags() == ["one"]
    use(launch_templates.own_tags_can_change)
    assert tags() == ["two"]


def volume_of(ec2: Any, vm: str) -> dict[str, Any]:
    """Return the one volume of an instance."""
    filters = [{"Name": "attachment.instance-id", "Values": [vm]}]
    return only(ec2.describe_volumes(Filters=filters)["Volumes"])


def test_launched_volumes_perform_as_asked(aws: Callable[[str], Any], use: Use) -> None:
    """A launch's gp3 volume has the IOPS and throughput asked for, else gp3's own."""
    ec2 = aws("ec2")

    def performance(**asked: int) -> tuple[int | None, int | None]:
        mapping = {
            "DeviceName": "/dev/sda1",
            "Ebs": {"VolumeSize": 9, "VolumeType": "gp3", **asked},
        }
        volume = volume_of(ec2, launch(ec2, BlockDeviceMappings=[mapping]))
        return volume.get("Iops"), volume.get("Throughput")

    assert performance(Iops=4000, Throughput=250) == (3000, None)
    use(volumes.launched_volumes_perform_as_asked)
    assert performance(Iops=4000, Throughput=250) == (4000, 250)
    assert performance() == (3000, 125)


def test_one_modification_a_volume(aws: Callable[[str], Any], use: Use) -> None:
    """Of two changes of a volume the second is shown."""
    ec2 = aws("ec2")
    volume = ec2.create_volume(Size=10, AvailabilityZone=f"{REGION}a")["VolumeId"]
    for size in (20, 30):
        ec2.modify_volume(VolumeId=volume, Size=size)

    def targets() -> list[int]:
        shown = ec2.describe_volumes_modifications(VolumeIds=[volume])["VolumesModifications"]
        return [each["TargetSize"] for each in shown]

    assert targets() == [20, 30]
    use(volumes.one_modification_a_volume)
    assert targets() == [30]


def test_volumes_never_shrink(aws: Callable[[str], Any], use: Use) -> None:
    """A smaller size is refused as EC2 refuses it; other changes are not."""
    ec2 = aws("ec2")
    volume = ec2.create_volume(Size=10, AvailabilityZone=f"{REGION}a")["VolumeId"]
    ec2.modify_volume(VolumeId=volume, Size=9)
    use(volumes.volumes_never_shrink)
    with pytest.raises(ClientError, match="New size cannot be smaller than existing size"):
        ec2.modify_volume(VolumeId=volume, Size=8)
    ec2.modify_volume(VolumeId=volume, Size=12, VolumeType="gp3")
    assert only(ec2.describe_volumes()["Volumes"])["Size"] == 12


def test_scan_on_push_can_be_switched_off(aws: Callable[[str], Any], use: Use) -> None:
    """An empty scanning configuration, as the Go SDK sends a false, switches scanning off."""
    repositories = aws("ecr")
    repositories.create_repository(
        repositoryName="tools", imageScanningConfiguration={"scanOnPush": True}
    )

    def switched_off() -> bool:
        repositories.put_image_scanning_configuration(
            repositoryName="tools", imageScanningConfiguration={}
        )
        repository = only(repositories.describe_repositories()["repositories"])
        return not repository["imageScanningConfiguration"]["scanOnPush"]

    assert not switched_off()
    use(ecr.scan_on_push_can_be_switched_off)
    assert switched_off()


NOTIFICATION: Final = {
    "NotificationType": "ACTUAL",
    "ComparisonOperator": "GREATER_THAN",
    "Threshold": 80.0,
    "ThresholdType": "PERCENTAGE",
}


def budget(service: Any) -> None:
    """Make a budget with one notification and one tag."""
    service.create_budget(
        AccountId=ACCOUNT,
        Budget={
            "BudgetName": "monthly",
            "BudgetLimit": {"Amount": "100", "Unit": "USD"},
            "TimeUnit": "MONTHLY",
            "BudgetType": "COST",
        },
        NotificationsWithSubscribers=[
            {
                "Notification": NOTIFICATION,
                "Subscribers": [{"SubscriptionType": "EMAIL", "Address": "me@example.org"}],
            }
        ],
        ResourceTags=[{"Key": "Step", "Value": "1"}],
    )


def test_subscribers_can_be_read(aws: Callable[[str], Any], use: Use) -> None:
    """A notification's subscribers are read back, and another notification has none of them."""
    service = aws("budgets")
    budget(service)

    def subscribers(**other: Any) -> list[str]:
        answer = service.describe_subscribers_for_notification(
            AccountId=ACCOUNT, BudgetName="monthly", Notification={**NOTIFICATION, **other}
        )
        return [each["Address"] for each in answer["Subscribers"]]

    with pytest.raises(NotImplementedError):
        subscribers()
    use(budgets.subscribers_can_be_read)
    assert subscribers() == ["me@example.org"]
    assert subscribers(Threshold=90.0) == []


def test_tags_can_be_read(aws: Callable[[str], Any], use: Use) -> None:
    """A budget's tags are read back."""
    service = aws("budgets")
    arn = f"arn:aws:budgets::{ACCOUNT}:budget/monthly"
    with pytest.raises(NotImplementedError):
        service.list_tags_for_resource(ResourceARN=arn)
    use(budgets.tags_can_be_read)
    budget(service)
    tags = service.list_tags_for_resource(ResourceARN=arn)["ResourceTags"]
    assert tags == [{"Key": "Step", "Value": "1"}]


def test_tags_can_be_changed(aws: Callable[[str], Any], use: Use) -> None:
    """A budget gets another tag, and loses one."""
    service = aws("budgets")
    arn = f"arn:aws:budgets::{ACCOUNT}:budget/monthly"
    use(budgets.tags_can_be_read)
    budget(service)
    with pytest.raises(NotImplementedError):
        service.tag_resource(ResourceARN=arn, ResourceTags=[])
    use(budgets.tags_can_be_changed)
    service.tag_resource(ResourceARN=arn, ResourceTags=[{"Key": "new", "Value": "1"}])
    service.untag_resource(ResourceARN=arn, ResourceTagKeys=["Step"])
    tags = service.list_tags_for_resource(ResourceARN=arn)["ResourceTags"]
    assert tags == [{"Key": "new", "Value": "1"}]


def test_budgets_can_be_changed(aws: Callable[[str], Any], use: Use) -> None:
    """Another amount, in the same period."""
    service = aws("budgets")
    budget(service)

    def found() -> Any:
        return service.describe_budget(AccountId=ACCOUNT, BudgetName="monthly")["Budget"]

    before = found()
    new = {name: before[name] for name in ("BudgetName", "BudgetType", "TimeUnit")}
    new |= {"BudgetLimit": {"Amount": "200", "Unit": "USD"}}
    with pytest.raises(NotImplementedError):
        service.update_budget(AccountId=ACCOUNT, NewBudget=new)
    use(budgets.budgets_can_be_changed)
    service.update_budget(AccountId=ACCOUNT, NewBudget=new)
    assert float(found()["BudgetLimit"]["Amount"]) == 200
    assert found()["TimePeriod"] == before["TimePeriod"]


@pytest.mark.parametrize(
    ("service", "role"),
    [
        ("batch.amazonaws.com", "AWSServiceRoleForBatch"),
        ("spot.amazonaws.com", "AWSServiceRoleForEC2Spot"),
        ("spotfleet.amazonaws.com", "AWSServiceRoleForEC2SpotFleet"),
        ("ecs.amazonaws.com", "AWSServiceRoleForECS"),
        ("autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling"),
    ],
)
def test_service_linked_role_names(
    aws: Callable[[str], Any], use: Use, service: str, role: str
) -> None:
    """A service-linked role has the name that AWS gives it."""
    use(iam.service_linked_role_names)
    made = aws("iam").create_service_linked_role(AWSServiceName=service)["Role"]
    assert made["RoleName"] == role
    assert made["Path"] == f"/aws-service-role/{service}/"


def test_service_linked_role_names_without_the_patch(aws: Callable[[str], Any]) -> None:
    """Left alone, moto spells Batch's role in a way that no ARN points at."""
    made = aws("iam").create_service_linked_role(AWSServiceName="batch.amazonaws.com")
    assert made["Role"]["RoleName"] == "AWSServiceRoleForbatch"


def test_unread_conditions_deny_nothing(aws: Callable[[str], Any], use: Use) -> None:
    """A bucket that refuses what comes without TLS serves us; a plain Deny still denies."""
    s3 = aws("s3")
    s3.create_bucket(Bucket="data")
    s3.put_object(Bucket="data", Key="object", Body=io.BytesIO(b"content"))

    def deny(**condition: Any) -> None:
        statement = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "arn:aws:s3:::data/*",
            **condition,
        }
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        s3.put_bucket_policy(Bucket="data", Policy=json.dumps(policy))

    tls = {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    deny(**tls)
    with pytest.raises(ClientError, match="403"):
        s3.head_object(Bucket="data", Key="object")
    use(iam.unread_conditions_deny_nothing)
    s3.head_object(Bucket="data", Key="object")
    deny()
    with pytest.raises(ClientError, match="403"):
        s3.head_object(Bucket="data", Key="object")


def test_updates_of_a_role_keep_its_description(aws: Callable[[str], Any], use: Use) -> None:
    """A role whose session's length changes keeps its description; a new one is taken."""
    roles = aws("iam")
    roles.create_role(
        RoleName="role",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}),
        Description="mine",
    )

    def description(**change: Any) -> str | None:
        roles.update_role(RoleName="role", MaxSessionDuration=7200, **change)
        shown: str | None = roles.get_role(RoleName="role")["Role"].get("Description")
        return shown

    assert description() is None
    assert description(Description="mine") == "mine"
    use(iam.updates_of_a_role_keep_its_description)
    assert description() == "mine"
    assert description(Description="new") == "new"


def test_service_role_is_optional(aws: Callable[[str], Any], use: Use) -> None:
    """A compute environment without a service role gets the service-linked one, made if need be."""
    with pytest.raises(ClientError, match="ServiceRole is required"):
        environment(aws, serviceRole="")
    use(iam.service_linked_role_names)
    use(batch.service_role_is_optional)
    environment(aws, serviceRole="")
    environment(aws, serviceRole="", computeEnvironmentName="second")
    role = aws("iam").get_role(RoleName="AWSServiceRoleForBatch")["Role"]["Arn"]
    shown = aws("batch").describe_compute_environments()["computeEnvironments"]
    assert [each["serviceRole"] for each in shown] == [role, role]
    with pytest.raises(ClientError, match="Could not find IAM role"):
        environment(aws, serviceRole=f"{role}x", computeEnvironmentName="third")


def test_compute_resources_are_updated(aws: Callable[[str], Any], use: Use) -> None:
    """What UpdateComputeEnvironment names is changed, and the rest stays."""
    arn = environment(aws)
    service = aws("batch")

    def resources() -> tuple[int, list[str]]:
        service.update_compute_environment(
            computeEnvironment=arn, computeResources={"maxvCpus": 128}
        )
        shown = only(service.describe_compute_environments()["computeEnvironments"])
        return shown["computeResources"]["maxvCpus"], shown["computeResources"]["instanceTypes"]

    assert resources() == (256, ["optimal"])
    use(batch.compute_resources_are_updated)
    assert resources() == (128, ["optimal"])


def test_update_policy_is_kept(aws: Callable[[str], Any], use: Use) -> None:
    """An update policy is shown as it was set, at creation and later."""
    service = aws("batch")

    def shown() -> dict[str, Any] | None:
        (described,) = service.describe_compute_environments()["computeEnvironments"]
        policy: dict[str, Any] | None = described.get("updatePolicy")
        return policy

    first = {"jobExecutionTimeoutMinutes": 30, "terminateJobsOnUpdate": False}
    arn = environment(aws)
    service.update_compute_environment(computeEnvironment=arn, updatePolicy=first)
    assert shown() is None
    use(batch.update_policy_is_kept)
    assert shown() is None
    service.update_compute_environment(computeEnvironment=arn, updatePolicy=first)
    assert shown() == first
    service.update_compute_environment(computeEnvironment=arn, state="DISABLED")
    assert shown() == first


def test_queue_time_limits_are_kept(aws: Callable[[str], Any], use: Use) -> None:
    """A queue shows its time limits as they were set, at creation and later."""
    service = aws("batch")
    limit = {"reason": "full", "state": "RUNNABLE", "maxTimeSeconds": 600, "action": "CANCEL"}

    def shown() -> list[dict[str, Any]]:
        described = only(service.describe_job_queues()["jobQueues"])
        limits: list[dict[str, Any]] = described.get("jobStateTimeLimitActions", [])
        return limits

    arn = environment(aws)
    queue(aws, arn, jobStateTimeLimitActions=[limit])
    assert shown() == []
    use(batch.queue_time_limits_are_kept)
    service.update_job_queue(jobQueue="queue", jobStateTimeLimitActions=[limit])
    assert shown() == [limit]
    service.update_job_queue(jobQueue="queue", priority=2)
    assert shown() == [limit]
    service.update_job_queue(jobQueue="queue", jobStateTimeLimitActions=[])
    assert shown() == []


def test_deletes_in_order(aws: Callable[[str], Any], use: Use) -> None:
    """A queue and an environment go only disabled, and the environment only without its queue."""
    service = aws("batch")
    arn = environment(aws)
    queue(aws, arn)
    use(batch.deletes_in_order)
    with pytest.raises(ClientError, match="state must be DISABLED"):
        service.delete_compute_environment(computeEnvironment=arn)
    service.update_compute_environment(computeEnvironment=arn, state="DISABLED")
    with pytest.raises(ClientError, match="found existing JobQueue relationship"):
        service.delete_compute_environment(computeEnvironment=arn)
    with pytest.raises(ClientError, match="state must be DISABLED"):
        service.delete_job_queue(jobQueue="queue")
    service.update_job_queue(jobQueue="queue", state="DISABLED")
    service.delete_job_queue(jobQueue="queue")
    service.delete_compute_environment(computeEnvironment=arn)
    assert service.describe_compute_environments()["computeEnvironments"] == []


def test_deletes_in_order_without_the_patch(aws: Callable[[str], Any]) -> None:
    """Left alone, moto deletes an environment that is enabled and in a queue."""
    arn = environment(aws)
    queue(aws, arn)
    aws("batch").delete_compute_environment(computeEnvironment=arn)


def test_deleted_clusters_are_gone(aws: Callable[[str], Any], use: Use) -> None:
    """A compute environment's cluster goes with it."""
    arn = environment(aws)
    clusters = aws("ecs")
    assert len(clusters.list_clusters()["clusterArns"]) == 1
    aws("batch").delete_compute_environment(computeEnvironment=arn)
    assert len(clusters.list_clusters()["clusterArns"]) == 1
    use(batch.deleted_clusters_are_gone)
    assert clusters.list_clusters()["clusterArns"] == []


def test_console_shows_the_first_boot(aws: Callable[[str], Any], use: Use) -> None:
    """The install script's own words, to its end; without the patch nobody ever sees it end."""
    script = (ROOT / "scripts" / "install_script.sh").read_text()

    def install(user_data: str) -> InstallState:
        ec2 = aws("ec2")
        launched = ec2.run_instances(
            ImageId="ami-12345678", MinCount=1, MaxCount=1, UserData=user_data
        )
        instance = launched["Instances"][0]["InstanceId"]
        return read_install(ec2.get_console_output(InstanceId=instance)["Output"]).state

    assert install(script) is InstallState.UNSEEN
    use(console.console_shows_the_first_boot)
    assert install(script) is InstallState.DONE
    assert install("#!/bin/sh\necho another script\n") is InstallState.UNSEEN
