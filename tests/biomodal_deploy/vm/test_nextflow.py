"""Nextflow's files: what they say for what was built, and whether they can be read back."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy.errors import UsageError
from biomodal_deploy.vm.nextflow import (
    config_text,
    environment_text,
    groovy,
    heap_mib,
    shell,
    write_files,
)
from biomodal_deploy.vm.nextflow_facts import NextflowFacts, nextflow_facts
from tests.support.nextflow import groovy_errors, groovy_missing, groovy_reads, nextflow_reads
from tests.support.operated import NAME, deployed, documented, environment, hardened, queue

# Nextflow's documentation, "Configuration options" and "Process directives", version 25.10.
OPTIONS: Final = {
    "workDir",
    "process.executor",
    "process.queue",
    "process.errorStrategy",
    "process.maxRetries",
    "aws.region",
    "aws.batch.cliPath",
    "aws.batch.jobRole",
    "aws.batch.logsGroup",
    "aws.batch.maxSpotAttempts",
}
HOSTILE: Final = "a'b\"c$d${e}\\f\nworkDir = 'x' // \\u000a \u2028 é \U0001f9ec */ /*"


def facts(resources: dict[str, Any] | None = None, memory: int | None = 8192) -> NextflowFacts:
    """Return the facts of a stack; the documented one where nothing else is given."""
    return nextflow_facts(deployed(resources), memory)


def settings(text: str) -> dict[str, str]:
    """Return the options of a configuration with their expressions, as it is laid out."""
    found: dict[str, str] = {}
    scope: list[str] = []
    for line in map(str.strip, text.splitlines()):
        if line == "}":
            scope.pop()
        elif opened := re.fullmatch(r"(\w+) \{", line):
            scope.append(opened[1])
        elif given := re.fullmatch(r"(\w+) = (.*)", line):
            found[".".join([*scope, given[1]])] = given[2]
    assert scope == []
    return found


_TEXTS: Final = (
    "stack region bucket registry queue on_demand_queue cli_path job_role logs_group instance_type"
)
_HOSTILE: Final[dict[str, Any]] = dict.fromkeys(_TEXTS.split(), HOSTILE)
VARIANTS: Final = {
    "documented": facts(),
    "hardened": facts(hardened()),
    "on-demand": facts(
        documented() | {"aws_batch_compute_environment": [environment(kind="EC2", role="own")]}
    ),
    "hostile": replace(facts(hardened()), **_HOSTILE),
}
EVERY: Final = pytest.mark.parametrize("name", sorted(VARIANTS))


def test_documented() -> None:
    """One Spot queue, Batch tries again, and the comments say what the set-up lacks."""
    text = config_text(VARIANTS["documented"])
    assert settings(text) == {
        "workDir": f"'s3://{NAME}/nf-work'",
        "process.executor": "'awsbatch'",
        "process.queue": f"'{NAME}-job-queue'",
        "process.errorStrategy": (
            "{ task.exitStatus in [143, 2147483647] ? 'retry' : 'terminate' }"
        ),
        "process.maxRetries": "2",
        "aws.region": "'eu-west-2'",
        "aws.batch.maxSpotAttempts": "5",
    }
    for word in ("Spot hosts only", "No cliPath", "ecsInstanceRole", "403", "biomodal-aws doctor"):
        assert word in text


def test_hardened() -> None:
    """Spot first, On-Demand on the next attempt, and what the hosts have is used."""
    text = config_text(VARIANTS["hardened"])
    found = settings(text)
    assert found["process.queue"] == (
        f"{{ task.attempt > 1 ? '{NAME}-job-queue-on-demand' : '{NAME}-job-queue' }}"
    )
    assert found["aws.batch.cliPath"] == "'/opt/aws-cli/bin/aws'"
    assert found["aws.batch.maxSpotAttempts"] == "0"
    assert found["aws.batch.logsGroup"] == f"'/biomodal/{NAME}/tasks'"
    assert "ecsInstanceRole" not in text


def test_on_demand_alone() -> None:
    """Nothing is said of Spot where there is none."""
    text = config_text(VARIANTS["on-demand"])
    assert "Spot hosts only" not in text
    assert settings(text)["aws.batch.maxSpotAttempts"] == "0"


def test_a_role_for_tasks_is_used() -> None:
    """Where one was built."""
    with_role = replace(VARIANTS["hardened"], job_role="arn:aws:iam::1:role/tasks")
    assert settings(config_text(with_role))["aws.batch.jobRole"] == "'arn:aws:iam::1:role/tasks'"


@EVERY
def test_only_options_that_nextflow_has(name: str) -> None:
    """Nothing else stands there, and a hostile name adds no option."""
    assert set(settings(config_text(VARIANTS[name]))) <= OPTIONS


@EVERY
def test_the_configuration_by_groovys_grammar_which_is_not_nextflow(name: str) -> None:
    """It parses as Groovy without an error, whatever the names are."""
    assert groovy_errors(config_text(VARIANTS[name])) == []


def test_groovys_grammar_finds_what_is_broken() -> None:
    """The check above can fail: an unescaped quotation mark, a brace too few."""
    text = config_text(VARIANTS["documented"])
    assert groovy_errors(text.replace("'eu-west-2'", "'eu'-west-2'"))
    assert groovy_errors(text.rstrip().removesuffix("}"))


BROKEN: Final = "broken"


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Each variant as Groovy evaluates it, and one that is broken: one start of Java for all."""
    if missing := groovy_missing():
        pytest.skip(missing)
    texts = {name: config_text(given) for name, given in VARIANTS.items()}
    texts[BROKEN] = texts["documented"].replace("'eu-west-2'", "'eu'-west-2'")
    return groovy_reads(texts, tmp_path_factory.mktemp("groovy"))


