"""Every figure, by family: a module each, with a catalogue of names that stay the same."""

from collections.abc import Iterator

from ..problems import DataError, MissingData
from ..results import Results
from . import comparison, distributions, experiment1, experiment2_container, experiment2_service
from . import experiment3, experiment4, experiments5and6, failures, reference
from .plan import Drawing, Plan

FAMILIES = (
    experiment1,
    experiment2_service,
    experiment2_container,
    experiment3,
    experiment4,
    experiments5and6,
    distributions,
    failures,
)
# Comparisons first: they are what most readers come for.
ORDER = (comparison.FAMILY, *(family.FAMILY for family in FAMILIES))


def plans(results: Results) -> list[Plan]:
    """What a full set yields, and what is there besides."""
    return [plan for family in FAMILIES for plan in family.catalogue(results)]


def draw(plan: Plan, results: Results) -> Drawing | None:
    """The figure, or None after saying what it lacked."""
    return _attempt(plan.name, results.set.label, results.findings, lambda: plan.drawn(results))


def draw_comparisons(all_results: list[Results], findings) -> Iterator[Drawing]:
    for name, make in comparison.catalogue():
        drawing = _attempt(name, "all sets", findings, lambda: make(all_results))
        if drawing is not None:
            yield drawing


def draw_references() -> Iterator[Drawing]:
    yield from reference.drawings()


def _attempt(name: str, where: str, findings, make) -> Drawing | None:
    try:
        return make()
    except MissingData as reason:
        findings.note_not_drawn(f"{where}: {name}: {reason}")
    except DataError as error:
        findings.note_broken(str(error))
        findings.note_not_drawn(f"{where}: {name}: {error}")
    return None
