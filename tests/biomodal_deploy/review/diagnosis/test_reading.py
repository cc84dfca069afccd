"""Logs as they come: boxes, events, colours, other systems' line ends, and hostile ones."""

from __future__ import annotations

import io
import json
import random
import time

import pytest

from biomodal_deploy.review.diagnosis import Diagnosis, diagnose

STALE = "Saved plan is stale"
TAKEN = (
    "creating S3 Bucket (lab): operation error S3: CreateBucket, https response error StatusCode: "
    "409, RequestID: {id}, HostID: x, BucketAlreadyExists: "
)
BOX = """\
aws_s3_bucket.data: Creating...
\x1b[31m╷\x1b[0m\x1b[0m
\x1b[31m│\x1b[0m \x1b[31mError: \x1b[0m\x1b[1mcreating S3 Bucket (lab): operation error S3:
\x1b[31m│\x1b[0m CreateBucket, https response error StatusCode: 409, RequestID: 1, HostID: 2,
\x1b[31m│\x1b[0m BucketAlreadyExists:
\x1b[31m│\x1b[0m
\x1b[31m│\x1b[0m   with aws_s3_bucket.data,
\x1b[31m│\x1b[0m   on cdk.tf.json line 7, in resource.aws_s3_bucket.data:
\x1b[31m│\x1b[0m    7:     "user_data": "no space left on device"
\x1b[31m╵\x1b[0m\x1b[0m
Releasing state lock. This may take a few moments...
"""


def read(text: str | bytes) -> Diagnosis:
    """Diagnose a text."""
    return diagnose(io.BytesIO(text.encode() if isinstance(text, str) else text))


def causes(text: str | bytes) -> list[str]:
    """Return the named causes of a text."""
    return [each.match.entry.id for each in read(text).named if each.match]


def event(summary: str, detail: str = "", severity: str = "error", address: str = "") -> str:
    """Return a line of Terraform's event stream."""
    said = {"severity": severity, "summary": summary, "detail": detail, "address": address or None}
    return json.dumps(
        {"@level": severity, "@message": summary, "type": "diagnostic", "diagnostic": said}
    )


def test_a_box_with_colours() -> None:
    """The error of a box is one error, with its resource; the code that it quotes is none."""
    (finding,) = read(BOX).findings
    assert finding.match
    assert finding.match.entry.id == "bucket_taken"
    assert finding.match.fields == {"bucket": "lab"}
    assert finding.addresses == ["aws_s3_bucket.data"]
    assert finding.error.line == 3
    assert "\x1b" not in finding.error.raw


def test_boxes_that_touch_are_errors_of_their_own() -> None:
    """Terraform prints nothing between two boxes: neither of them is lost in the other."""
    one = "╷\n│ Error: creating EC2 EIP: api error AddressLimitExceeded: x\n│ \n╵\n"
    two = "╷\n│ Error: deleting S3 Bucket (lab): BucketNotEmpty: y\n╵\n"
    assert causes(one + two) == ["address_quota", "bucket_not_empty"]


def test_what_was_tried_again_counts_only_without_a_success() -> None:
    """A retry that went well is no error; one that nothing follows is, and Terraform's is too."""
    retry = "[WARN] retrying request EC2/DescribeVpcs: RequestLimitExceeded\n"
    again = "NOTE: Process `A` terminated with an error exit status (143) -- Execution is retried\n"
    assert causes(f"{retry}Apply complete! Resources: 1 added, 0 changed, 0 destroyed.\n") == []
    assert causes(f"{again}Succeeded   : 3\n") == []
    assert causes(retry) == ["throttled"]
    assert causes(f"{retry}Error: {STALE}\n") == ["stale_plan"]
    assert causes(f"Apply complete!\n{retry}") == ["throttled"]


def test_a_heading_of_nextflow_belongs_to_the_next_line() -> None:
    """The exit status stands below its heading, and what a task printed is the task's."""
    assert causes("Command exit status:\n  137\n") == ["task_memory"]
    heap = "java.lang.OutOfMemoryError: Java heap space\n"
    assert causes(f"Command error:\n  {heap}") == ["task_java_memory"]
    assert causes(f"ERROR ~ {heap}") == ["head_memory"]


