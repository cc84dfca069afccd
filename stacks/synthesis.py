"""From settings to files: build the app, synthesize beside the output, publish when all is well.

cdktf writes stack by stack into the output folder itself. A wrong setting would then leave half of
the new output over half of the old.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import jsii
from cdktf import App

from biomodal_deploy.config.settings import StackSettings
from biomodal_deploy.errors import EngineError, UsageError
from stacks.backend import declare_backend
from stacks.base import BaseStack
from stacks.hcl import repaired
from stacks.module_stack import ModuleStack
from stacks.native_stack import NativeStack

_STAGING: Final = ".synthesizing"
# What synthesis writes into a stack's directory beside the assets. Everything else there
# (.terraform, the provider lock file, plan files) is Terraform's or the user's.
_SYNTHESIZED: Final = ("cdk.tf.json", "cdk.tf", "versions.tf", "metadata.json")
# Node's words for a failed system call, such as "ENOSPC: no space left on device, write".
_SYSTEM_ERROR: Final = re.compile(r"\bE[A-Z]{3,}: ([^,]+)")


def synthesize(
    settings: Mapping[str, StackSettings],
    *,
    install_script: Path,
    output: Path,
    others: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> None:
    """Synthesize every stack into the output folder.

    Args:
        settings: Each stack's, by its name.
        install_script: The VM's start-up script.
        output: The folder to write; nothing in it changes unless all stacks synthesize.
        others: By stack, values of variables that are other stacks' and not its own.

    Raises:
        UsageError: A setting is wrong, or the folder cannot be written.
        EngineError: Node ended before it was done.
    """
    try:
        with _staging(output) as staging:
            _write(settings, install_script, staging, others)
            _publish(staging, output)
    except ConnectionError:
        # Not a file: the pipe to Node, where cdktf runs.
        raise _node_ended() from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise _not_writable(reason, Path(error.filename or output)) from None
    except RuntimeError as error:
        # cdktf writes its files in Node, whose errors arrive without a type of their own.
        if found := _SYSTEM_ERROR.search(str(error)):
            raise _not_writable(found[1], output) from None
        if str(error).endswith("has ended"):
            raise _node_ended() from None
        raise


@contextmanager
def _staging(output: Path) -> Iterator[Path]:
    """Give a folder inside the output, on the same file system, to one synthesis at a time."""
    missing = [each for each in (output, *output.parents) if not each.exists()]
    output.mkdir(parents=True, exist_ok=True)
    staging = output / _STAGING
    descriptor = os.open(output, os.O_RDONLY)
    try:
        # The system lifts the lock when this process dies, however it dies. Some network file
        # systems know no locks; there, two at once are the user's to avoid.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        # What a killed synthesis left.
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        yield staging
    except KeyboardInterrupt:
        # Node is in the middle of something, and would make the folder again behind us.
        with suppress(Exception):
            # jsii itself ends it at exit only, and has no public way.
            provider: Any = jsii.kernel.provider
            provider._process.stop()  # noqa: SLF001
        raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        os.close(descriptor)
        # Where nothing was published, not even an empty folder stays.
        with suppress(OSError):
            for folder in missing:
                folder.rmdir()


def _write(
    settings: Mapping[str, StackSettings],
    install_script: Path,
    staging: Path,
    others: Mapping[str, Mapping[str, str]],
) -> None:
    # All imports come before the first construct: a binding that comes later is cut out alone.
    builders = {name: _builder(each, install_script) for name, each in settings.items()}
    app = App(outdir=str(staging), stack_traces=False)
    stacks = [build(app, name) for name, build in builders.items()]
    for stack in stacks:
        name = stack.node.id
        declare_backend(stack, settings[name].state_backend)
        stack.refuse(others.get(name, {}), settings[name].var_files)
    app.synth()
    for stack in stacks:
        folder = staging / "stacks" / stack.node.id
        # HCL in a file of its own: in JSON, checkov would give up at it and check nothing.
        (folder / "versions.tf").write_text(
            f'terraform {{\n  required_version = "{stack.required_version}"\n}}\n', encoding="utf-8"
        )
        if app.hcl_output:
            _repair(folder / "cdk.tf", stack)


def _builder(settings: StackSettings, install_script: Path) -> Callable[[App, str], BaseStack]:
    # Imported only where it is needed: its bindings would cost every other synthesis time.
    if settings.bootstrap == "prerequisites":
        from stacks.prerequisites import PrerequisitesStack

        return PrerequisitesStack
    if settings.state_bucket and settings.home_region:
        from stacks.state_bucket import StateBucketStack

        return partial(
            StateBucketStack, region=settings.home_region, settings=settings.state_bucket
        )
    bucket_key = settings.bucket_kms_key_arn
    if settings.profile != "hardened" and settings.bootstrap == "module":
        return partial(
            ModuleStack,
            install_script=install_script,
            bucket_key=bucket_key,
            adopted=settings.adopted,
        )
    if settings.profile != "hardened":
        return partial(
            NativeStack,
            install_script=install_script,
            bucket_key=bucket_key,
            adopted=settings.adopted,
        )
    open_ssh = settings.open_ssh_waiver is not None
    if settings.bootstrap == "module":
        from stacks.hardened_module_stack import HardenedModuleStack

        return partial(
            HardenedModuleStack,
            install_script=install_script,
            open_ssh=open_ssh,
            bucket_key=bucket_key,
            adopted=settings.adopted,
        )
    from stacks.hardened_stack import HardenedStack

    return partial(
        HardenedStack,
        install_script=install_script,
        open_ssh=open_ssh,
        kms_key=settings.kms_key_arn,
        bucket_key=bucket_key,
        adopted=settings.adopted,
    )


def _repair(path: Path, stack: BaseStack) -> None:
    defaults = {variable.name: variable.default for variable in stack.contract}
    text = path.read_text(encoding="utf-8")
    path.write_text(repaired(text, defaults=defaults), encoding="utf-8")


def _publish(staging: Path, output: Path) -> None:
    """Move the new files over the old, and remove what a former synthesis left.

    Assets come first and old ones go last, since an asset's path holds its digest: whenever this
    stops halfway, each stack's JSON finds the files that it names.
    """
    for stack in sorted((staging / "stacks").iterdir()):
        target = output / "stacks" / stack.name
        target.mkdir(parents=True, exist_ok=True)
        assets = [path.relative_to(stack) for path in stack.glob("assets/**/*") if path.is_file()]
        for asset in assets:
            (target / asset).parent.mkdir(parents=True, exist_ok=True)
            (stack / asset).replace(target / asset)
        made = [name for name in _SYNTHESIZED if (stack / name).exists()]
        for name in made:
            (stack / name).replace(target / name)
        for name in set(_SYNTHESIZED).difference(made):
            # The other format's file: Terraform would read both and refuse every block twice.
            (target / name).unlink(missing_ok=True)
        _remove_old_assets(target, {target / asset for asset in assets})
    (staging / "manifest.json").replace(output / "manifest.json")


def _remove_old_assets(target: Path, current: set[Path]) -> None:
    for path in sorted(target.glob("assets/**/*"), reverse=True):
        if path.is_dir():
            with suppress(OSError):  # still in use
                path.rmdir()
        elif path not in current:
            path.unlink()


def _node_ended() -> EngineError:
    return EngineError(
        "Node ended during synthesis",
        advice="synthesize again; if it ends again, look whether memory runs out, and whether "
        "JSII_NODE or NODE_OPTIONS is set",
    )


def _not_writable(reason: str, path: Path) -> UsageError:
    if reason == os.strerror(errno.EEXIST):
        reason = "a file or a broken link is there"
    return UsageError(
        f"The output folder cannot be written ({reason})",
        field=str(path),
        fix="make room, change its owner or mode, move what is there, "
        "or set CDKTF_OUTDIR to another folder",
    )
