"""Starts experiments with the real program, and compares what two runs with one seed left behind."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from ..problems import NO_INPUT, USAGE

# sysexits.h: 69 something needed is not there, 70 a program failed that should not.
UNAVAILABLE, SOFTWARE = 69, 70
# What an environment file says of the clock.
TIMES = ("startedAt", "duration")
EXPERIMENTS = range(7)


class Failure(Exception):
    """An end of the program: a line for the user and an exit code."""

    def __init__(self, line: str, code: int):
        super().__init__(line)
        self.code = code


class Terminated(KeyboardInterrupt):
    """Somebody ended this program, and this program alone."""


@dataclass(frozen=True)
class Span:
    """Seconds of a clock, and of processors."""

    wall: float = 0.0
    processor: float = 0.0

    def __add__(self, other: "Span") -> "Span":
        return Span(self.wall + other.wall, self.processor + other.processor)

    def __str__(self) -> str:
        return f"{self.wall:.1f} s ({self.processor:.1f} s of processors)"


@dataclass(frozen=True)
class Order:
    """One call of `mhq experiment run`."""

    experiment: int
    policy: str
    backend: str = "simulated"
    quick: bool = False
    repetitions: int | None = None
    plan: Path | None = None

    def arguments(self, out: str) -> list[str]:
        found = ["experiment", "run", str(self.experiment), "--policy", self.policy, "--backend", self.backend]
        found += ["--quick"] if self.quick else []
        found += ["--repetitions", str(self.repetitions)] if self.repetitions else []
        found += ["--plan", str(self.plan)] if self.plan else []
        return [*found, "--out", out]


class Program:
    """`mhq`, wherever it was built."""

    def __init__(self, path: Path, plans: Path):
        if not path.is_file() or not os.access(path, os.X_OK):
            raise Failure(f"{path}: isn't there: swift build -c release --product mhq", UNAVAILABLE)
        if not plans.is_dir():
            raise Failure(f"{plans}: no such folder of plans", NO_INPUT)
        self.path, self.plans = path.resolve(), plans.resolve()

    def run(self, order: Order, folder: Path) -> Span:
        """Results go into the folder. It is also where the program runs, so that two calls have the same words."""
        folder.mkdir(parents=True, exist_ok=True)
        arguments = order.arguments(".")
        say(f"mhq {' '.join(arguments[:-2])}")
        start, before = time.monotonic(), _processor_time()
        process = subprocess.Popen(
            [self.path, *arguments],
            cwd=folder,
            env=os.environ | {"MHQ_PLANS": str(self.plans)},
            # Its own words are no part of the table.
            stdout=2,
        )
        try:
            code = process.wait()
        except Terminated:
            process.send_signal(signal.SIGINT)
            process.wait()
            raise
        except KeyboardInterrupt:
            # It has had the same signal, and puts away what it made.
            process.wait()
            raise
        if code:
            raise Failure(f"mhq {' '.join(arguments)}: exit code {code}, in {folder}", SOFTWARE)
        return Span(time.monotonic() - start, _processor_time() - before)


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _processor_time() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def one_series(plans: Path, experiment: int, folder: str, to: Path) -> Path:
    """A plan that ships, with one of its series alone."""
    source = plans / f"experiment{experiment}.json"
    try:
        plan = json.loads(source.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Failure(f"{source}: {error}", NO_INPUT) from None
    plan["series"] = [one for one in plan["series"] if one["folder"] == folder]
    if not plan["series"]:
        raise Failure(f"{source}: has no series {folder}", NO_INPUT)
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(json.dumps(plan, indent=2), encoding="utf-8")
    return to.resolve()


def differing(first: Path, second: Path) -> list[str]:
    """Names of files that two folders of results don't have alike; of environment files all but the times."""
    names = sorted(_names(first) | _names(second))
    return [name for name in names if _content(first / name) != _content(second / name)]


def _names(folder: Path) -> set[str]:
    """The journals of runs begin with a dot: they are no results."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(path) for path in found if not any(part.startswith(".") for part in path.parts)}


def _content(path: Path) -> bytes | None:
    if not path.is_file():
        return None
    content = path.read_bytes()
    if path.name.startswith("environment") and path.suffix == ".json":
        facts = {key: value for key, value in json.loads(content).items() if key not in TIMES}
        return json.dumps(facts, sort_keys=True).encode()
    return content


def empty_folder(path: Path) -> Path:
    """What lies there from another time would be taken for done."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise Failure(f"{path}: isn't empty; runs are timed, so they have to be new", USAGE)
    except (FileExistsError, NotADirectoryError):
        raise Failure(f"{path}: is no folder", USAGE) from None
    return path.resolve()
