"""The forms a cell of the thesis's files can have. Every function takes the cell's text, never an empty one."""

import ast
import json
import math

import numpy as np

MEGABYTES = {"K": 1e-3, "M": 1.0, "G": 1e3, "B": 1e-6}


class CellError(ValueError):
    """A cell that has not the form its column promises."""


def shown(text: str, limit: int = 40) -> str:
    """A cell as it can stand in a message: a list of an hour's requests has megabytes."""
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")


def number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise CellError(f"{shown(text)} is not a number") from None
    if not math.isfinite(value):
        raise CellError(f"{shown(text)} is not a finite number")
    return value


def whole(text: str) -> int:
    """Whole numbers. pandas writes `11.0` into a column that has empty cells, and so do published files."""
    value = number(text)
    if value != int(value):
        raise CellError(f"{shown(text)} is not a whole number")
    return int(value)


def flag(text: str) -> bool:
    if text not in ("True", "False"):
        raise CellError(f"{shown(text)} is neither True nor False")
    return text == "True"


def word(text: str) -> str:
    return text


def size(text: str) -> float:
    """Megabytes (10^6 bytes) of `1.46M`, `252K`, `970.11K bytes/sec` or `812`: rsync counts in powers of 1000."""
    bare = text.removesuffix("bytes/sec").strip()
    factor = MEGABYTES.get(bare[-1:].upper())
    try:
        return number(bare) * 1e-6 if factor is None else number(bare[:-1]) * factor
    except CellError:
        raise CellError(f"{shown(text)} is not a size like 1.46M or 252K") from None


def _literal(text: str) -> list:
    """A Python list literal. JSON is 20 times faster and reads nearly all of them, after a change of quotes."""
    candidate = text.strip()
    if not (candidate.startswith("[") and candidate.endswith("]")):
        raise CellError(f"{shown(text)} is not a list in brackets")
    try:
        if '"' not in candidate and "\\" not in candidate:
            return json.loads(candidate.replace("'", '"'))
    except ValueError:
        pass
    try:
        value = ast.literal_eval(candidate)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise CellError(f"{shown(text)} is not a list literal") from None
    if not isinstance(value, list):
        raise CellError(f"{shown(text)} is not a list")
    return value


def numbers(text: str) -> np.ndarray:
    values = _literal(text)
    for value in values:
        if type(value) not in (int, float):
            raise CellError(f"{shown(repr(value))} in the list is not a number")
    array = np.array(values, dtype=float)
    if not np.isfinite(array).all():
        raise CellError("a number in the list is not finite")
    return array


def durations(text: str) -> np.ndarray:
    array = numbers(text)
    if (array < 0).any():
        raise CellError(f"{array[array < 0][0]:g} in the list is a negative duration")
    return array


def words(text: str) -> list[str]:
    values = _literal(text)
    for value in values:
        if not isinstance(value, str):
            raise CellError(f"{shown(repr(value))} in the list is not a text")
    return values


def sizes(text: str) -> np.ndarray:
    return np.array([size(value) for value in words(text)], dtype=float)


def _real(lines: list) -> float:
    if not lines or not all(isinstance(line, str) for line in lines) or not lines[0].startswith("real "):
        raise CellError(f"{shown(repr(lines))} does not begin with 'real SECONDS'")
    seconds = lines[0].removeprefix("real ").strip()
    # What stands there when nothing was restored: the scripts of experiment 4 can't take an empty cell.
    return math.nan if seconds == "nan" else number(seconds)


def real_time(text: str) -> float:
    """Seconds of `['real 0.24', 'user 0.04', 'sys 0.04']`, as time(1) has them."""
    return _real(_literal(text))


def real_times(text: str) -> np.ndarray:
    """The same for a list of them."""
    values = _literal(text)
    for value in values:
        if not isinstance(value, list):
            raise CellError(f"{shown(repr(value))} in the list is not itself a list")
    return np.array([_real(value) for value in values], dtype=float)
