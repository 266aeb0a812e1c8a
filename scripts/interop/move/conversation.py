"""A client that sends when it is told to, and gets back what it has sent."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

from move.server import MoveFailed, Network, address

PATIENCE = 30.0


class Conversation:
    """`mhq get` that posts to /echo piece by piece. Use as a context manager."""

    def __init__(self, mhq: Path, network: Network, folder: Path, name: str = "client") -> None:
        self.key_log = folder / "keys"
        self._log_file = folder / f"{name}.log"
        self._log = self._log_file.open("wb")
        command = [
            str(mhq), "get", "--insecure", "--silent", "--fail", "--data", "-", "--output", "-",
            "--key-log", str(self.key_log), f"https://{address(0)}/echo",
        ]  # fmt: skip
        self._process = subprocess.Popen(
            network.in_client(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log,
            start_new_session=True,
        )  # fmt: skip
        self._sent = bytearray()
        self._received = bytearray()
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    def __enter__(self) -> Conversation:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._log.close()

    @property
    def bytes(self) -> int:
        return len(self._received)

    def _collect(self) -> None:
        assert self._process.stdout
        while piece := self._process.stdout.read1(65536):
            with self._news:
                self._received += piece
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def send(self, size: int = 1000) -> None:
        assert self._process.stdin
        piece = os.urandom(size)
        self._sent += piece
        try:
            self._process.stdin.write(piece)
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise MoveFailed(f"the client ended: {self._last_line()}") from error

    def wait(self, patience: float = PATIENCE) -> None:
        """Until everything is back."""
        deadline = time.monotonic() + patience
        with self._news:
            while len(self._received) < len(self._sent):
                if self._process.poll() is not None:
                    raise MoveFailed(f"the client ended: {self._last_line()}")
                if not self._news.wait(min(1.0, deadline - time.monotonic())) and time.monotonic() > deadline:
                    raise MoveFailed(f"no answer within {patience} s")
        if self._received != self._sent:
            raise MoveFailed("other bytes came back than were sent")

    def exchange(self, size: int = 1000, patience: float = PATIENCE) -> float:
        """How long a request took, in seconds."""
        start = time.monotonic()
        self.send(size)
        self.wait(patience)
        return time.monotonic() - start

    def freeze(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)

    def finish(self) -> None:
        """Ends the request in order."""
        assert self._process.stdin
        self._process.stdin.close()
        try:
            status = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired as error:
            raise MoveFailed("the client did not come to an end") from error
        self._thread.join()
        if status != 0 or self._received != self._sent:
            raise MoveFailed(f"the client ended with {status}: {self._last_line()}")

    def _last_line(self) -> str:
        lines = self._log_file.read_text(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else "no output"
