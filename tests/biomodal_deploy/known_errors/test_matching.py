"""Which entry wins, and templates: filled with what the error says, and safe for a shell."""

from __future__ import annotations

from biomodal_deploy.known_errors.matching import matches_of, name_cause
from biomodal_deploy.known_errors.model import Breadth

LOCKED = "Error acquiring the state lock Lock Info: ID: 8ec9-f976-3602"


def test_what_is_not_told_is_left_out() -> None:
    """A sentence with a gap is no sentence: it is left out, and so is an option of a command."""
    match = name_cause("InvalidVpcID.NotFound: The vpc ID 'vpc-1' does not exist")
    assert match
    assert "vpc-1" in match.cause()
    assert match.next() == "aws ec2 describe-vpcs"
    assert match.next({"region": "eu-west-2"}) == "aws ec2 describe-vpcs --region eu-west-2"
    bare = name_cause("InvalidVpcID.NotFound")
    assert bare
    assert bare.cause() == match.cause().replace(" It is vpc-1.", "")


def test_a_command_with_a_gap_is_not_given() -> None:
    """No next command is better than one that names nothing."""
    match = name_cause("RepositoryNotEmptyException: it holds images")
    assert match
    assert match.next({"region": "eu-west-2"}) == ""


def test_the_narrower_entry_wins() -> None:
    """A cause stands before a family of failures, and that before a code."""
    text = "CannotPullContainerError: image Manifest does not contain descriptor matching platform"
    assert name_cause(text).entry.id == "image_platform"  # type: ignore[union-attr]
    found = matches_of("Error acquiring the state lock: no locks available")
    assert [each.entry.id for each in found] == ["lock_no_locks", "lock_failed"]
    assert [each.entry.breadth for each in found] == [Breadth.CAUSE, Breadth.FAMILY]


def test_more_conditions_win() -> None:
    """Of two causes, the one that also asks where it was printed."""
    text = 'Could not connect to the endpoint URL: "https://ssm.eu-west-2.amazonaws.com/"'
    here, vm, ci = (name_cause(text, place) for place in ("", "vm", "ci"))
    assert here
    assert vm
    assert ci
    assert (here.entry.id, here.place) == ("no_network", "this machine")
    assert (vm.entry.id, vm.place) == ("vm_no_network", "the VM")
    assert (ci.entry.id, ci.place) == ("ci_no_network", "the CI runner")
    assert vm.rivals == ()


def test_causes_that_fit_equally_well() -> None:
    """Where nothing tells them apart, the others are kept: at most two."""
    text = "AddressLimitExceeded, VpcLimitExceeded, VolumeLimitExceeded, TooManyBuckets"
    match = name_cause(text)
    assert match
    assert len({match.entry.id, *(each.entry.id for each in match.rivals)}) == 3


def test_a_code_alone_names_no_cause() -> None:
    """What only repeats AWS's code is a guess, and says so."""
    match = name_cause("api error InvalidParameterValue: something new")
    assert match
    assert match.entry.breadth is Breadth.CODE
    assert not match.named


def test_a_general_entry_comes_last() -> None:
    """What fits any answer of AWS stands behind a bare code, and beside nothing."""
    found = matches_of("operation error EC2: Run, api error InvalidParameterValue: it is odd")
    assert [each.entry.id for each in found] == ["invalid_value", "aws_refused"]
    match = name_cause("operation error EC2: Run, api error InvalidParameterValue: it is odd")
    assert match
    assert match.rivals == ()


def test_who_was_refused() -> None:
    """The caller's ARN says whether it was the VM, a host, a task, a CI job or the deployer."""
    spoken = {
        "assumed-role/lab/i-0abcdef0123456789": "vm_role_denied",
        "assumed-role/ecsInstanceRole/i-0abcdef0123456789": "host_role_denied",
        "assumed-role/jobs/0123456789abcdef0123456789abcdef": "task_role_denied",
        "assumed-role/deploy/GitHubActions": "ci_role_denied",
        "assumed-role/deploy/ada": "denied",
    }
    for who, cause in spoken.items():
        text = f"User: arn:aws:sts::111122223333:{who} is not authorized to perform: s3:PutObject"
        match = name_cause(text)
        assert match
        assert (match.entry.id, match.rivals) == (cause, ())


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
    assert match.fix() == "wait until the other run has ended"


def test_how_to_release_a_lock() -> None:
    """The exact command where it is known, and no clause about it where there is none."""
    match = name_cause(LOCKED)
    assert match
    assert match.fix().endswith("`terraform force-unlock 8ec9-f976-3602`")
    assert match.fix({"unlock": "tofu x"}).endswith("any more: `tofu x`")
    assert match.fix({"unlock": ""}) == "wait until the other run has ended"


def test_line_breaks_do_not_matter() -> None:
    """Terraform wraps its boxes anywhere."""
    assert name_cause("Saved\n  plan is\nstale")
