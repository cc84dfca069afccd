"""The catalog: every entry proves itself on its own example and claims no other's."""

from __future__ import annotations

import io
import re
import shlex
import tomllib
from typing import Any, Final

import pytest

from biomodal_deploy.config.contract import all_variables
from biomodal_deploy.known_errors import Breadth, grouped, mark_of
from biomodal_deploy.known_errors.catalog import AREAS, Match, catalog, matches_of, name_cause
from biomodal_deploy.review.diagnosis import diagnose
from tests.support import commands_page
from tests.support.aws_command import parse
from tests.support.project import ROOT

ENTRIES: Final = catalog().entries
# Not one of the stack's variables: of this command line, of other programs.
OTHER: Final = re.compile(
    r"(?:AWS|BIOMODAL|NXF|TF)_[A-Z_]+|HTTPS_PROXY|NO_PROXY|SSL_CERT_FILE|--var(?:-file)?"
    r"|terraform\.tfvars|\w+ \(cdktf\.json\)"
)
# What takes something away that cannot be had back, or lets somebody in.
UNSAFE: Final = re.compile(
    r"\b(?:delete|destroy|terminate|remove|rm|force-unlock|unlock|apply|import|push|put|chmod"
    r"|revoke|authorize|detach|--force|--yes|-auto-approve)\b"
)
# Commands of the AWS CLI that are no operation of an API.
HELPERS: Final = frozenset(
    {"configure", "sso", ("s3", "presign"), ("ecr", "get-login-password"), ("logs", "tail")}
)
# What is known of the stack where the error does not tell.
FROM_THE_STACK: Final = {"region", "directory", "unlock", "vpc_id", "subnet_id", "place"}
OWNERS: Final = frozenset(
    {"aws", "aws-actions", "canonical", "hashicorp", "moby", "nextflow-io", "open-constructs"}
)
WORDS: Final = tomllib.loads((ROOT / "tests/data/known_errors.toml").read_text(encoding="utf-8"))
PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


def cause_of(text: str, place: str = "") -> Match:
    """Return the cause of a text that has one."""
    match = name_cause(text, place)
    assert match
    return match


def named(text: str) -> list[str]:
    """Return the cause of a text and what fits it equally well."""
    match = name_cause(text)
    return [each.entry.id for each in (match, *match.rivals)] if match else []


@pytest.mark.slow
def test_the_confusion_matrix_is_clean() -> None:
    """Each entry's two texts name that entry and nothing else beside it."""
    assert set(WORDS) == {entry.id for entry in ENTRIES}
    texts = [(entry.id, entry.example) for entry in ENTRIES]
    texts += [(name, each["again"]) for name, each in WORDS.items()]
    found = ((text, name, named(text)) for name, text in texts)
    assert {text: causes for text, name, causes in found if causes != [name]} == {}


@pytest.mark.parametrize("change", [{"match": ("a.b",)}, {"fields": {"x": ("none",)}}])
def test_every_pattern_can_be_used(change: dict[str, Any]) -> None:
    """Each compiles and has a text to look for, one of a field one group; others are refused."""
    for entry in ENTRIES:
        entry.check_patterns()
    wrong = ENTRIES[0].model_copy(update=change)
    with pytest.raises(ValueError, match="the pattern"):
        wrong.check_patterns()


@pytest.mark.slow
def test_near_misses_are_another_error() -> None:
    """What shares words with an entry and is another error does not match it at all."""
    wrong = {
        (name, text)
        for name, each in WORDS.items()
        for text in each["near"]
        if name in [match.entry.id for match in matches_of(text)]
    }
    assert wrong == set()
    assert all(len(each["near"]) == 2 for each in WORDS.values())


def test_sources_are_of_the_program_concerned() -> None:
    """An issue that is named is one of the program's own, no stranger's."""
    strangers = {
        (entry.id, source)
        for entry in ENTRIES
        for source in entry.source
        if (found := re.match(r"([\w.-]+)/[\w.-]+#\d+$", source)) and found[1] not in OWNERS
    }
    assert strangers == set()


@pytest.mark.slow
def test_its_example_is_found_in_a_log() -> None:
    """As a file, through the same reader that a user's log goes through, it is named once."""
    for entry in ENTRIES:
        log = f"some line\n\n{entry.example.strip()}\n\nsome other line\n"
        found = diagnose(io.BytesIO(log.encode())).named
        assert [each.match.entry.id for each in found if each.match] == [entry.id]


