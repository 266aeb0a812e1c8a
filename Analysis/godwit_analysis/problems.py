"""What can be wrong with results, each as one line that says where."""

from dataclasses import dataclass, field
from pathlib import Path

# The meanings of sysexits.h: 64 wrong usage, 65 data that is not what it should be, 66 input that is not there.
USAGE, DATA_ERROR, NO_INPUT, CANNOT_CREATE = 64, 65, 66, 73


class DataError(Exception):
    """A file that is there and can't be read as results-format.md says."""

    def __init__(self, path: Path | str, reason: str, row: int | None = None, column: str | None = None):
        place = str(path)
        if row is not None:
            place += f": row {row}"
        if column is not None:
            place += f': column "{column}"'
        super().__init__(f"{place}: {reason}")


class MissingData(Exception):
    """What a figure or table needs and the results don't have."""


@dataclass
class Findings:
    """What was missing or broken, in the order of discovery and each only once."""

    missing: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    not_drawn: list[str] = field(default_factory=list)
    flaws: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note_missing(self, line: str) -> None:
        self._once(self.missing, line)

    def note_broken(self, line: str) -> None:
        self._once(self.broken, line)

    def note_not_drawn(self, line: str) -> None:
        self._once(self.not_drawn, line)

    def note_flaw(self, line: str) -> None:
        self._once(self.flaws, line)

    def note(self, line: str) -> None:
        self._once(self.notes, line)

    @staticmethod
    def _once(lines: list[str], line: str) -> None:
        if line not in lines:
            lines.append(line)
