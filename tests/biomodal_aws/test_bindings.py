"""The bindings, imported the fast way by programs of all kinds."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path

import pytest

from tests.support.project import contents, copy_app, run_main, write_stacks

PACKAGE = "cdktf_cdktf_provider_aws"

STACK = """
import os
from biomodal_aws import _bindings
_bindings.install()
from cdktf import App, LocalBackend, TerraformOutput, TerraformStack
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderDefaultTags
from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket

app = App(outdir=os.environ["OUT"])
stack = TerraformStack(app, "stack")
LocalBackend(stack, path="terraform.tfstate")
tags = AwsProviderDefaultTags(tags={"Name": "stack"})
AwsProvider(stack, "aws", region="eu-west-2", default_tags=[tags])
bucket = S3Bucket(stack, "bucket", bucket_prefix="data-")
"""
LATE = """
import cdktf_cdktf_provider_aws
from cdktf_cdktf_provider_aws.sqs_queue import SqsQueue
control = cdktf_cdktf_provider_aws.s3_control_bucket
SqsQueue(stack, "queue", name="queue")
control.S3ControlBucket(stack, "control", bucket=bucket.bucket, outpost_id="op-1")
"""
SYNTH = """
TerraformOutput(stack, "arn", value=bucket.arn)
app.synth()
"""


@dataclass
class User:
    """Someone who runs programs: a home, a cache, and a folder for temporary files."""

    home: Path
    settings: dict[str, str]

    def start(self, program: str, out: str = "out", **settings: str) -> subprocess.Popen[str]:
        """Start a program."""
        (self.home / "tmp").mkdir(exist_ok=True)
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("BIOMODAL", "JSII", "XDG"))
        }
        environment |= {"HOME": str(self.home), "OUT": str(self.home / out)}
        environment |= {"TMPDIR": str(self.home / "tmp")} | self.settings | settings
        return subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=self.home,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, program: str, out: str = "out", **settings: str) -> str:
        """Run a program, and return what it wrote to stderr."""
        with self.start(program, out, **settings) as process:
            stdout, stderr = process.communicate()
        assert process.returncode == 0, stderr
        assert stdout == ""
        assert not list((self.home / "tmp").iterdir())
        return stderr

    def written(self, out: str = "out") -> bytes:
        """Return what a program synthesized."""
        return (self.home / out / "stacks" / "stack" / "cdk.tf.json").read_bytes()

    @property
    def cache(self) -> Path:
        """Where slices are kept."""
        library = "Library/Caches" if sys.platform == "darwin" else ".cache"
        return self.home / library / "biomodal-aws" / "bindings"


@pytest.fixture(scope="session")
def packages() -> dict[str, str]:
    """Share jsii's package cache with all tests: it is jsii's, and slow to fill."""
    name = "JSII_RUNTIME_PACKAGE_CACHE_ROOT"
    return {name: os.environ[name]}


@pytest.fixture
def user(tmp_path: Path, packages: dict[str, str]) -> User:
    """Give a user who has never run anything."""
    return User(tmp_path, packages)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory, packages: dict[str, str]) -> Path:
    """The home of a user who has run the program once."""
    user = User(tmp_path_factory.mktemp("filled"), packages)
    user.run(STACK + SYNTH)
    return user.home


@pytest.fixture
def regular(tmp_path: Path, packages: dict[str, str], filled: Path) -> User:
    """A user who has run the program before."""
    shutil.copytree(filled, tmp_path / "home")
    return User(tmp_path / "home", packages)


@pytest.fixture(scope="session")
def expected(
    tmp_path_factory: pytest.TempPathFactory, packages: dict[str, str]
) -> Callable[[str], bytes]:
    """Synthesize programs the unsliced way."""
    user = User(tmp_path_factory.mktemp("unsliced"), packages)

    def synthesize(program: str) -> bytes:
        out = str(abs(hash(program)))
        if not (user.home / out).exists():
            assert user.run(program, out, BIOMODAL_AWS_BINDINGS="unsliced") == ""
        return user.written(out)

    return synthesize


def test_only_what_is_used_is_imported(user: User) -> None:
    """The construct library costs its own submodules, not all 1,500."""
    user.run(
        "import biomodal_aws, sys\n"
        f"count = sum(name.startswith('{PACKAGE}') for name in sys.modules)\n"
        "assert 10 < count < 50, count"
    )


def test_the_root_package_offers_all_submodules(user: User) -> None:
    """Each way that Python has to name a submodule works, and a wrong name is an error."""
    user.run(
        "from biomodal_aws import _bindings\n"
        "_bindings.install()\n"
        f"import {PACKAGE} as aws\n"
        f"from {PACKAGE} import sns_topic\n"
        "assert aws.sqs_queue.SqsQueue and sns_topic.SnsTopic\n"
        "assert len(aws.__all__) > 1500 and 'alb' in dir(aws) and not hasattr(aws, 'no_such')\n"
    )


@pytest.mark.engine
def test_every_path_writes_the_same_bytes(tmp_path: Path, packages: dict[str, str]) -> None:
    """Every stack, by way of an empty cache, a full one, unsliced and as shipped."""
    project = copy_app(tmp_path / "project")
    kinds = ("module", "native", "prerequisites")
    state = {
        "bootstrap": "state-bucket",
        "region": "eu-west-2",
        "state_bucket": {"bucket": "lab-state"},
    }
    write_stacks(project, {kind: {"bootstrap": kind} for kind in kinds} | {"state": state})
    outputs = []
    for path in ("fast", "fast", "unsliced", "stock"):
        settings = packages | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
        done = run_main(project, env=settings | {"BIOMODAL_AWS_BINDINGS": path})
        assert done.returncode == 0, done.stderr
        assert path == "stock" or not done.stderr  # As shipped, jsii may not like PATH's Node.
        outputs.append(contents(project / "cdktf.out"))
        shutil.rmtree(project / "cdktf.out")
    assert len(outputs[0]) > len(kinds)
    assert all(output == outputs[0] for output in outputs)


@pytest.mark.engine
def test_a_submodule_may_come_late(user: User, expected: Callable[[str], bytes]) -> None:
    """An import after the first construct works at once, and is no late one the next time."""
    program = STACK + LATE + SYNTH
    for types in ("-late", "@cdktf/provider-aws.sqsQueue.SqsQueue"):
        assert user.run(f"{program}\nassert {types!r} in SqsQueue.__jsii_type__") == ""
        assert user.written() == expected(program)


@pytest.mark.engine
def test_cdktf_may_come_first(user: User, expected: Callable[[str], bytes]) -> None:
    """A program that has started jsii before has the same, late imports included."""
    program = "import cdktf\n" + STACK + LATE + SYNTH
    user.run(program)
    assert user.written() == expected(STACK + LATE + SYNTH)
    assert list(user.cache.glob("*/*.tgz"))


@pytest.mark.engine
def test_two_first_runs_at_once(user: User, expected: Callable[[str], bytes]) -> None:
    """Processes that race on an empty cache all succeed, and leave one that is sound."""
    program = STACK + SYNTH
    racers = [user.start(program, f"out{number}") for number in range(2)]
    for number, racer in enumerate(racers):
        assert racer.communicate() == ("", "")
        assert racer.returncode == 0
        assert user.written(f"out{number}") == expected(program)
    (slice_,) = user.cache.glob("*/*.tgz")
    before = slice_.stat().st_mtime_ns
    user.run(program)
    assert slice_.stat().st_mtime_ns == before


@pytest.mark.engine
@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(lambda cache: next(cache.glob("*/*.tgz")).write_bytes(b""), id="truncated"),
        pytest.param(lambda cache: cache.chmod(0o777), id="open to others"),
        pytest.param(
            lambda cache: os.chown(cache, 65534, 65534),
            id="another user's",
            marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away"),
        ),
    ],
)
def test_a_harmed_cache_is_made_anew(
    regular: User, expected: Callable[[str], bytes], harm: Callable[[Path], None]
) -> None:
    """Nothing in it is used, and the next run finds a sound one."""
    program, user = STACK + SYNTH, regular
    harm(user.cache)
    assert user.run(program) == ""
    assert user.written() == expected(program)
    (slice_,) = user.cache.glob("*/*.tgz")
    assert slice_.stat().st_size > 1000
    assert user.cache.stat().st_uid == os.geteuid()
    assert not user.cache.stat().st_mode & 0o077


@pytest.mark.engine
def test_a_home_that_cannot_be_written_to(user: User, expected: Callable[[str], bytes]) -> None:
    """Where nothing can be kept, jsii's own cache included, one line says so and all works."""
    user = User(user.home, {})
    (user.home / "file").touch()  # Like a read-only home, and for root too.
    line = user.run(STACK + SYNTH, HOME=str(user.home / "file"))
    assert re.fullmatch(r"biomodal-aws: [^\n]*\n", line)
    assert user.written() == expected(STACK + SYNTH)


