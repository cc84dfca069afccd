"""Makes `from cdktf_cdktf_provider_aws.instance import Instance` cheap.

As shipped, that line imports 1,500 submodules and has Node read a 120 MB manifest: 40 s and 1.5 GB.
After `install()` it imports one submodule, and Node reads a slice of the assembly that has the
imported submodules in it. The classes are the same, and so is what they synthesize.

`BIOMODAL_AWS_BINDINGS` forces a path: `fast` (the default), `unsliced` (one submodule at a time in
Python, all of the assembly in Node) or `stock` (as shipped).
"""

from __future__ import annotations

import os
import sys
from typing import Final

PATHS: Final = ("fast", "unsliced", "stock")


def install() -> None:
    """Make imports of AWS bindings cheap from here on.

    Call it before the first such import. Where the installed bindings or jsii are not built as
    expected it says so in one line, and they load the slower way.

    Raises:
        OSError: Node cannot be started, so there is no slower way either.
    """
    from biomodal_aws._bindings import framework, layout

    framework.install()
    path = os.environ.get("BIOMODAL_AWS_BINDINGS") or PATHS[0]
    if path == "stock" or layout.PACKAGE in sys.modules:
        return
    if path not in PATHS:
        known = ", ".join(PATHS)
        layout.say(f'BIOMODAL_AWS_BINDINGS="{path}" is not one of {known}: taken as {PATHS[0]}')
    try:
        root = layout.find_root()
        if root is None:
            return
        from biomodal_aws._bindings import package

        executable = layout.choose_node()
        package.stub(root)
    except Exception as error:  # noqa: BLE001 - a slow start is better than none
        layout.say(f"the AWS bindings load as shipped, which takes 40 s: {error}")
        return
    if path == "unsliced":
        return
    try:
        from biomodal_aws._bindings import fast

        fast.connect(layout.inspect(root), executable)
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - see above
        layout.say(f"all AWS bindings are loaded, which takes longer: {error}")


__all__ = ["PATHS", "install"]
