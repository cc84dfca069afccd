"""How many random examples a property draws, and whether every run draws the same."""

from __future__ import annotations

import os
from typing import Final

from hypothesis import HealthCheck, Phase, settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

# `make fuzz` draws so many times as many as usual, and others each time.
TIMES: Final = int(os.environ.get("FUZZ", "0"))
# Shrinking may take five minutes where one example starts a process.
_UNSHRUNK: Final = (Phase.explicit, Phase.reuse, Phase.generate)


def register_profiles() -> None:
    """Load what every property inherits, and register the `quick` profile.

    A run that fails is to be its change's own doing, so every run draws the same. Hypothesis also
    draws constants of the modules that happen to be loaded; then neither another module nor
    another order of the tests would change what is drawn.
    """
    # A busy machine is no fault of a test's: neither a deadline nor the speed of drawing fails one.
    common = settings(
        deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
    )
    if TIMES:
        more = 100 * TIMES
        settings.register_profile("usual", common, max_examples=more, print_blob=True)
        settings.register_profile("quick", settings.get_profile("usual"))
    else:
        nothing = Constants()
        providers._get_local_constants = lambda: nothing
        settings.register_profile("usual", common, derandomize=True, database=None)
        settings.register_profile("quick", settings.get_profile("usual"), max_examples=20)
    settings.load_profile("usual")


def examples(number: int, *, slow: bool = False) -> settings:
    """Return settings for a property that needs less than the profile's number of examples.

    Args:
        number: How many a usual run draws.
        slow: An example takes so long that a failing one is shown as drawn, not made smaller.
    """
    return settings(max_examples=number * (TIMES or 1), phases=_UNSHRUNK if slow else tuple(Phase))