@pytest.mark.slow
def test_what_its_example_tells_is_read_from_it() -> None:
    """Each field is captured from the example, so no pattern of a field is dead."""
    for entry in ENTRIES:
        match = matches_of(entry.example)[0]
        if entry.id == "bucket_missing":  # its example is the AWS CLI's, which names none
            match = matches_of("reading S3 Bucket (lab): NoSuchBucket")[0]
        assert set(match.fields) == set(entry.fields), entry.id
        assert entry.placeholders - FROM_THE_STACK <= set(entry.fields), entry.id


def test_its_next_command_is_safe() -> None:
    """The next command only looks, or makes a plan: nothing is lost where it is the wrong one."""
    assert [entry.next for entry in ENTRIES if UNSAFE.search(entry.next)] == []


def test_its_commands_exist() -> None:
    """What is advised can be typed: our commands and options, and the AWS CLI's."""
    known = commands_page.every_command()
    for entry in ENTRIES:
        for line in (entry.next, *re.findall(r"`([^`]*)`", f"{entry.cause} {entry.fix}")):
            words = shlex.split(PLACEHOLDER.sub(r"\1", line).partition(" | ")[0])
            if words[0] == "biomodal-aws":
                command = known.get(" ".join(words[1:3])) or known[words[1]]
                options = {option for each in command.params for option in each.opts}
                assert {word for word in words if word.startswith("--")} <= options, line
            elif words[0] == "aws" and words[1] not in HELPERS and tuple(words[1:3]) not in HELPERS:
                parse(shlex.join(words).replace("aws s3api ", "aws s3 "))


def test_its_variables_exist() -> None:
    """What it says to set can be set."""
    known = {each.name for each in all_variables()}
    for entry in ENTRIES:
        unknown = [
            each for each in entry.variables if each not in known and not OTHER.fullmatch(each)
        ]
        assert unknown == [], entry.id


def test_it_is_written_to_be_read() -> None:
    """Sentences end, advice fits behind "Next:", and a source says where it comes from."""
    for entry in ENTRIES:
        assert entry.cause.endswith((".", "}")), entry.id
        assert not entry.fix.endswith("."), entry.id
        assert not entry.title.endswith("."), entry.id
        assert entry.source
        # With nothing filled in, there is still a cause and something to do.
        bare = Match(entry)
        assert bare.cause(), entry.id
        assert bare.fix(), entry.id


def test_there_is_something_for_every_area() -> None:
    """Each data file is read, and the whole is worth having."""
    assert {entry.area for entry in ENTRIES} == set(AREAS)
    assert len(ENTRIES) >= 220


@pytest.mark.parametrize(
    ("pattern", "mark"),
    [
        ("saved plan is stale", "saved plan is stale"),
        (r"invalidvpcid\.notfound", "invalidvpcid.notfound"),
        (r"error: (?:a|b) wordy text", " wordy text"),
        ("colou?rs of a rainbow", "rs of a rainbow"),
        (r"failed to load .*plan", "failed to load "),
        ("[abc]{3}longer", "longer"),
    ],
)
def test_marks(pattern: str, mark: str) -> None:
    """The mark is text that stands in everything the pattern matches."""
    assert mark_of(pattern) == mark


def test_no_pattern_takes_for_ever() -> None:
    """A log that is made to be slow is not: no pattern has two parts that match anything."""
    for entry in ENTRIES:
        fields = [pattern for each in entry.fields.values() for pattern in each]
        for pattern in (*entry.match, *entry.needs, *entry.unless, *fields):
            assert pattern.count(".*") <= 1, f"{entry.id}: {pattern}"


def test_groups_of_marks() -> None:
    """Each mark is in one group, and holds the letters that its group shares."""
    groups = list(grouped(catalog().marks))
    assert sorted(mark for _, group in groups for mark in group) == sorted(catalog().marks)
    assert all(seed in mark for seed, group in groups for mark in group)
    assert len(groups) < len(catalog().marks) / 3


def test_alternatives_have_no_mark() -> None:
    """A pattern whose alternatives have nothing in common is refused, not searched in vain."""
    with pytest.raises(ValueError, match="one by one"):
        mark_of("this|that")


LOCKED = "Error acquiring the state lock Lock Info: ID: 8ec9-f976-3602"


def test_what_is_not_told_is_left_out() -> None:
    """A sentence with a gap is no sentence: it is left out, and so is an option of a command."""
    match = cause_of("InvalidVpcID.NotFound: The vpc ID 'vpc-1' does not exist")
    assert "vpc-1" in match.cause()
    assert match.next() == "aws ec2 describe-vpcs"
    assert match.next({"region": "eu-west-2"}) == "aws ec2 describe-vpcs --region eu-west-2"
    bare = cause_of("InvalidVpcID.NotFound")
    assert bare.cause() == match.cause().replace(" It is vpc-1.", "")