def installed_elsewhere(home: Path, version: str, archive: str) -> str:
    """Install the bindings as another version, with its assembly under another file name."""
    spec = PathFinder.find_spec(PACKAGE)
    assert spec is not None
    assert spec.submodule_search_locations
    real = Path(next(iter(spec.submodule_search_locations)))
    fake = home / "site" / PACKAGE
    (fake / "_jsii").mkdir(parents=True)
    for entry in real.iterdir():
        if entry.name not in ("_jsii", "__pycache__"):
            (fake / entry.name).symlink_to(entry)
    (assembly,) = (real / "_jsii").glob("*.tgz")
    (fake / "_jsii" / archive).symlink_to(assembly)
    loading = (real / "_jsii" / "__init__.py").read_text()
    loading = loading.replace(f'"{assembly.name}"', f'"{archive}"')
    (fake / "_jsii" / "__init__.py").write_text(loading.replace('"20.1.0"', f'"{version}"'))
    return str(fake.parent)


@pytest.mark.engine
def test_bindings_of_another_version(regular: User, expected: Callable[[str], bytes]) -> None:
    """They get a slice of their own, and the earlier one stays."""
    program, user = STACK + SYNTH, regular
    site = installed_elsewhere(user.home, "20.1.1", "provider-aws@20.1.1.jsii.tgz")
    assert user.run(program, PYTHONPATH=site) == ""
    assert user.written() == expected(program)
    assert sorted(path.name for path in user.cache.iterdir()) == [
        "20.1.0-format1",
        "20.1.1-format1",
    ]


