"""Templates: filled with what the error says, and safe to copy into a shell."""

from __future__ import annotations

from biomodal_deploy.review.diagnosis import name_cause


def test_what_is_not_told_stands_in_capitals() -> None:
    """A placeholder that nobody can fill reads like one."""
    match = name_cause("InvalidVpcID.NotFound: The vpc ID 'vpc-1' does not exist")
    assert match
    assert "vpc-1" in match.cause()
    assert match.next() == "aws ec2 describe-vpcs --region REGION"
    assert match.next({"region": "eu-west-2"}) == "aws ec2 describe-vpcs --region eu-west-2"


def test_a_log_puts_no_command_into_a_shell() -> None:
    """What is captured is quoted where it stands in a command, alone or inside a sentence."""
    match = name_cause("BucketNotEmpty: deleting S3 Bucket (x; rm -rf ~ `id`): no")
    assert match
    assert "--bucket 'x; rm -rf ~ `id`'" in match.next()
    locked = name_cause("E: Unable to locate package $(reboot)")
    assert locked
    assert "apt-get install -y '$(reboot)'" in locked.fix()


def test_control_characters_do_not_reach_the_screen() -> None:
    """A field steers no terminal and breaks no line, however long it is."""
    match = name_cause("failed to get shared config profile, a\x1b]0;title\x07b" + "c" * 999)
    assert match
    assert match.fields["profile"].isprintable()
    assert len(match.cause()) < 300


def test_an_encoded_message_stays_whole() -> None:
    """What has to be decoded is in the command to its last letter."""
    message = "p1Eyy_kaD-" * 300
    match = name_cause(f"RunInstances Encoded authorization failure message: {message} x")
    assert match
    assert f"--encoded-message {message}`" in match.fix()


def test_advice_in_one_line_says_only_what_is_known() -> None:
    """A clause with a gap in it is left out of the line that a failed run prints."""
    match = name_cause("Error acquiring the state lock")
    assert match
    assert match.advice() == "wait until the other run has ended"


def test_how_to_release_a_lock() -> None:
    """The exact command where it is known, and no clause about it where there is none."""
    match = name_cause("Error acquiring the state lock Lock Info: ID: 8ec9-f976-3602")
    assert match
    assert match.fix().endswith("`terraform -chdir=DIRECTORY force-unlock 8ec9-f976-3602`")
    assert match.fix({"unlock": "tofu x"}).endswith("any more: `tofu x`")
    assert match.fix({"unlock": ""}) == "wait until the other run has ended"


def test_line_breaks_do_not_matter() -> None:
    """Terraform wraps its boxes anywhere."""
    assert name_cause("Saved\n  plan is\nstale")
