"""What our own files say beside the thesis's: how connections ended, and which checks of a run failed."""

import pandas as pd

from . import cells, style, tables
from .problems import DataError, MissingData
from .results import Results
from .schema import Column, columns

NAME = "godwit_details"
SCHEMA: list[Column] = [
    *columns(cells.whole, "experiment", "run", "repetition"),
    *columns(cells.word, "protocol"),
    *columns(cells.number, "requests", "longestServiceTime [us]", "datagramsToOldAddress", optional=True),
    *columns(cells.number, "p99ServiceTime [us]", "stallBeyondFreeze [us]", late=True),
    *columns(cells.word, "connectionEnd", "flaws", optional=True),
]
# Reasons beyond these are counted, not told.
RUN = ["run", "repetition"]
REASONS_SHOWN = 3
FLAWS_SHOWN = 20


def details(results: Results) -> pd.DataFrame:
    """A row a client, of all experiments; the folder tells which."""
    return results.once(("details",), lambda: _read(results))


def _read(results: Results) -> pd.DataFrame:
    root = results.set.root
    frames = []
    for path in sorted(root.rglob(f"{NAME}.*")):
        if any(part.startswith(".") for part in path.relative_to(root).parts):
            continue
        try:
            frame = tables.read(path, NAME, SCHEMA)
        except DataError as error:
            results.findings.note_broken(str(error))
            continue
        frames.append(frame.assign(folder=str(path.parent.relative_to(root))))
    frames = [frame for frame in frames if not frame.empty]
    if not frames:
        raise MissingData(f"no {NAME}.csv")
    return pd.concat(frames, ignore_index=True)


def note_flaws(results: Results) -> None:
    """A run whose checks failed must not look like one that went well."""
    try:
        frame = details(results)
    except MissingData:
        return
    flawed = frame[frame["flaws"].notna()].drop_duplicates(["folder", "run", "repetition", "flaws"])
    for row in flawed.head(FLAWS_SHOWN).itertuples():
        results.findings.note_flaw(
            f"{results.set.label}: {row.folder}: run {row.run}, repetition {row.repetition}: {row.flaws}"
        )
    if len(flawed) > FLAWS_SHOWN:
        results.findings.note_flaw(f"{results.set.label}: {len(flawed) - FLAWS_SHOWN} more")


COLUMNS = [
    "folder", "strategy", "clients", "requests", "longest service time (s)", "a client's highest p99 (s)",
    "longest stall beyond the freeze (s)", "datagrams to the old address", "ended early", "how", "runs with a failed check",
]  # fmt: skip


LONGEST = ["longestServiceTime", "p99ServiceTime", "stallBeyondFreeze"]


def _longest(spans: pd.Series) -> float:
    """In seconds; not a number where no client has any."""
    return float(spans.max()) / 1e6


def rows(results: Results) -> list[list]:
    """By folder and strategy, in the order of the figures."""
    frame = details(results)
    found = []
    for folder, part in frame.groupby("folder", sort=True):
        for protocol in style.in_order(part["protocol"], style.PROTOCOLS):
            clients = part[part["protocol"] == protocol]
            ends = clients["connectionEnd"].dropna()
            found.append([
                folder, style.protocol(protocol).label, len(clients), int(clients["requests"].sum()),
                *(_longest(clients[f"{name} [us]"]) for name in LONGEST),
                int(clients.drop_duplicates(RUN)["datagramsToOldAddress"].sum()), len(ends), _reasons(ends),
                len(clients[clients["flaws"].notna()].drop_duplicates(RUN)),
            ])  # fmt: skip
    return found


def _reasons(ends: pd.Series) -> str:
    counted = ends.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    shown = [f"{count} × {reason}" for reason, count in counted.head(REASONS_SHOWN).items()]
    return "; ".join(shown + (["…"] if len(counted) > REASONS_SHOWN else [])) or "–"