@pytest.mark.slow
@EVERY
def test_groovy_itself_evaluates_the_configuration(name: str, read: Mapping[str, Any]) -> None:
    """Every value is exactly the stack's, whatever the names are, and nothing else is set."""
    given, found = VARIANTS[name], read[name]
    assert set(found) == set(settings(config_text(given)))
    assert (found["workDir"], found["aws.region"]) == (given.work_dir, given.region)
    assert found.get("aws.batch.cliPath") == given.cli_path
    assert found.get("aws.batch.jobRole") == given.job_role
    assert found.get("aws.batch.logsGroup") == given.logs_group
    assert found["process.executor"] == "awsbatch"


@pytest.mark.slow
@EVERY
def test_groovy_evaluates_the_closures(name: str, read: Mapping[str, Any]) -> None:
    """Spot on a first attempt and On-Demand after it; a lost host alone is tried again."""
    given, found = VARIANTS[name], read[name]
    first, later = given.queue, given.on_demand_queue
    assert found["process.queue"] == ([first, first, later, later] if later else first)
    assert found["process.errorStrategy"] == ["terminate", "terminate", "retry", "retry"]
    assert found["process.maxRetries"] == 2


@pytest.mark.slow
def test_groovy_refuses_what_is_broken(read: Mapping[str, Any]) -> None:
    """The checks above can fail."""
    assert "eu'-west-2'" in read[BROKEN]


def test_only_what_cancels_is_said_to_cancel() -> None:
    """The hardened queues cancel jobs by themselves, the documented one does not."""
    assert "job_state_time_limit_action" in config_text(VARIANTS["hardened"])
    for name in ("documented", "on-demand"):
        text = config_text(VARIANTS[name])
        assert "job_state_time_limit_action" not in text
        assert "Nothing cancels" in text
    one = hardened()
    one["aws_batch_job_queue"][1] |= {"job_state_time_limit_action": []}
    assert "Nothing cancels" in config_text(facts(one))


@pytest.mark.skipif(
    shutil.which("nextflow") is None,
    reason="no nextflow on PATH: Groovy alone has judged the configuration",
)
@EVERY
def test_nextflow_itself_reads_the_configuration(name: str, tmp_path: Path) -> None:
    """Nextflow, where it is."""
    read = nextflow_reads(config_text(VARIANTS[name]), tmp_path)
    assert read
    assert "process.executor = 'awsbatch'" in read


@EVERY
def test_a_shell_reads_the_environment(name: str) -> None:
    """Exactly the values, and nothing else happens."""
    given = VARIANTS[name]
    done = subprocess.run(
        ["sh", "-eu", "-c", f'{environment_text(given)}printf "%s\\0" "$AWS_REGION" "$NXF_WORK"'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{given.region}\0{given.work_dir}\0"
    assert done.stderr == ""


def test_memory() -> None:
    """Half of the machine, at most 16 GiB; unknown memory is left to the reader, as a comment."""
    assert [heap_mib(mib) for mib in (512, 1024, 8192, 65536)] == [256, 512, 4096, 16384]
    assert "export NXF_OPTS='-Xms512m -Xmx4096m'\n" in environment_text(facts())
    unknown = environment_text(facts(memory=None))
    assert re.findall(r"^.*NXF_OPTS.*$", unknown, re.MULTILINE) == [
        "# export NXF_OPTS='-Xms512m -Xmx4096m'"
    ]


def test_texts_are_the_same_every_time() -> None:
    """They can be kept in version control."""
    assert config_text(facts(hardened())) == config_text(VARIANTS["hardened"])
    assert environment_text(facts()) == environment_text(VARIANTS["documented"])


def test_without_a_queue_or_a_bucket() -> None:
    """There is nothing to configure yet, and the line says what to do."""
    with pytest.raises(UsageError, match="no job queue yet"):
        nextflow_facts(deployed(documented() | {"aws_batch_job_queue": []}), None)
    with pytest.raises(UsageError, match="bucket_url"):
        nextflow_facts(deployed(given={}), None)


def test_a_queue_of_unknown_hosts_is_taken_as_it_is() -> None:
    """One that mixes both kinds is the only one there is."""
    both = documented() | {
        "aws_batch_compute_environment": [environment("-a", "SPOT"), environment("-b", "EC2")],
        "aws_batch_job_queue": [queue("mixed", "-a", "-b")],
    }
    found = facts(both)
    assert (found.queue, found.on_demand_queue) == ("mixed", None)


def test_quoting() -> None:
    """Groovy's and the shell's own rules."""
    assert groovy("it's \\ $x\n\x00") == "'it\\'s \\\\ $x\\n\\u0000'"
    assert shell("it's") == "'it'\"'\"'s'"


def test_files_are_not_written_over(tmp_path: Path) -> None:
    """Neither of the two, where one says something else; the same text is no change."""
    texts = {"nextflow.config": "a\n", "nextflow.env": "b\n"}
    folder = tmp_path / "new" / "folder"
    assert len(write_files(folder, texts, force=False).changed) == 2
    assert write_files(folder, texts, force=False).changed == ()
    (folder / "nextflow.env").write_text("mine\n")
    with pytest.raises(UsageError, match=r"nextflow\.config: the file exists with other content"):
        write_files(folder, texts | {"nextflow.config": "c\n"}, force=False)
    assert (folder / "nextflow.config").read_text() == "a\n"
    write_files(folder, texts, force=True)
    assert (folder / "nextflow.env").read_text() == "b\n"
    with pytest.raises(UsageError, match="name another folder"):
        write_files(folder / "nextflow.env", texts, force=False)
    assert sorted(path.name for path in folder.iterdir()) == sorted(texts)
