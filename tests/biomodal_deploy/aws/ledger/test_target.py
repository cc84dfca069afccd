"""What a destroy plan is about, from the plan alone."""

from __future__ import annotations

from dataclasses import replace

from biomodal_deploy.aws.ledger.target import target_of
from tests.support.destroyed import DISK, destroyed, held
from tests.support.operated import NAME, REGION, VM
from tests.support.plans import output, plan, resource
from tests.support.sealed_plans import facts


def test_ids_and_names() -> None:
    """Everything that a ledger asks for is in the plan."""
    found = destroyed()
    assert (found.stack, found.region, found.vm_name) == ("lab", REGION, NAME)
    assert found.tag == ("environment", "development")
    assert [each.name for each in found.buckets] == [NAME]
    assert [each.name for each in found.queues] == [f"{NAME}-job-queue"]
    assert [each.name for each in found.environments] == [NAME]
    assert [each.id for each in found.machines] == [VM]
    assert found.volume_ids == (DISK,)
    assert [each.name for each in found.key_pairs] == [NAME]
    assert not found.is_empty


def test_in_a_module_it_is_the_same() -> None:
    """But for its addresses, and with provider 6's name of a compute environment."""
    inside, outside = destroyed(module="module.bootstrap"), destroyed()
    assert inside.buckets[0].address == "module.bootstrap.aws_s3_bucket.data_bucket[0]"
    inside_keys, keys = ([each.key for each in of.environments] for of in (inside, outside))
    assert inside_keys == keys


def test_a_bucket_of_before() -> None:
    """It is in the outputs and not among the resources: a destroy does not touch it."""
    others = {at: each for at, each in held().items() if "s3" not in at}
    (bucket,) = destroyed(others, bucket="theirs").buckets
    assert (bucket.name, bucket.address) == ("theirs", None)


def test_nothing_is_applied() -> None:
    """An empty plan is about nothing."""
    assert target_of(facts(region=None), plan()).is_empty


def test_the_environment_names_another_region() -> None:
    """The sealed text has both; the stack's comes first."""
    found = target_of(facts(region="eu-west-2 (environment: us-east-1)"), plan())
    assert found.region == "eu-west-2"


def test_hidden_values_are_no_names() -> None:
    """What the redactor hid is left out, and a hidden flag counts as set."""
    flag, name = ({"before_sensitive": {each: True}} for each in ("force_destroy", "name"))
    bucket = {"bucket": "b", "force_destroy": "secret"}
    hidden = resource("aws_s3_bucket.b", "delete", bucket, **flag)
    nameless = resource("aws_ecr_repository.r", "delete", {"name": "r"}, **name)
    found = target_of(facts(), plan(hidden, nameless))
    assert found.buckets[0].is_emptied
    assert found.repositories == ()


def test_deleted_by_hand() -> None:
    """Drift knows what is gone, so that what it leaves behind is looked for."""
    drifted = resource("aws_instance.vm", "delete", held()["aws_instance.vm"])
    found = target_of(
        facts(), plan(resource_drift=[drifted], output_changes={"x": output("delete", "y")})
    )
    assert (found.machines[0].gone, found.volume_ids) == (True, (DISK,))


def test_keeping_a_bucket() -> None:
    """Its settings are forgotten with it, else the destroy would take its protection away.

    The repository has the same name, and goes.
    """
    assert destroyed().kept_by("aws_s3_bucket", NAME, "aws_s3_bucket.data_bucket[0]") == (
        "terraform -chdir=cdktf.out/stacks/lab state rm 'aws_s3_bucket.data_bucket[0]' "
        "'aws_s3_bucket_public_access_block.data_bucket[0]' "
        "'aws_s3_bucket_versioning.data_bucket[0]'"
    )


def test_the_rest_of_an_earlier_destroy() -> None:
    """What the first one made go is still known to the one that finishes it."""
    rest = destroyed({"aws_ecr_repository.image_repository": {"name": NAME}}, bucket="")
    whole = rest.with_earlier(destroyed())
    assert whole.volume_ids == (DISK,)
    assert len(whole.repositories) == 1
    assert whole.with_earlier(whole) == replace(whole)