def test_what_is_caused_by_the_next_line_is_one_error() -> None:
    """AWS's library for Go breaks its message before the cause, which alone says too little."""
    log = (
        "CannotStartContainerError: failed to initialize logging driver: RequestError\n"
        "caused by: Post https://logs.eu-west-2.amazonaws.com/: dial tcp 10.0.0.9:443: i/o time\n"
    )
    assert causes(log) == ["host_logs"]
    flood = "x: send request failed\n" + "caused by: no such thing\n" * 10_000
    assert read(flood).lines == 10_001


def test_a_comment_a_line_of_a_plan_or_of_a_program_is_no_error() -> None:
    """What somebody wrote into a configuration is not what happened."""
    comment = "# when S3 says SlowDown: wait\n// BucketNotEmpty is fine\n"
    plan = '  + description = "RequestLimitExceeded"\n  ~ name = "no space left on device"\n'
    plan += '  - "Rate exceeded",\n'
    code = (
        '  *NoSuchBucket*) make;;\n  except AccessDenied: pass\nif [ "$e" = "BucketNotEmpty: x" ]\n'
    )
    assert causes(comment + plan + code) == []


def test_plain_errors_in_order_with_line_ends_of_windows() -> None:
    """Several errors without boxes: each once, in order, the unknown one word for word."""
    new = "Error: Something new\n\n  with x.y,\n\nIts detail.\n"
    text = f"Error: {STALE}\n\nwords\n\n{new}\nError: {STALE}\n"
    found = read(text.replace("\n", "\r\n"))
    assert [each.match.entry.id if each.match else None for each in found.findings] == [
        "stale_plan",
        None,
    ]
    assert found.findings[0].count == 2
    assert found.findings[1].error.raw == "Something new\n\n\nIts detail."
    assert found.findings[1].addresses == ["x.y"]


def test_events() -> None:
    """Terraform's `-json` lines: errors with their resources, and no warning."""
    lines = [
        event("Old argument", "BucketAlreadyExists", severity="warning"),
        event(TAKEN.format(id=1), address="aws_s3_bucket.a"),
        event(TAKEN.format(id=2), address="aws_s3_bucket.b"),
        '{"@level":"info","@message":"no space left on device","type":"log"}',
    ]
    (finding,) = read("\n".join(lines)).findings
    assert finding.count == 2  # a request id makes it no other error
    assert finding.addresses == ["aws_s3_bucket.a", "aws_s3_bucket.b"]


def test_a_warning_is_no_error() -> None:
    """What a warning says is not taken for a cause, boxed or plain."""
    assert causes("╷\n│ Warning: x\n│ no space left on device\n╵\n") == []
    assert causes("Warning: x\n\nno space left on device\n") == []


def test_what_a_ci_system_puts_before_each_line() -> None:
    """Timestamps of a CI log, of the EC2 console and of cloud-init do not hide the error."""
    stamped = "".join(f"2026-11-28T10:00:00.1234567Z {line}\n" for line in BOX.splitlines())
    assert causes(stamped) == ["bucket_taken"]
    console = "[   31.4] cloud-init[1234]: E: Unable to locate package openjdk-21-jdk\n"
    assert causes(console) == ["apt_no_package"]


def test_a_start_up_log() -> None:
    """Each cause once, however many lines say it, and not what only follows from it."""
    log = """\
biomodal install: step 1/5: updating package repositories
Err:1 http://archive.ubuntu.com/ubuntu jammy InRelease
  Temporary failure resolving 'archive.ubuntu.com'
  Temporary failure resolving 'security.ubuntu.com'
E: Some index files failed to download. They have been ignored, or old ones used instead.
biomodal install: FAILED with status 100 at line 89, in step 1/5: updating package repositories
cc_scripts_user.py[WARNING]: Failed to run module scripts-user (scripts in /var/lib/cloud)
"""
    first, second = read(log).findings
    assert first.match
    assert first.match.fields == {"host": "archive.ubuntu.com"}
    assert first.count == 2
    assert second.match
    assert second.match.entry.id == "install_failed"
    assert causes(log.splitlines()[-1]) == ["cloud_init_failed"]


