"""A figure before and after it is drawn."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from matplotlib.figure import Figure

from .. import statistics, style
from ..results import Results


@dataclass
class Drawn:
    """What a drawing function hands back: the picture, and what its caption must say of the sample."""

    figure: Figure
    samples: str
    seeds: Iterable[int] = ()
    has_intervals: bool = True


@dataclass
class Drawing:
    """A finished figure with its fixed name (without ending), and where it lies below the output folder."""

    folder: str
    name: str
    family: str
    title: str
    caption: str
    figure: Figure


@dataclass(frozen=True)
class Case:
    """One of several figures that differ in a value alone: how its name and its title end."""

    name: str
    title: str
    value: str


@dataclass(frozen=True)
class Plan:
    name: str
    family: str
    title: str
    text: str
    draw: Callable[[Results], Drawn]

    @property
    def experiments(self) -> list[int]:
        """The experiments a name is about: `exp5-exp6-handover`; the failures are about three."""
        return [int(digit) for digit in re.findall(r"exp(\d)", self.name)] or [1, 2, 4]

    def drawn(self, results: Results) -> Drawing:
        drawn = self.draw(results)
        result_set = results.set
        facts = [f"policy {result_set.policy}", f"backend {result_set.backend}"]
        if result_set.is_virtual:
            facts.append("times are virtual")
        facts += [drawn.samples]
        if drawn.has_intervals:
            facts.append(statistics.METHOD)
        facts += [seed_text(drawn.seeds), result_set.shown_commit(self.experiments)]
        line = " · ".join(fact for fact in facts if fact)
        style.footer(drawn.figure, line)
        return Drawing(
            result_set.slug,
            self.name,
            self.family,
            self.title,
            f"{self.text} {line[0].upper()}{line[1:]}.",
            drawn.figure,
        )


def singles_and_panels(
    stem: str, family: str, title: str, text: str, cases: list[Case], all_cases: Case, draw
) -> list[Plan]:
    """A figure for each case, and one that shows them side by side; `draw` takes results and values."""
    whole = [case.value for case in cases]
    return [
        Plan(
            f"{stem}-{case.name}",
            family,
            f"{title}, {case.title}",
            text,
            lambda results, values=values: draw(results, values),
        )
        for case, values in [*((case, [case.value]) for case in cases), (all_cases, whole)]
    ]


def seed_text(seeds: Iterable[int]) -> str:
    values = sorted({int(seed) for seed in seeds})
    if not values:
        return ""
    return f"seed {values[0]}" if len(values) == 1 else f"seeds {values[0]}–{values[-1]}"


def counts(numbers: Iterable[int], what: str) -> str:
    """`n = 100 a bar`, or the span where groups differ."""
    values = sorted(set(numbers))
    if not values:
        return ""
    span = f"{values[0]:,}" if len(values) == 1 else f"{values[0]:,} to {values[-1]:,}"
    return f"n = {span} {what}"
