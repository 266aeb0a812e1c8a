"""A client whose bytes go to the server and come back, all the while, and are checked."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path

from move.server import MoveFailed, Network, address

PIECE, PAUSE = 4000, 0.01
PATIENCE = 30.0


class EchoedTraffic:
    """`mhq get` that posts to /echo what it is fed piece by piece; what comes back has to be the same."""

    def __init__(self, mhq: Path, network: Network, folder: Path) -> None:
        self._log = (folder / "client.log").open("wb")
        self.key_log = folder / "keys"
        command = [
            str(mhq), "get", "--insecure", "--silent", "--fail", "--data", "-", "--output", "-",
            "--key-log", str(self.key_log), f"https://{address(0)}/echo",
        ]  # fmt: skip
        self._process = subprocess.Popen(
            network.in_client(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log
        )
        self._is_over = threading.Event()
        self.sent = bytearray()
        self.received = bytearray()
        self.longest_gap = 0.0
        self._threads = [threading.Thread(target=work) for work in (self._feed, self._collect)]
        for thread in self._threads:
            thread.start()

    def _feed(self) -> None:
        assert self._process.stdin
        number = 0
        try:
            while not self._is_over.is_set():
                piece = number.to_bytes(4, "big") * (PIECE // 4)
                number += 1
                self._process.stdin.write(piece)
                self._process.stdin.flush()
                self.sent += piece
                time.sleep(PAUSE)
            self._process.stdin.close()
        except BrokenPipeError:
            return

    def _collect(self) -> None:
        assert self._process.stdout
        last = time.monotonic()
        while piece := self._process.stdout.read1(65536):
            now = time.monotonic()
            self.longest_gap, last = max(self.longest_gap, now - last), now
            self.received += piece

    def wait_for_progress(self, size: int = 20 * PIECE) -> None:
        """Until so much more has come back."""
        wanted, deadline = len(self.received) + size, time.monotonic() + PATIENCE
        while len(self.received) < wanted:
            if self._process.poll() is not None:
                raise MoveFailed(f"the client ended with {self._process.returncode}")
            if time.monotonic() > deadline:
                raise MoveFailed(f"nothing came back for {PATIENCE} s")
            time.sleep(0.01)

    def finish(self) -> int:
        """Ends the request; the bytes that came back have to be those that were sent. How many that are."""
        self._is_over.set()
        try:
            status = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired as error:
            raise MoveFailed("the client did not come to an end") from error
        for thread in self._threads:
            thread.join()
        if status != 0:
            raise MoveFailed(f"the client ended with {status}")
        if self.received != self.sent:
            raise MoveFailed(f"{len(self.received)} bytes came back of {len(self.sent)}, or wrong ones")
        return len(self.received)

    def stop(self) -> None:
        self._is_over.set()
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._log.close()
