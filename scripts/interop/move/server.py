"""`mhq serve` in its namespace, and its operator."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol

from harness.process import Child
from move.network import PLACES, PORT

READY_WITHIN = 60.0
# They are told where the server goes.
WITH_DESTINATION = ("explicit", "combined", "best")


class MoveFailed(Exception):
    """Something did not go as it has to; the words say what."""


class Network(Protocol):
    def in_client(self, command: Sequence[str]) -> list[str]: ...
    def in_server(self, command: Sequence[str]) -> list[str]: ...
    def cut(self, index: int) -> object: ...
    def join(self, index: int) -> object: ...


def address(place: int) -> str:
    return f"{PLACES[place]}:{PORT}"


class MovingServer:
    """Use as a context manager. `place` is where the server is: the index of an address."""

    def __init__(
        self,
        mhq: Path,
        network: Network,
        folder: Path,
        pool: Sequence[str] = (),
        arguments: Sequence[str] = (),
        place: int = 0,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._mhq, self._network = mhq, network
        self._control = folder / f"control{place}"
        self.place = place
        command = [
            str(mhq), "serve", "--listen", address(place), "--no-tcp", "--control", str(self._control),
            "--allow-destination", "10.99.0.0/16", "--loops", "2", "--grace", "1", "--log-level", "info",
            *arguments,
        ]  # fmt: skip
        for member in pool:
            command += ["--pool", member]
        self._child = Child(network.in_server(command), environment or {}, folder / f"server{place}.log")

    def __enter__(self) -> MovingServer:
        deadline = time.monotonic() + READY_WITHIN
        while not self._control.exists():
            if not self._child.runs() or time.monotonic() > deadline:
                raise MoveFailed(f"the server did not start: {self._child.last_line()}")
            time.sleep(0.02)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.thaw()
        self._child.stop()

    # The operator

    def ask(self, *arguments: str) -> dict[str, object]:
        """By the program."""
        command = [str(self._mhq), "migrate", *arguments, "--control", str(self._control), "--json"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if result.returncode != 0:
            raise MoveFailed(f"mhq migrate {arguments[0]}: {result.stdout.strip()} {result.stderr.strip()}")
        answer: dict[str, object] = json.loads(result.stdout)
        return answer

    def tell(self, command: str, **members: object) -> dict[str, object]:
        """By a line of our own, which takes no time."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(60)
            connection.connect(str(self._control))
            connection.sendall(json.dumps({"command": command, **members}).encode() + b"\n")
            line = b""
            while not line.endswith(b"\n"):
                piece = connection.recv(65536)
                if not piece:
                    raise MoveFailed(f"{command}: no answer")
                line += piece
        answer: dict[str, object] = json.loads(line)
        if not answer["ok"]:
            raise MoveFailed(f"{command}: {answer['error']}")
        return answer

    def prepare(self, strategy: str, to: int | None = None, deadline: float = 20) -> dict[str, object]:
        to = 1 - self.place if to is None else to
        destinations = [address(to)] if strategy in WITH_DESTINATION else []
        return self.tell("prepare", strategy=strategy, destinations=destinations, deadline=deadline)

    def prepare_all(self, strategy: str, to: int | None = None) -> int:
        """The number of the plan. Every connection has to be ready."""
        answer = self.prepare(strategy, to)
        if answer["ready"] != answer["connections"] or not answer["ready"]:
            raise MoveFailed(f"not every client is ready: {answer['summary']}")
        return int(str(answer["epoch"]))

    def leave(self, epoch: int) -> None:
        """Holds and freezes the process, and cuts the way to where it was."""
        self.tell("hold", epoch=epoch, release=True)
        self.freeze()
        self._network.cut(self.place)

    def arrive(self, epoch: int, to: int | None = None) -> None:
        self.place = 1 - self.place if to is None else to
        self.thaw()
        self.tell("switch", epoch=epoch, addresses=[address(self.place)])

    def move(self, strategy: str, frozen_for: float, to: int | None = None) -> None:
        epoch = self.prepare_all(strategy, to)
        self.leave(epoch)
        time.sleep(frozen_for)
        self.arrive(epoch, to)

    def move_by_program(self, strategy: str, frozen_for: float) -> None:
        """The same, by the commands that people use."""
        destination = ["--to", address(1 - self.place)] if strategy in WITH_DESTINATION else []
        answer = self.ask("prepare", "--strategy", strategy, "--deadline", "10", *destination)
        if answer["ready"] != answer["connections"] or not answer["ready"]:
            raise MoveFailed(f"not every client is ready: {answer['summary']}")
        epoch = str(answer["epoch"])
        self.ask("hold", "--epoch", epoch, "--release")
        self.freeze()
        self._network.cut(self.place)
        time.sleep(frozen_for)
        self.place = 1 - self.place
        self.thaw()
        self.ask("switch", "--epoch", epoch, "--to", address(self.place))

    # The process

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """Without a word to anyone."""
        self._child.kill()
        self._child.stop()

    def last_line(self) -> str:
        """Of what it has logged."""
        return self._child.last_line()

    def _signal(self, number: signal.Signals) -> None:
        """To the server itself: `ip netns exec` becomes the program that it starts."""
        if self._child.runs():
            os.kill(self._child.identifier, number)