@pytest.mark.engine
def test_bindings_of_another_layout(user: User, expected: Callable[[str], bytes]) -> None:
    """They load unsliced, and one line says so."""
    site = installed_elsewhere(user.home, "20.1.0", "aws-assembly.tgz")
    line = user.run(STACK + SYNTH, PYTHONPATH=site)
    assert re.fullmatch(r"biomodal-aws: all AWS bindings are loaded[^\n]*\n", line)
    assert user.written() == expected(STACK + SYNTH)


@pytest.mark.engine
@pytest.mark.parametrize("end", ["raise SystemExit(3)", "1 / 0", "os.kill(os.getpid(), 2)"])
def test_node_ends_with_the_program(regular: User, end: str) -> None:
    """However the program ends, no process and no temporary file is left."""
    with regular.start(STACK + end) as process:
        process.communicate()
    assert process.returncode in (3, 1, -signal.SIGINT)
    assert not list((regular.home / "tmp").iterdir())


@pytest.mark.engine
def test_a_switch_that_does_not_exist(user: User) -> None:
    """A misspelt path is named, and the fast one is taken."""
    line = user.run(STACK + SYNTH, BIOMODAL_AWS_BINDINGS="quick")
    assert "quick" in line
    assert "fast, unsliced, stock" in line
    assert list(user.cache.glob("*/*.tgz"))
