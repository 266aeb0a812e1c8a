"""Child processes with a log file each, which never outlive the cell they belong to."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

HARNESS = Path(__file__).resolve().parent.parent
# How long a program may take to stop when asked to.
PATIENCE = 5.0


# What is to be stopped when the harness itself is.
_running: set[Child] = set()
_lock = threading.Lock()
_no_more = threading.Event()


class Interrupted(Exception):
    """The harness is being stopped, so that nothing new is started."""


def is_stopping() -> bool:
    return _no_more.is_set()


def stop_all() -> None:
    """Ends every process, and keeps others from being started; the cells then fail and clean up."""
    _no_more.set()
    with _lock:
        running = list(_running)
    for child in running:
        child.kill()


class Child:
    """Use as a context manager: leaving it stops the process."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        if _no_more.is_set():
            raise Interrupted
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                env={**os.environ, **environment, "PYTHONPATH": str(HARNESS)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Its own group, so that what it starts itself can be stopped with it.
                start_new_session=True,
            )
        with _lock:
            _running.add(self)

    @property
    def identifier(self) -> int:
        return self._process.pid

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def runs(self) -> bool:
        return self._process.poll() is None

    def wait(self, seconds: float) -> int | None:
        """The exit status, or None if it still runs."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> int:
        if self.runs():
            self._signal(signal.SIGTERM)
            if self.wait(PATIENCE) is None:
                self._signal(signal.SIGKILL)
        status = self._process.wait()
        with _lock:
            _running.discard(self)
        return status

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def last_line(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else "no output"

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
