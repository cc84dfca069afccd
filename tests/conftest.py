"""What every test starts from. Nothing of cdktf is imported here: the guard speaks first."""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings

from tests.support.examples import register_profiles

# Whole lives of an environment, the longest first: minutes each, partly spent waiting for the AWS
# provider. Those of no name here come after them, before the tests that start no engine.
_LONG: Final = (
    "tests/engine/test_adopt.py",
    "tests/engine/test_forced_replacements.py",
    "tests/engine/test_changed_profile.py",
    "tests/engine/test_installed.py",
    "tests/engine/test_permissions.py",
    "tests/engine/test_hardened_lifecycle.py",
    "tests/engine/test_ci_templates.py",
    "tests/engine/test_demo.py",
    "tests/biomodal_deploy/sandbox/test_lifecycle.py",
    "tests/engine/test_workflow_sandbox.py",
    "tests/engine/test_native_lifecycle.py",
    "tests/engine/test_cdktf_cli.py",
    "tests/engine/test_eject.py",
    "tests/test_package.py",
    "tests/engine/",
)

register_profiles()

# What would have a say in what a test compares: the terminal, and settings for the programs that
# are started. Where providers come from is the machine's (`TF_CLI_CONFIG_FILE`).
_STEERING: Final = frozenset({"CI", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"})
_OF_OTHERS: Final = ("AWS_", "GIT_", "TF_VAR_", "TF_CLI_ARGS", "TF_LOG")


def pytest_configure(config: pytest.Config) -> None:
    """Make this process, and all that it starts, what they are at a person's terminal.

    A runner in the background, or under nohup, ignores some stopping signals. Children inherit
    that, and the command then rightly goes on where a test expects it to stop. And in a CI job it
    writes no provider lock file: a test that means one says `CI` itself, as with every variable
    that is taken out here.
    """
    # A sixth of the quick run was Python's own: thousands of tests are objects that stay.
    gc.set_threshold(20_000, 20, 50)
    if "not slow" in config.getoption("markexpr"):
        settings.load_profile("quick")
        # No test pulls the plug, and waiting for the disk is half of the time of a sealed plan.
        os.fsync = os.fstat  # type: ignore[assignment]
    for name in [name for name in os.environ if name in _STEERING or name.startswith(_OF_OTHERS)]:
        del os.environ[name]
    if "not engine" not in config.getoption("markexpr"):
        from tests.support.mirror import set_mirror

        set_mirror()
    # A third of the time of Terraform and its provider is Go's collection of garbage: none before
    # there is much of it.
    os.environ.setdefault("GOGC", "off")
    os.environ.setdefault("GOMEMLIMIT", "768MiB")
    # Where jsii unpacks packages by itself; a test's own home would be filled again each time.
    unpacked = Path.home() / ".cache" / "aws" / "jsii" / "package-cache"
    os.environ.setdefault("JSII_RUNTIME_PACKAGE_CACHE_ROOT", str(unpacked))
    for number, default in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGHUP, signal.SIG_DFL),
        (signal.SIGTERM, signal.SIG_DFL),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, default)


def pytest_collection_finish() -> None:
    """Read AWS's models once, where a test asks AWS; look for no garbage in what was collected."""
    if "botocore.session" in sys.modules:
        from tests.support.aws_models import share_models

        share_models()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what waits longest, so that the short tests fill the time beside it."""
    engines = {item.path for item in items if item.get_closest_marker("engine")}

    def turn(item: pytest.Item) -> tuple[int, bool]:
        prefixes = (number for number, each in enumerate(_LONG) if item.nodeid.startswith(each))
        return next(prefixes, len(_LONG)), item.path not in engines

    items.sort(key=turn)
