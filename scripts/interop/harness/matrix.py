"""Runs the cells of a matrix, several at once, and shows the results."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from harness.cell import Cell, Outcome, Status
from harness.namespaces import missing_for_namespaces
from harness.process import is_stopping, stop_all
from peers.peer import Peer

SYMBOLS = {
    Status.PASSED: "✓",
    Status.FAILED: "✗",
    Status.UNSUPPORTED: "– unsupported",
    Status.SKIPPED: "skipped",
}
Judge = Callable[[Cell], Outcome]


@dataclass(frozen=True)
class Result:
    cell: Cell
    outcome: Outcome

    @property
    def text(self) -> str:
        outcome = self.outcome
        if outcome.status is not Status.PASSED:
            return SYMBOLS[outcome.status]
        attempts = f", attempt {outcome.attempts}" if outcome.attempts > 1 else ""
        return f"✓ {outcome.detail or f'{outcome.seconds:.1f} s'}{attempts}"

    def to_json(self) -> dict[str, Any]:
        return {
            "client": self.cell.client.name,
            "server": self.cell.server.name,
            "case": self.cell.case.name,
            "status": self.outcome.status.value,
            "detail": self.outcome.detail,
            "seconds": round(self.outcome.seconds, 1),
            "attempts": self.outcome.attempts,
        }


def lacking(cell: Cell) -> str | None:
    """What this machine lacks for a cell."""
    for peer, program in ((cell.client, cell.client.client), (cell.server, cell.server.server)):
        if program and not program.needs.exists():
            return f"no {peer.name} at {program.needs} ({peer.remedy})"
        if program and (reason := program.lacks(cell.protocol)):
            return reason
    missing = missing_for_namespaces(cell.case) if cell.has_namespaces else []
    return f"{cell.case.name} needs {' and '.join(missing)}" if missing else None


def in_order(cells: Iterable[Cell]) -> list[Cell]:
    """The long ones first, so that none is left over when the others are done."""
    return sorted(cells, key=lambda cell: (cell.case.timeout, sum(cell.case.sizes)), reverse=True)


class Runner:
    def __init__(self, judge: Judge, total: int) -> None:
        self._judge = judge
        self._total = total
        self._done = 0
        self._lock = threading.Lock()

    def run(self, cells: Sequence[Cell], jobs: int) -> list[Result]:
        together = in_order(cell for cell in cells if not cell.case.runs_alone)
        alone = [cell for cell in cells if cell.case.runs_alone]
        with ThreadPoolExecutor(jobs) as executor:
            try:
                results = list(executor.map(self._run_one, together))
            except KeyboardInterrupt:
                executor.shutdown(wait=False, cancel_futures=True)
                stop_all()
                raise
        return results + [self._run_one(cell) for cell in alone]

    def _run_one(self, cell: Cell) -> Result:
        result = Result(cell, self._judge(cell))
        with self._lock:
            self._done += 1
            line = f"[{self._done}/{self._total}] {cell.name} {result.text}"
            if result.outcome.status is Status.FAILED:
                line += f" {result.outcome.detail}"
            if not is_stopping():
                print(line, file=sys.stderr, flush=True)
        return result


def table(results: Sequence[Result], cases: Sequence[str]) -> str:
    """A row for each case, a column for each pair of client and server."""
    by_cell = {(pair_of(result), result.cell.case.name): result for result in results}
    pairs = list(dict.fromkeys(pair for pair, _ in by_cell))
    rows = [["case", *(f"{client} → {server}" for client, server in pairs)]]
    for case in cases:
        found = [by_cell.get((pair, case)) for pair in pairs]
        if any(found):
            rows.append([case, *(result.text if result else "" for result in found)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def pair_of(result: Result) -> tuple[str, str]:
    return result.cell.client.name, result.cell.server.name


def remarks(results: Sequence[Result], status: Status) -> list[str]:
    return [
        f"{SYMBOLS[status][0]} {result.cell.name}: {result.outcome.detail}"
        for result in results
        if result.outcome.status is status
    ]


def possible_pairs(peers: Sequence[Peer]) -> list[tuple[Peer, Peer]]:
    """All pairs of a client and a server that have a protocol in common."""
    return [
        (client, server)
        for client in peers
        for server in peers
        if client.client and server.server and speak(client, server)
    ]


def speak(client: Peer, server: Peer, protocol: str = "") -> bool:
    """Whether both speak that protocol, or any."""
    common = client.protocols & server.protocols
    return protocol in common if protocol else bool(common)
