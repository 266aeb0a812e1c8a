"""The application that takes the thesis's configuration, as a server that its own operator has move."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from harness.process import Child
from move.network import PLACES, PORT
from move.server import READY_WITHIN, MoveFailed, Network, address

MANAGEMENT_PORT = 7777
# What the interface calls the strategies.
NAMES = {
    "reactive-explicit": "Explicit",
    "proactive-explicit": "Explicit",
    "pool": "Pool of Addresses",
    "symmetric": "Symmetric",
    "synchronized-symmetric": "Synchronized Symmetric",
}
# What the configuration calls them.
SWITCHES = {
    "Explicit": "explicit",
    "Pool of Addresses": "poolOfAddresses",
    "Symmetric": "symmetric",
    "Synchronized Symmetric": "synchronizedSymmetric",
}


def negotiation(strategy: str) -> dict[str, object]:
    """With a pool nothing else is used (section 4.2.6), so each strategy is the only one."""
    return {"enable": True, **{switch: NAMES[strategy] == name for name, switch in SWITCHES.items()}}


class ApplicationServer:
    """`mhq --mode=server`. Use as a context manager."""

    def __init__(
        self,
        mhq: Path,
        network: Network,
        folder: Path,
        strategy: str,
        policy: str,
        pool: Sequence[str] = (),
    ) -> None:
        self._network, self._folder, self._strategy = network, folder, strategy
        self.place = 0
        settings = {
            "host": PLACES[0],
            "port": PORT,
            "managementPort": MANAGEMENT_PORT,
            "numberOfWorkerThreads": 1,
            "serverMigration": {**negotiation(strategy), "addressPool": list(pool)},
        }
        file = folder / "server.json"
        file.write_text(json.dumps(settings, indent=1))
        # Its report goes to where it runs.
        command = ["env", f"--chdir={folder}", str(mhq), "--mode=server", f"--config={file}",
                   f"--policy={policy}", "--log-level=info"]  # fmt: skip
        self._child = Child(network.in_server(command), {}, folder / "server.log")

    def __enter__(self) -> ApplicationServer:
        deadline = time.monotonic() + READY_WITHIN
        # What it does not know is answered as well.
        while not self._child.wait(0.05) and time.monotonic() < deadline:
            if self._say("{}", patience=0.5).startswith("Bad request"):
                return self
        raise MoveFailed(f"the application did not start: {self._child.last_line()}")

    def __exit__(self, *_: object) -> None:
        self._signal(signal.SIGCONT)
        self._child.stop()

    def prepare(self, to: int | None = None) -> None:
        to = 1 - self.place if to is None else to
        message: dict[str, object] = {
            "action": "onImminentServerMigration",
            "protocol": NAMES[self._strategy],
            "notifyMigrationReady": True,
        }
        if NAMES[self._strategy] == "Explicit":
            message["address"] = address(to)
        self._expect(json.dumps(message), "OK", "migration ready")

    def move(self, frozen_for: float, to: int | None = None) -> None:
        """Nobody holds it: its operator freezes it as it is."""
        self._signal(signal.SIGSTOP)
        self._network.cut(self.place)
        time.sleep(frozen_for)
        self.place = 1 - self.place if to is None else to
        self._signal(signal.SIGCONT)
        self._expect(json.dumps({"action": "onNetworkSwitch", "address": address(self.place)}), "OK")

    def _expect(self, text: str, *answers: str) -> None:
        found = self._say(text, len(answers))
        if found != "\n".join(answers):
            raise MoveFailed(f"{text} was answered with {found!r}")

    def _say(self, text: str, answers: int = 1, patience: float = 10) -> str:
        """From its own namespace: the interface is where it is."""
        command = [sys.executable, "-m", "move.application", text, str(answers), str(patience)]
        result = subprocess.run(
            self._network.in_server(command), capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
        )  # fmt: skip
        return result.stdout.strip()

    def _signal(self, number: signal.Signals) -> None:
        if self._child.runs():
            os.kill(self._child.identifier, number)


def say() -> None:
    """`python -m move.application TEXT ANSWERS SECONDS` prints the answers, a line each."""
    text, answers, patience = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.settimeout(patience)
        own.connect((PLACES[0], MANAGEMENT_PORT))
        try:
            own.send(text.encode())
            for _ in range(answers):
                print(own.recv(4096).decode())
        except OSError as error:
            print(error)


if __name__ == "__main__":
    say()
