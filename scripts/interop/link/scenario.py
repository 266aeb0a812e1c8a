"""What the link does to the datagrams, as plain data that travels to its process as JSON."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Impairment:
    """A share of the datagrams of each direction, at most `burst` of them in a row."""

    percent: int
    burst: int = 3


@dataclass(frozen=True)
class Blackhole:
    """Everything passes for `on` seconds, nothing for `off` seconds, then everything again."""

    on: float
    off: float


@dataclass(frozen=True)
class Rebinding:
    """A network address translator that forgets its bindings, `first` seconds in and then every `period`."""

    first: float
    period: float
    change_address: bool = False


@dataclass(frozen=True)
class Scenario:
    """A point-to-point link with a drop-tail queue; the defaults are those of the interop runner."""

    delay: float = 0.015
    bits_per_second: int = 10_000_000
    queue: int = 25
    mtu: int = 1500
    seed: int = 1
    loss: Impairment | None = None
    corruption: Impairment | None = None
    blackhole: Blackhole | None = None
    rebinding: Rebinding | None = None
    drops_to_server: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @staticmethod
    def from_json(fields: dict[str, Any]) -> Scenario:
        parts = {"loss": Impairment, "corruption": Impairment, "blackhole": Blackhole, "rebinding": Rebinding}
        values = dict(fields)
        for name, kind in parts.items():
            if values.get(name) is not None:
                values[name] = kind(**values[name])
        values["drops_to_server"] = tuple(values.get("drops_to_server", ()))
        return Scenario(**values)
