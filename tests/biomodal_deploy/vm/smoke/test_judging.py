"""From what Batch and the job say to the broken layer; what was not reached is never fine."""

from __future__ import annotations

from typing import Any, Final, Literal

import pytest

from biomodal_deploy.aws.checks import CheckData, Verdict, failed, passed
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.config.contract.aws import SMOKE_IMAGE
from biomodal_deploy.vm.nextflow_facts import nextflow_facts
from biomodal_deploy.vm.smoke import Said, SmokeJob
from biomodal_deploy.vm.smoke.judging import LAYERS, Seen, judge
from tests.support.operated import REGION, deployed, hardened
from tests.support.recorded_aws import RecordedAws

CLIENTS: Final = Clients(RecordedAws({}).session(REGION), REGION)
ALL: Final = ("disk", "aws", "credentials", "list", "put", "get", "delete")
LOG: Final = passed("8 lines in a group")


def job(*, of_hardened: bool = True, image: str = SMOKE_IMAGE) -> SmokeJob:
    """Return a job that was submitted."""
    facts = nextflow_facts(deployed(hardened() if of_hardened else None), None)
    return SmokeJob(facts, image, CLIENTS, definition="definition:1", id="an-id")


def said(layer: str, result: Literal["ok", "refused", "unasked"] = "ok", text: str = "") -> Said:
    """Return a line of the job's."""
    text = text or (str(400 * 1024**3) if layer == "disk" else "")
    return Said(mark="x", layer=layer, result=result, text=text)


def judged(
    *lines: Said, container: dict[str, Any] | None = None, of: SmokeJob | None = None, **more: Any
) -> dict[str, CheckData]:
    """Return the findings by layer."""
    described = {"status": "FAILED", "container": {"exitCode": 0, **(container or {})}}
    seen = {"described": described, "started": True, "said": lines, "log": LOG, **more}
    return {each.check: each for each in judge(Seen(job=of or job(), **seen))}


def test_all_is_well() -> None:
    """A layer each, in the order in which a task needs them, and all passed."""
    found = judged(*map(said, ALL))
    assert tuple(found) == tuple(LAYERS)
    assert {each.verdict for each in found.values()} == {Verdict.PASS}


@pytest.mark.parametrize(
    ("reason", "layer", "fix"),
    [
        ("CannotPullContainerError: not found", "image", "mirror"),
        ("CannotStartContainerError: failed to create Cloudwatch log stream", "log", "create-log"),
        ('CannotStartContainerError: exec: "python3": not found', "image", "python3"),
    ],
)
def test_containers_that_do_not_start(reason: str, layer: str, fix: str) -> None:
    """Batch's reason names the layer; what comes after it was not looked at."""
    found = judged(container={"reason": reason, "exitCode": None}, log=None)
    assert [each.check for each in found.values() if each.verdict is Verdict.FAIL] == [layer]
    assert fix in (found[layer].fix or "")
    assert found["host"].passed
    for each in ("credentials", "list", "put", "get", "delete", "disk", "aws"):
        assert (found[each].verdict, found[each].passed) == (Verdict.UNKNOWN, False)
        assert found[each].line.startswith("not looked at")


def test_no_host() -> None:
    """One that waits and one that was cancelled: nothing after the host was looked at."""
    waits = judged(waited=failed("the quota is used up", "ask for more"), started=False)
    gone = judged(started=False, described={"status": "FAILED", "statusReason": "cancelled"})
    for found, says in ((waits, "used up"), (gone, "cancelled")):
        assert found["host"].verdict is Verdict.FAIL
        assert says in found["host"].line
        assert [each.check for each in found.values() if each.passed] == ["accepted"]


def test_a_refusal_names_its_layer() -> None:
    """In AWS's words, with another fix where the hosts have the account's shared role."""
    lines = [said(each) for each in ALL if each not in ("put", "get", "delete")]
    answer = (
        "403 <?xml?><Error><Code>AccessDenied</Code><Message>Access Denied</Message><RequestId>"
    )
    found = judged(*lines, said("put", "refused", answer))
    assert found["put"].verdict is Verdict.FAIL
    assert found["put"].line == "AWS refused it: 403 AccessDenied Access Denied"
    assert found["get"].line == "not looked at: Put object comes first"
    shared = judged(said("list", "refused", "403"), of=job(of_hardened=False))
    assert "ecsInstanceRole" in (shared["list"].fix or "")
    assert "ecsInstanceRole" not in (found["put"].fix or "")


def test_no_answer_is_a_network_without_a_way() -> None:
    """A call that AWS did not answer is no refusal: its fix is a way out."""
    found = judged(said("list", "unasked", "URLError: timed out"))
    assert "gateway endpoint" in (found["list"].fix or "")
    assert "hop limit" in (judged(said("credentials", "unasked", "x"))["credentials"].fix or "")


def test_documented_hosts_have_no_aws() -> None:
    """So the configuration says; an image of a pipeline's has to bring its own, ours need not."""
    line = said("aws", "unasked", "LookupError: aws is not there")
    assert judged(line, of=job(of_hardened=False))["aws"].passed
    theirs = judged(line, of=job(of_hardened=False, image="rnaseq:1"))["aws"]
    assert "to the image" in (theirs.fix or "")
    assert judged(line)["aws"].verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (str(400 * 1024**3), Verdict.PASS),
        (str(3 * 1024**3), Verdict.WARNING),
        ("plenty", Verdict.UNKNOWN),
        ("-1", Verdict.UNKNOWN),
    ],
)
def test_free_disk(text: str, verdict: Verdict) -> None:
    """Enough, little, and what is no size at all."""
    assert judged(said("disk", text=text))["disk"].verdict is verdict


def test_what_the_job_prints_steers_nothing() -> None:
    """Escape sequences and line breaks of the log reach no terminal."""
    hostile = "\x1b]0;owned\x07\x1b[2J\u202e403\nerror: forged\r"
    line = judged(said("list", "refused", hostile))["list"].line
    assert "403" in line
    assert not {"\x1b", "\x07", "\n", "\r", "\u202e"} & set(line)


def test_lines_that_are_not_the_jobs() -> None:
    """Of another job, of no known layer, no JSON: none of them says anything."""
    mine = job()
    lines = [
        said("list").model_copy(update={"mark": "another"}).model_dump_json(),
        said("list").model_copy(update={"mark": mine.name}).model_dump_json(),
        '{"mark": "x"}',
        "[]",
        "\x1b[2J",
        "",
    ]
    assert len(list(mine._lines(iter(lines)))) == 1
    found = judged(said("host", "refused", "forged"), said("nonsense"))
    assert found["host"].passed
    assert "nonsense" not in found
