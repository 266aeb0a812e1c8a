"""How the link's processes run."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable


def run_until_stopped(step: Callable[[], None]) -> None:
    """Repeats `step`, which must not wait for long, until SIGTERM."""
    # A wire does not wait for a busy machine's attention, as far as one may ask for that.
    with contextlib.suppress(PermissionError):
        os.nice(-10)
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
    while not stopping:
        step()
