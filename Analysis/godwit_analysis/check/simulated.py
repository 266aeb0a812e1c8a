"""Everything that can be had in virtual time: bounds of both policies, durations, and the same files twice."""

from dataclasses import dataclass
from pathlib import Path

from .. import bounds, layout
from ..bounds import Verdict
from ..problems import Findings, MissingData
from ..results import Results
from .runs import EXPERIMENTS, Order, Program, Span, differing, one_series

POLICIES = layout.POLICIES
# Two losses and eight strategies make 32,000 runs of it under godwit.
MANY = 2000
FEW = 100
QUICK_S, FULL_S, LONG_S = 120.0, 120.0, 1200.0
LONG_SERIES = "packetloss/exp4/122ms_rtt"


@dataclass(frozen=True)
class Gate:
    """All of it, into one folder."""

    program: Program
    folder: Path
    findings: Findings
    is_quick: bool = False
    is_long: bool = False

    def run(self) -> list[Verdict]:
        found = self._all_quick() + self._first_in_full() + self._bounds()
        return found + (self._long() if self.is_long else [])

    def _all_quick(self) -> list[Verdict]:
        found, folders = [], [self.folder / "quick" / name for name in ("first", "again")]
        for policy in POLICIES:
            spans = [
                sum((self.program.run(Order(id, policy, quick=True), folder) for id in EXPERIMENTS), Span())
                for folder in folders
            ]
            found.append(in_time(policy, "all seven, quick", spans[0], QUICK_S))
        return [*found, same_files("all seven, quick, both policies", *folders)]

    def _first_in_full(self) -> list[Verdict]:
        folders = [self.folder / "full" / name for name in ("first", "again")]
        spans = [self.program.run(Order(1, "thesis"), folder) for folder in folders]
        plain = Order(0, "thesis")
        for folder in folders:
            self.program.run(plain, folder)
        timed = in_time("thesis", "experiment 1 in full", spans[0], FULL_S)
        judged = self._judged(folders[0], "thesis", bounds.excesses)
        return [timed, same_files("experiments 0 and 1 in full, thesis", *folders), *judged]

    def _bounds(self) -> list[Verdict]:
        folder, repetitions = self.folder / "many", FEW if self.is_quick else MANY
        for policy in POLICIES:
            for experiment in (0, 1):
                self.program.run(Order(experiment, policy, repetitions=repetitions), folder)
        found = []
        for policy, judges in (("thesis", (bounds.losses,)), ("godwit", (bounds.ours,))):
            for judge in (*judges, lambda results: [bounds.flaws(results)]):
                found += self._judged(folder, policy, judge)
        return found

    def _long(self) -> list[Verdict]:
        plan = one_series(self.program.plans, 4, LONG_SERIES, self.folder / "plans" / "experiment4.json")
        found = []
        for policy in POLICIES:
            span = self.program.run(Order(4, policy, plan=plan), self.folder / "long")
            found.append(in_time(policy, f"experiment 4 in full, {LONG_SERIES}", span, LONG_S))
        return found

    def _judged(self, folder: Path, policy: str, judge) -> list[Verdict]:
        for one in layout.discover(folder):
            if one.policy == policy:
                try:
                    return judge(Results(one, self.findings))
                except MissingData as reason:
                    return [Verdict(one.label, "results of experiments 0 and 1", "there", str(reason), False)]
        return [Verdict(policy, "results of experiments 0 and 1", "there", f"{folder}: none", False)]


def in_time(about: str, what: str, span: Span, most: float) -> Verdict:
    return Verdict(
        f"{about}, simulated", f"{what}: duration", f"< {most / 60:g} min", str(span), span.wall < most
    )


def same_files(what: str, first: Path, second: Path) -> Verdict:
    different = differing(first, second)
    found = "the same" if not different else f"{len(different)} differ: {', '.join(different[:3])}"
    count = sum(1 for path in first.rglob("*.csv"))
    holds = not different and count > 0
    return Verdict(
        "simulated", f"{what}: twice with one seed", "the same bytes", f"{found}, {count} tables", holds
    )
