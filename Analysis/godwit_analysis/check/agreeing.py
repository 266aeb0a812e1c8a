"""Whether results of real sockets say the same as simulated ones."""

from pathlib import Path

from .. import agreement, layout
from ..bounds import Verdict
from ..problems import NO_INPUT, Findings
from ..results import Results
from .runs import Failure

HOW = (
    "Agreement: medians of real and simulated results, with percentile bootstrap intervals of 95 %, differ by at most "
    f"{100 * agreement.ALLOWED_SHARE:g} % of the real one or {agreement.ALLOWED_MS:g} ms, with n ≥ {agreement.ENOUGH} in both. "
    "Experiment 1 is compared by the excess over the median of experiment 0 of the same backend. Experiment 3's "
    "Symmetric is the server's own work, which virtual time can't have: it is taken from the real backend alone."
)

ALONE = "real alone"


def read(folders: list[Path], findings: Findings) -> list[Results]:
    """The sets of all folders; each policy and backend once."""
    found: dict[str, layout.ResultSet] = {}
    for folder in folders:
        if not folder.is_dir():
            raise Failure(f"{folder}: no such folder", NO_INPUT)
        sets = layout.discover(folder)
        if not sets:
            raise Failure(f"{folder}: no results there: looked for folders nopacketloss and packetloss", NO_INPUT)
        for one in sets:
            if one.slug in found and found[one.slug].root.resolve() != one.root.resolve():
                raise Failure(f"{found[one.slug].root} and {one.root} are both {one.label}", NO_INPUT)
            found[one.slug] = one
    return [Results(one, findings) for one in found.values()]


def judge(all_results: list[Results]) -> list[Verdict]:
    compared = agreement.compare(all_results)
    if not agreement.pairs(all_results):
        raise Failure("nothing to compare: needs a simulated and a real set of one policy", NO_INPUT)
    found = [compared_verdict(one) for one in compared]
    found += [
        Verdict(f"{one.policy}, {one.backend}", one.item, "–", f"{_shown(one.real)} ms", None, ALONE)
        for one in agreement.alone(all_results)
    ]
    found += [
        Verdict(one.set.label, "simulated results of the same policy", "there", "missing", False)
        for one in agreement.unpaired(all_results)
    ]
    return found + [
        Verdict(f"{policy}, {backend}", item, "there", "missing", False)
        for policy, backend, item in agreement.missing(all_results)
    ]


def compared_verdict(one: agreement.Comparison) -> Verdict:
    found = f"{_shown(one.simulated)} virtual, {_shown(one.real)} ms, {one.difference[0]:+.2f} of allowed"
    if one.least < agreement.ENOUGH:
        found += f", n under {agreement.ENOUGH}"
    holds = one.agrees and one.least >= agreement.ENOUGH
    return Verdict(f"{one.policy}, {one.backend}", one.item, f"± {one.allowed_ms:.2f} ms", found, holds)


def _shown(sample: agreement.Sample) -> str:
    bounds = sample.interval
    return f"{sample.median:.2f} [{bounds.low:.2f}, {bounds.high:.2f}] (n = {len(sample.values)})"
