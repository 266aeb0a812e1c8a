"""Whether a case that a peer is said not to support really is beyond it."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from dataclasses import dataclass

from cases.catalogue import Case
from harness.cell import Cell, Outcome, Status
from peers.peer import Peer

# Some faults only show now and then: one failure among these is proof enough.
ATTEMPTS = 5


@dataclass(frozen=True)
class Claim:
    """A peer, in a role, is said not to support a case."""

    peer: Peer
    role: str
    case: Case
    reason: str


def claims(cell: Cell) -> list[Claim]:
    programs = (("client", cell.client, cell.client.client), ("server", cell.server, cell.server.server))
    return [
        Claim(peer, role, cell.case, program.unsupported[cell.case.name])
        for role, peer, program in programs
        if program and cell.case.name in program.unsupported
    ]


class Verifier:
    """Runs a peer against itself, once for each claim. A peer with one role meets the reference instead."""

    def __init__(self, reference: Peer, run: Callable[[Cell], Outcome]) -> None:
        self._reference = reference
        self._run = run
        self._verdicts: dict[tuple[str, str], str | None] = {}
        self._locks: dict[tuple[str, str], threading.Lock] = {}
        self._lock = threading.Lock()

    def excuse(self, cell: Cell) -> str | None:
        """Why the cell counts as unsupported, or None if no claim holds."""
        for claim in claims(cell):
            if verdict := self._verdict(claim, cell):
                return f"unsupported ({verdict}), as {claim.peer.name} {claim.reason}"
        return None

    def _verdict(self, claim: Claim, cell: Cell) -> str | None:
        key = (claim.peer.name, claim.case.name)
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._verdicts:
                self._verdicts[key] = self._try(claim, cell)
            return self._verdicts[key]

    def _try(self, claim: Claim, cell: Cell) -> str | None:
        trial = self._trial(claim, cell)
        for attempt in range(ATTEMPTS):
            outcome = self._run(once(with_seed(trial, trial.case.scenario.seed + attempt)))
            if outcome.status is not Status.PASSED:
                return f"{describe(claim.peer, trial)}: {outcome.detail}"
        return None

    def _trial(self, claim: Claim, cell: Cell) -> Cell:
        if claim.peer.client and claim.peer.server:
            return Cell(claim.peer, claim.peer, claim.case)
        trial = Cell(claim.peer, self._reference, claim.case)
        if claim.role == "server":
            trial = Cell(self._reference, claim.peer, claim.case)
        # If the reference can't do the case either, its failure would say nothing about the peer.
        does = trial.client.client is None or trial.client.client.covers(claim.case.name)
        return trial if does and len(claims(trial)) == 1 else cell


def with_seed(cell: Cell, seed: int) -> Cell:
    scenario = dataclasses.replace(cell.case.scenario, seed=seed)
    return dataclasses.replace(cell, case=dataclasses.replace(cell.case, scenario=scenario))


def once(cell: Cell) -> Cell:
    return dataclasses.replace(cell, case=dataclasses.replace(cell.case, attempts=1))


def describe(peer: Peer, trial: Cell) -> str:
    if trial.client is trial.server:
        return "peer against itself fails too"
    other = trial.server if trial.client is peer else trial.client
    return f"{peer.name} with {other.name} fails too"
