"""Responses on their way into files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import BinaryIO


class Download:
    """A response on its way into a file, which gets its name only when it is whole."""

    def __init__(self, target: Path) -> None:
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._target = target
        # Appending to the name could exceed what a file system allows.
        self._partial = target.parent / f".partial-{hash(target.name) & 0xFFFFFFFFFFFF:x}"
        self._file: BinaryIO = self._partial.open("wb")

    def receive(self, data: bytes, is_last: bool) -> None:
        if self.finished.done():
            return
        self._file.write(data)
        if is_last:
            self._file.close()
            self._partial.rename(self._target)
            self.finished.set_result(None)

    def fail(self, reason: str) -> None:
        if not self.finished.done():
            self.finished.set_exception(ConnectionError(reason))