def test_a_log_without_an_end() -> None:
    """A run that was killed is named, also where nothing else went wrong."""
    start = (
        '{"@module":"biomodal-aws","@timestamp":"x","type":"run_started","verb":"apply","pid":1}'
    )
    end = '{"@module":"biomodal-aws","@timestamp":"x","type":"run_ended","status":1,"steps":[]}'
    assert causes(start) == ["killed_run"]
    assert causes(f"{start}\n{end}\n") == []
    assert causes(f"{start}\n{event(STALE)}\n") == ["stale_plan"]


def test_other_encodings() -> None:
    """PowerShell writes UTF-16, editors a mark at the beginning, and broken bytes do no harm."""
    assert causes(f"Error: {STALE}\n".encode("utf-16")) == ["stale_plan"]
    assert causes(b"\xef\xbb\xbfError: Saved plan is stale\n") == ["stale_plan"]
    assert causes(b"\xff\xfe\xfa\x00\nError: Saved plan is stale \xc3(\n") == []
    assert causes(b"\x00\x00\nError: \x00Saved plan is stale\xc3(\n") == ["stale_plan"]


def test_nothing_inside() -> None:
    """Without an error there is no finding: an empty file, a good run, random bytes."""
    for text in (b"", b"all is well\n", random.Random(1).randbytes(500_000)):
        assert read(text).findings == ()
    assert read(random.Random(1).randbytes(5_000)).binary
    assert not read(b"all is well\n").binary


def test_what_only_looks_like_an_error() -> None:
    """Where nothing is known, the last lines that look bad are kept, with their numbers."""
    found = read("fine\n" + "".join(f"tool: failed for reason {n}\n" for n in range(9)))
    assert found.findings == ()
    assert [number for number, _ in found.suspects] == [6, 7, 8, 9, 10]


def test_secrets_are_hidden_before_anything_is_told() -> None:
    """An error that quotes a secret is shown without it."""
    name = "RSA PRIVATE KEY"
    key = f"-----BEGIN {name}-----\nMIIsecret\n-----END {name}-----"
    for form in (
        f"Error: New\n\npassword = hunter2\n{key}\n",
        event("New", f"{key}\ntoken=hunter2"),
    ):
        (finding,) = read(form).findings
        shown = finding.error.raw + finding.error.text
        assert "hunter2" not in shown
        assert "MIIsecret" not in shown


@pytest.mark.slow
def test_a_large_log_is_read_fast_and_in_little_memory() -> None:
    """The error at the end of megabytes is found, and a line of megabytes does no harm."""
    line = b"module.x.aws_instance.vm: Still creating... [10s elapsed] and more of that\n"
    text = line * (2_000_000 // len(line)) + b"x" * 2_000_000 + b"\nError: Saved plan is stale\n"
    started = time.process_time()
    assert causes(text) == ["stale_plan"]
    assert time.process_time() - started < 5


@pytest.mark.slow
def test_an_error_in_the_middle_of_a_line_without_end() -> None:
    """What stands around the known words is read, wherever in the line they are."""
    for before in (10, 40_000, 3_000_000):
        text = "x" * before + " api error AddressLimitExceeded: The maximum " + "y" * 100_000
        assert causes(text) == ["address_quota"]


@pytest.mark.slow
def test_a_flood_of_different_errors_ends() -> None:
    """More errors than anybody reads are counted, not kept; the last ones count for more."""
    flood = "".join(f"Error: Something new {number}\n" for number in range(5_200))
    found = read(f"{flood}Error: {STALE}\n")
    assert len(found.findings) == 51
    assert found.unread == 5_200 - 50
    assert [each.match.entry.id for each in found.named if each.match] == ["stale_plan"]


def test_a_word_by_chance_is_no_cause() -> None:
    """Text that shares a word with an error is not named after it."""
    assert causes("reading the plan failed, and the bucket already has what is in it\n") == []
