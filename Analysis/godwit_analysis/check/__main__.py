"""Runs the experiments with mhq and says, bound by bound, whether they show what they have to.

  python -m godwit_analysis.check                        all simulated bounds: minutes
  python -m godwit_analysis.check --quick                fewer repetitions: shares of lost runs are not judged
  python -m godwit_analysis.check --long                 experiment 4 in full as well, one round trip and loss
  python -m godwit_analysis.check --real --out DIR       experiments 0, 1 and 3 on real sockets and simulated, then
                                                         whether they agree: hours; --recipe only tells the commands
  python -m godwit_analysis.check --agreement DIR DIR…   whether results that are there already agree

Exit status: 0 when everything holds, 1 when a figure is missed or could not be judged, 64 wrong usage, 65 a broken
file of results, 66 results that are missing, 69 no mhq, 70 mhq failed.
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
import unicodedata
from pathlib import Path

from .. import bounds, layout
from ..agreement import ENOUGH
from ..bounds import Verdict
from ..problems import DATA_ERROR, USAGE, DataError, Findings
from . import acceptance, agreeing
from .runs import Failure, Program, Terminated, empty_folder, say
from .simulated import Gate

MISSED = 1
INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    def error(self, message: str):
        raise Failure(message, USAGE)


def main(arguments: list[str] | None = None) -> int:
    try:
        return _run(_options(arguments))
    except (Failure, DataError) as failure:
        say(f"experiments-check: {failure}")
        return failure.code if isinstance(failure, Failure) else DATA_ERROR
    except KeyboardInterrupt:
        say("experiments-check: interrupted")
        return INTERRUPTED


def _terminated(*_) -> None:
    raise Terminated


def _options(arguments: list[str] | None):
    parser = Parser(
        prog="experiments-check", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--agreement", nargs="+", metavar="DIR", type=Path, help="folders of results to compare")
    mode.add_argument("--real", action="store_true", help="run on real sockets too; needs a calm machine")
    parser.add_argument("--quick", action="store_true", help="100 repetitions in place of 2,000")
    parser.add_argument("--long", action="store_true", help="time experiment 4 in full, under both policies")
    parser.add_argument("--mhq", type=Path, default=Path(".build/release/mhq"), help="default: %(default)s")
    parser.add_argument("--plans", type=Path, default=Path("Plans"), help="default: %(default)s")
    parser.add_argument("--out", type=Path, metavar="DIR", help="keep results here; else they are removed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the verdicts here as well")
    real = parser.add_argument_group("with --real")
    real.add_argument("--recipe", action="store_true", help="print the commands and durations, run nothing")
    real.add_argument("--repetitions", type=int, default=ENOUGH, metavar="N", help="default: %(default)s")
    real.add_argument("--all-clients", action="store_true", help="experiment 3 with 1 to 50 clients, not 1 and 10")
    real.add_argument("--backends", nargs="+", choices=acceptance.REAL_BACKENDS, help="default: both")
    real.add_argument("--policies", nargs="+", choices=layout.POLICIES, help="default: both")
    options = parser.parse_args(arguments)
    _refuse_contradictions(options)
    return options


def _refuse_contradictions(options) -> None:
    of_real = options.recipe or options.all_clients or options.backends or options.policies
    if of_real and not options.real:
        raise Failure("--recipe, --all-clients, --backends and --policies go with --real", USAGE)
    if (options.quick or options.long) and (options.real or options.agreement):
        raise Failure("--quick and --long are about simulated bounds alone", USAGE)
    if options.real and not options.out:
        raise Failure("--real: --out DIR? Hours of results should stay somewhere", USAGE)
    if options.repetitions < ENOUGH:
        raise Failure(f"--repetitions: nothing is judged under {ENOUGH}", USAGE)


def _run(options) -> int:
    findings = Findings()
    if options.agreement:
        found, notes = agreeing.judge(agreeing.read(options.agreement, findings)), [agreeing.HOW]
        return _end(found, notes, findings, options)
    if options.real:
        return _real(options, findings)
    program = Program(options.mhq, options.plans)
    kept = options.out is not None
    folder = empty_folder(options.out if kept else Path(tempfile.mkdtemp(prefix="experiments-check-")))
    try:
        found = Gate(program, folder, findings, options.quick, options.long).run()
    finally:
        if not kept:
            shutil.rmtree(folder)
    return _end(found, [bounds.EXCESS, bounds.TAIL], findings, options)


def _real(options, findings: Findings) -> int:
    orders = acceptance.orders(
        options.policies or layout.POLICIES,
        options.backends or acceptance.REAL_BACKENDS,
        options.repetitions,
        options.all_clients,
    )
    if options.recipe:
        print("\n".join(acceptance.recipe(orders, str(options.mhq), options.out)))
        return 0
    acceptance.run(Program(options.mhq, options.plans), orders, options.out)
    found = agreeing.judge(agreeing.read([options.out], findings))
    return _end(found, [agreeing.HOW], findings, options)


def _end(found: list[Verdict], notes: list[str], findings: Findings, options) -> int:
    print("\n".join(table(found)))
    print("\n" + "\n".join(notes))
    for line in findings.broken:
        say(f"experiments-check: {line}")
    missed, open_ = ([one for one in found if one.holds is holds] for holds in (False, None))
    # What only a real backend can tell has nothing to be held against.
    open_ = [one for one in open_ if one.unjudged != agreeing.ALONE]
    print(f"\n{len(found)} figures, {len(missed)} missed, {len(open_)} not judged")
    if options.json:
        write_json(options.json, found, notes)
    if findings.broken:
        return DATA_ERROR
    return MISSED if missed or (open_ and not options.quick) else 0


def table(found: list[Verdict]) -> list[str]:
    rows = [("verdict", "set", "what", "allowed", "found")]
    rows += [(one.word, one.about, one.what, one.allowed, one.found) for one in found]
    widths = [max(_width(row[place]) for row in rows) for place in range(len(rows[0]))]
    return ["  ".join(_padded(cell, width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def _width(text: str) -> int:
    return sum(not unicodedata.combining(letter) for letter in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def write_json(path: Path, found: list[Verdict], notes: list[str]) -> None:
    rows = [
        {"set": one.about, "what": one.what, "allowed": one.allowed, "found": one.found, "holds": one.holds}
        for one in found
    ]
    content = {"verdicts": rows, "notes": notes, "missed": sum(one.holds is False for one in found)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise Failure(f"{path}: can't be written: {error.strerror}", USAGE) from None


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _terminated)
    sys.exit(main())
