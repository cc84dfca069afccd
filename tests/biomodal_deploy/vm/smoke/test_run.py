"""What the smoke job costs is said beforehand, and never as nothing."""

from __future__ import annotations

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.review.cost import Prices
from biomodal_deploy.vm.deployed import Deployed
from biomodal_deploy.vm.nextflow_facts import nextflow_facts
from biomodal_deploy.vm.smoke import SmokeJob, run
from biomodal_deploy.workflow.location import silent
from tests.support.operated import REGION, deployed, documented
from tests.support.recorded_aws import RecordedAws


def stack(*types: str) -> Deployed:
    """Return a stack whose hosts are of these types."""
    found = documented()
    for each in found["aws_batch_compute_environment"]:
        each["compute_resources"][0]["instance_type"] = list(types)
    return deployed(found)


def test_what_it_costs() -> None:
    """Two vCPUs of the dearest family, On-Demand, for the limit and ten minutes more."""
    found, prices = stack("m5", "r5"), Prices.of("us-east-1")
    request = run.SmokeRequest(timeout_s=3000)
    dearest = max(price.amount for kind in ("m5", "r5") if (price := prices.vcpu(kind)))
    cost = run._cost(found, found.queues[0], request, prices)
    assert cost == round(2 * dearest, 4)
    line = run._cost_line(cost, found.queues[0], request)
    assert f"about {2 * dearest:.2f} USD" in line
    assert "60 minutes" in line


def test_an_unknown_price_is_not_nothing() -> None:
    """A family or a region that the package has no price of: it says so."""
    request = run.SmokeRequest()
    for types, region in ((("m5",), "eu-west-2"), (("zz9",), "us-east-1"), ((), "us-east-1")):
        found = stack(*types)
        cost = run._cost(found, found.queues[0], request, Prices.of(region))
        assert cost is None
        assert "unknown" in run._cost_line(cost, found.queues[0], request)


def test_batchs_own_reason_comes_first() -> None:
    """What it says of a job that waits, on Spot capacity say, is told in its words, escaped."""
    found = stack("m5")
    clients = Clients(RecordedAws({}).session(REGION), REGION)
    job = SmokeJob(nextflow_facts(found, None), "image", clients)
    trial = run._Trial(job, found, found.queues[0], run.SmokeRequest(), silent)
    trial.described = {"statusReason": "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY\x1b[2J - no Spot"}
    blocked = trial._blocked("RUNNABLE")
    assert blocked is not None
    assert blocked.line == "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY [2J - no Spot"
    assert blocked.fix
    assert trial._blocked("STARTING") is None
