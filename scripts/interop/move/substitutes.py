"""Clocks and randomness of a process that are not the machine's, where there is a compiler to make them with."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

from move.server import MoveFailed

COMPILERS = ("cc", "clang", "gcc")
DAY = 86_400


def missing() -> Sequence[str]:
    """What this machine lacks for them."""
    return [] if any(map(shutil.which, COMPILERS)) else ["C compiler"]


class Substitutes:
    """For one process. Its clocks are the machine's at first."""

    def __init__(self, folder: Path, name: str, seed: int | None = None) -> None:
        self._library = folder / "substitutes.so"
        self._offsets = folder / f"{name}.offsets"
        self._seed = seed
        if not self._library.exists():
            self._compile()
        self._offsets.write_bytes(bytes(16))

    def _compile(self) -> None:
        compiler = next(filter(None, map(shutil.which, COMPILERS)))
        source = Path(__file__).with_suffix(".c")
        command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(self._library), str(source), "-ldl"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise MoveFailed(f"{source.name} can't be compiled: {result.stderr.strip().splitlines()[:1]}")

    @property
    def environment(self) -> dict[str, str]:
        own = {"LD_PRELOAD": str(self._library), "CLOCK_OFFSETS": str(self._offsets)}
        return own if self._seed is None else {**own, "RANDOM_SEED": str(self._seed)}

    def set_clocks(self, calendar: int, steady: int = 0) -> None:
        """How far they are ahead of the machine's, in seconds; in place, for the process has the file mapped."""
        with self._offsets.open("r+b") as file:
            file.write(struct.pack("=qq", calendar, steady))