def test_a_command_with_a_gap_is_not_given() -> None:
    """No next command is better than one that names nothing."""
    match = cause_of("RepositoryNotEmptyException: it holds images")
    assert match.next({"region": "eu-west-2"}) == ""


def test_the_narrower_entry_wins() -> None:
    """A cause stands before a family of failures, and that before a code."""
    text = "CannotPullContainerError: image Manifest does not contain descriptor matching platform"
    assert cause_of(text).entry.id == "image_platform"
    found = matches_of("Error acquiring the state lock: no locks available")
    assert [each.entry.id for each in found] == ["lock_no_locks", "lock_failed"]
    assert [each.entry.breadth for each in found] == [Breadth.CAUSE, Breadth.FAMILY]


def test_more_conditions_win() -> None:
    """Of two causes, the one that also asks where it was printed."""
    text = 'Could not connect to the endpoint URL: "https://ssm.eu-west-2.amazonaws.com/"'
    here, vm, ci = (cause_of(text, place) for place in ("", "vm", "ci"))
    assert (here.entry.id, here.place) == ("no_network", "this machine")
    assert (vm.entry.id, vm.place) == ("vm_no_network", "the VM")
    assert (ci.entry.id, ci.place) == ("ci_no_network", "the CI runner")
    assert vm.rivals == ()


def test_causes_that_fit_equally_well() -> None:
    """Where nothing tells them apart, the others are kept: at most two."""
    text = "AddressLimitExceeded, VpcLimitExceeded, VolumeLimitExceeded, TooManyBuckets"
    match = cause_of(text)
    assert len({match.entry.id, *(each.entry.id for each in match.rivals)}) == 3


def test_a_code_alone_names_no_cause() -> None:
    """What only repeats AWS's code is a guess, and says so."""
    match = cause_of("api error InvalidParameterValue: something new")
    assert match.entry.breadth is Breadth.CODE
    assert not match.named


def test_a_general_entry_comes_last() -> None:
    """What fits any answer of AWS stands behind a bare code, and beside nothing."""
    found = matches_of("operation error EC2: Run, api error InvalidParameterValue: it is odd")
    assert [each.entry.id for each in found] == ["invalid_value", "aws_refused"]
    match = cause_of("operation error EC2: Run, api error InvalidParameterValue: it is odd")
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
        match = cause_of(text)
        assert (match.entry.id, match.rivals) == (cause, ())


def test_a_log_puts_no_command_into_a_shell() -> None:
    """What is captured is quoted where it stands in a command, alone or inside a sentence."""
    match = cause_of("BucketNotEmpty: deleting S3 Bucket (x; rm -rf ~ `id`): no")
    assert "--bucket 'x; rm -rf ~ `id`'" in match.next()
    locked = cause_of("E: Unable to locate package $(reboot)")
    assert "apt-get install -y '$(reboot)'" in locked.fix()


def test_control_characters_do_not_reach_the_screen() -> None:
    """A field steers no terminal and breaks no line, however long it is."""
    match = cause_of("failed to get shared config profile, a\x1b]0;title\x07b" + "c" * 999)
    assert match.fields["profile"].isprintable()
    assert len(match.cause()) < 300


def test_an_encoded_message_stays_whole() -> None:
    """What has to be decoded is in the command to its last letter."""
    message = "p1Eyy_kaD-" * 300
    match = cause_of(f"RunInstances Encoded authorization failure message: {message} x")
    assert f"--encoded-message {message}`" in match.fix()


def test_advice_in_one_line_says_only_what_is_known() -> None:
    """A clause with a gap in it is left out of the line that a failed run prints."""
    match = cause_of("Error acquiring the state lock")
    assert match.fix() == "wait until the other run has ended"


def test_how_to_release_a_lock() -> None:
    """The exact command where it is known, and no clause about it where there is none."""
    match = cause_of(LOCKED)
    assert match.fix().endswith("`terraform force-unlock 8ec9-f976-3602`")
    assert match.fix({"unlock": "tofu x"}).endswith("any more: `tofu x`")
    assert match.fix({"unlock": ""}) == "wait until the other run has ended"


def test_line_breaks_do_not_matter() -> None:
    """Terraform wraps its boxes anywhere."""
    assert name_cause("Saved\n  plan is\nstale")


def test_a_quoted_sentence_ends_once() -> None:
    """Words of the error that end with a full stop get no second one."""
    text = "(ClientException) when calling the SubmitJob operation: The job is not for this."
    cause = matches_of(text)[0].cause()
    assert cause.endswith("The job is not for this.")
