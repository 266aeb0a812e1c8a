"""What experiments have to show: a value out of bounds fails, and so does one that is not there."""

import contextlib
import io
import json
import os
import shutil
import tempfile
import unittest
from pathlib import Path

import numpy as np
import pandas as pd
from synthetic import Scale, Synthetic

from godwit_analysis import bounds, layout, reference, summaries
from godwit_analysis.check import __main__ as program
from godwit_analysis.check import acceptance, agreeing
from godwit_analysis.check.runs import Order, differing
from godwit_analysis.problems import Findings, MissingData
from godwit_analysis.results import Results

PLAIN_MS = 18.3


class Invented:
    """Results with the excesses that a test wants; NaN is a lost run."""

    def __init__(self, policy: str, excesses: dict[str, dict[str, np.ndarray]]):
        self.set = layout.ResultSet(policy, "simulated", Path("/nowhere"))
        self.known_losses = list(excesses)
        self._excesses = excesses

    def plain_ms(self, loss: str) -> float:
        return PLAIN_MS

    def once(self, key, read):
        raise MissingData("no details")

    def moves(self, loss: str, experiment: str) -> pd.DataFrame:
        frames = [
            pd.DataFrame({"protocol": name, "service_ms": values + PLAIN_MS, "failed": np.isnan(values)})
            for name, values in self._excesses[loss].items()
        ]
        return pd.concat(frames, ignore_index=True)


def of_the_thesis(n: int = 100) -> dict[str, np.ndarray]:
    """Values in the middle of what is allowed: pools stand on rungs, in a mixture that has the mean wanted."""
    found = {name: np.full(n, 0.1) for name in (*bounds.AT_ONCE, "synchronizedSymmetric")}
    found["reactiveExplicit"] = np.full(n, 267.0)
    for name, mean in bounds.POOLS_MS.items():
        low, high = reference.LADDER_MS[0], reference.LADDER_MS[3]
        share = round(n * (mean - low) / (high - low))
        found[name] = np.array([high] * share + [low] * (n - share), dtype=float)
    return found


def of_ours(n: int = 1000) -> dict[str, np.ndarray]:
    """A lost packet in a hundred, and little more."""
    names = (*bounds.OF_OURS, *bounds.SIMULATED_ALONE)
    return {name: np.array([0.1] * (n - n // 50) + [60.0] * (n // 50)) for name in names}


def missed(verdicts: list[bounds.Verdict]) -> list[str]:
    return [one.what for one in verdicts if one.holds is False]


def unjudged(verdicts: list[bounds.Verdict]) -> list[str]:
    return [one.what for one in verdicts if one.holds is None]


class ThesisWithoutLoss(unittest.TestCase):
    def judged(self, **changes):
        return bounds.excesses(Invented("thesis", {"nopacketloss": of_the_thesis() | changes}))

    def test_values_within_bounds_hold(self):
        found = self.judged()
        self.assertEqual((missed(found), unjudged(found)), ([], []))
        self.assertEqual(len(found), 2 + 1 + 2 * 3)

    def test_each_bound_can_be_missed(self):
        pool = of_the_thesis()["poolOfAddresses2"]
        for changes, expected in (
            ({"symmetric": np.full(100, 2.1)}, ["Symmetric: mean excess"]),
            ({"proactiveExplicit": np.full(100, 2.1)}, ["Proactive Explicit: mean excess"]),
            ({"reactiveExplicit": np.full(100, 282.5)}, ["Reactive Explicit: mean excess"]),
            ({"reactiveExplicit": np.full(100, 251.5)}, ["Reactive Explicit: mean excess"]),
            ({"poolOfAddresses2": np.full(100, 467.0)}, ["Pool of 2: mean excess"]),
            # One value between two rungs, which no mean would show.
            ({"poolOfAddresses2": np.append(pool[:-1], 520.0)}, ["Pool of 2: every value from its rung"]),
        ):
            with self.subTest(expected):
                self.assertEqual(missed(self.judged(**changes)), expected)

    def test_a_strategy_without_values_is_missed_and_few_values_are_not_judged(self):
        self.assertEqual(missed(self.judged(symmetric=np.array([]))), ["Symmetric: mean excess"])
        few = bounds.excesses(Invented("thesis", {"nopacketloss": of_the_thesis(99)}))
        self.assertEqual((missed(few), len(unjudged(few))), ([], len(few)))


class ThesisWithLoss(unittest.TestCase):
    def judged(self, lost: dict[str, int], n: int = 2000):
        runs = {}
        for name in (*bounds.OF_THE_THESIS, "synchronizedSymmetric"):
            runs[name] = np.full(n, 0.1)
            runs[name][: lost.get(name, n * 3 // 100 if name in bounds.EXPLICIT else 0)] = np.nan
        return bounds.losses(Invented("thesis", {"packetloss": runs}))

    def test_explicit_alone_loses_and_neither_too_much_nor_too_little(self):
        self.assertEqual(missed(self.judged({})), [])
        self.assertEqual(missed(self.judged({"reactiveExplicit": 20, "proactiveExplicit": 100})), [])
        self.assertEqual(missed(self.judged({"reactiveExplicit": 19})), ["Reactive Explicit: runs lost"])
        self.assertEqual(missed(self.judged({"proactiveExplicit": 101})), ["Proactive Explicit: runs lost"])
        self.assertEqual(missed(self.judged({"symmetric": 9})), [])
        self.assertEqual(missed(self.judged({"symmetric": 10})), ["Symmetric: runs lost"])
        self.assertEqual(
            missed(self.judged({"synchronizedSymmetric": 10})), ["Synchronized Symmetric: runs lost"]
        )

    def test_a_share_of_few_runs_is_not_judged(self):
        found = self.judged({"symmetric": 1000}, n=1999)
        self.assertEqual((missed(found), len(unjudged(found))), ([], len(found)))


class Ours(unittest.TestCase):
    def judged(self, n: int = 1000, **changes):
        return bounds.ours(Invented("godwit", {"nopacketloss": of_ours(n), "packetloss": of_ours(n) | changes}))

    def test_values_within_bounds_hold(self):
        found = self.judged()
        self.assertEqual((missed(found), unjudged(found)), ([], []))
        self.assertEqual(len(found), 2 * 8 * 2 + 1)

    def test_middle_and_tail_can_be_missed(self):
        self.assertEqual(missed(self.judged(combined=np.full(1000, 2.1))), ["Combined: median excess"])
        tail = np.array([0.1] * 980 + [68.1] * 20)
        self.assertEqual(missed(self.judged(symmetric=tail)), ["Symmetric: p99 of the excess"])
        # Three in a thousand are beyond the 99th percentile.
        self.assertEqual(missed(self.judged(symmetric=np.array([0.1] * 997 + [900.0] * 3))), [])
        self.assertEqual(
            missed(self.judged(combined=np.array([]))), ["Combined: median excess", "Combined: p99 of the excess"]
        )

    def test_one_lost_run_is_too_many_and_few_runs_say_nothing(self):
        one = of_ours()["symmetric"]
        one[0] = np.nan
        self.assertEqual(missed(self.judged(symmetric=one)), ["all strategies: runs lost"])
        self.assertEqual(unjudged(self.judged(n=600)), ["all strategies: runs lost"])


class Folders(unittest.TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.root)

    def results(self, folder: Path | None = None) -> list[Results]:
        return [Results(one, Findings()) for one in layout.discover(folder or self.root)]

    def check(self, *arguments: str):
        out, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            code = program.main([str(one) for one in arguments])
        return code, out.getvalue(), errors.getvalue()


class FlawsAndTables(Folders):
    def test_a_run_whose_own_check_failed_is_missed(self):
        one = Synthetic(self.root, "thesis", "simulated", scale=Scale(runs=3), packed=False)
        one.details()
        self.assertTrue(bounds.flaws(self.results()[0]).holds)
        path = one.folder / "nopacketloss/exp1/godwit_details.csv"
        lines = path.read_text().splitlines()
        path.write_text("\n".join([*lines[:-1], lines[-1] + "answered while frozen"]) + "\n")
        self.assertIs(bounds.flaws(self.results()[0]).holds, False)

    def test_the_page_s_tables_have_the_verdicts(self):
        one = Synthetic(self.root, "thesis", "simulated", scale=Scale(runs=3))
        for loss in ("nopacketloss", "packetloss"):
            one.experiment_0(loss)
            one.experiment_1(loss)
        found = {table.name: table for table in summaries.tables(self.results()[0], Findings())}
        rows = found["exp1-bounds"].rows
        self.assertIn("Reactive Explicit: mean excess", [row[1] for row in rows])
        self.assertEqual({row[-1] for row in rows}, {"not judged"})


class Agreement(Folders):
    def written(self, backend: str, slower: float | None = None, runs: int = 30, experiments=(0, 1, 3)) -> None:
        one = Synthetic(
            self.root, "thesis", backend, scale=Scale(runs=runs, notification_runs=runs), packed=False
        )
        one.slower = one.slower if slower is None else slower
        for loss in ("nopacketloss", "packetloss"):
            if 0 in experiments:
                one.experiment_0(loss)
            if 1 in experiments:
                one.experiment_1(loss)
        for round_trip in (18, 122) if 3 in experiments else ():
            one.experiment_3(round_trip)

    def test_what_differs_by_more_than_allowed_is_missed(self):
        self.written("simulated")
        self.written("loopback")
        plain = [one for one in agreeing.judge(self.results()) if one.what.startswith("exp. 0")]
        self.assertEqual([one.holds for one in plain], [True, True])
        self.written("loopback", slower=4.0)
        plain = [one for one in agreeing.judge(self.results()) if one.what.startswith("exp. 0")]
        self.assertEqual([one.holds for one in plain], [False, False])

    def test_fewer_than_thirty_values_are_missed(self):
        self.written("simulated")
        self.written("loopback", runs=29)
        plain = [one for one in agreeing.judge(self.results()) if one.what.startswith("exp. 0")]
        self.assertEqual([one.holds for one in plain], [False, False])
        self.assertIn("n under 30", plain[0].found)

    def test_what_one_side_lacks_is_missed(self):
        self.written("simulated")
        self.written("loopback", experiments=(0, 1))
        absent = [one.what for one in agreeing.judge(self.results()) if one.found == "missing"]
        self.assertEqual(absent, ["exp. 3, 18 ms", "exp. 3, 122 ms"])

    def test_what_the_processor_bounds_is_of_the_real_backend_alone(self):
        self.written("simulated", experiments=(3,))
        self.written("loopback", experiments=(3,))
        symmetric = [one for one in agreeing.judge(self.results()) if "Symmetric" in one.what]
        self.assertTrue(symmetric)
        self.assertEqual({one.word for one in symmetric}, {agreeing.ALONE})
        table = summaries.agreement_table(self.results())
        self.assertIn("bound by the processor", next(row for row in table.rows if "Symmetric" in row[2])[-1])

    def test_a_real_set_without_its_simulated_one_is_missed(self):
        self.written("simulated", experiments=(0,))
        self.written("loopback", experiments=(0,))
        (self.root / "godwit").mkdir()
        shutil.copytree(self.root / "thesis/loopback", self.root / "godwit/loopback")
        found = [one for one in agreeing.judge(self.results()) if one.about == "godwit, loopback"]
        self.assertEqual([one.holds for one in found], [False])

    def test_the_program_s_exit_code_and_json_tell(self):
        self.written("simulated", experiments=(0,))
        self.written("loopback", experiments=(0,))
        code, said, _ = self.check("--agreement", self.root, "--json", self.root / "verdicts.json")
        self.assertEqual(code, 1)
        self.assertRegex(said, r"MISSED +thesis, simulated +exp\. 1, no loss")
        content = json.loads((self.root / "verdicts.json").read_text(encoding="utf-8"))
        self.assertEqual(content["missed"], sum(one["holds"] is False for one in content["verdicts"]))


class SameFiles(Folders):
    def test_a_byte_a_file_or_a_seed_makes_a_difference_and_times_make_none(self):
        first, second = self.root / "first", self.root / "second"
        for folder, started in ((first, 1), (second, 2)):
            (folder / ".journal").mkdir(parents=True)
            (folder / ".journal/lock").write_text(str(started))
            (folder / "table.csv").write_text("a,b\n")
            facts = {"startedAt": started, "duration": started / 3, "firstSeed": 1}
            (folder / "environment_experiment1.json").write_text(json.dumps(facts))
        self.assertEqual(differing(first, second), [])
        (second / "environment_experiment1.json").write_text(json.dumps({"firstSeed": 2}))
        (second / "table.csv").write_text("a,c\n")
        (second / "more.csv").write_text("")
        self.assertEqual(
            differing(first, second), ["environment_experiment1.json", "more.csv", "table.csv"]
        )


class Usage(Folders):
    def fake(self, script: str) -> Path:
        path = self.root / f"mhq {script}"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def test_what_is_missing_is_one_line_and_an_exit_code(self):
        plans = Path(__file__).parents[2] / "Plans"
        for arguments, expected in (
            (["--mhq", self.root / "mhq"], 69),
            (["--agreement", self.root / "nowhere"], 66),
            (["--agreement", self.root], 66),
            (["--real"], 64),
            (["--recipe"], 64),
            (["--real", "--out", "x", "--repetitions", "29"], 64),
            (["--mhq", self.fake("exit 3"), "--plans", plans], 70),
            (["--mhq", self.fake("exit 3"), "--plans", self.root / "nowhere"], 66),
            (["--mhq", self.fake("exit 0"), "--plans", plans, "--out", self.root], 64),
        ):
            with self.subTest(arguments):
                code, _, errors = self.check(*arguments)
                told = [line for line in errors.splitlines() if line.startswith("experiments-check:")]
                self.assertEqual((code, len(told)), (expected, 1), errors)

    def test_a_program_that_writes_nothing_misses_everything(self):
        plans = Path(__file__).parents[2] / "Plans"
        code, said, _ = self.check("--quick", "--mhq", self.fake("exit 0"), "--plans", plans)
        self.assertEqual(code, 1)
        self.assertRegex(said, r"MISSED +simulated +all seven, quick, both policies: twice with one seed")
        self.assertRegex(said, r"MISSED +godwit +results of experiments 0 and 1")

    def test_the_recipe_has_every_run_and_runs_none(self):
        code, said, _ = self.check("--real", "--recipe", "--out", "results", "--mhq", "mhq")
        lines = said.splitlines()
        self.assertEqual((code, len(lines)), (0, 3 * 2 * 3 + 1))
        self.assertIn("mhq experiment run 1 --policy thesis --backend namespaces --quick --repetitions 30", said)
        self.assertFalse(Path("results").exists())

    def test_all_clients_are_those_of_the_full_plan(self):
        orders = acceptance.orders(("godwit",), ("loopback",), 30, True)
        self.assertIn(Order(3, "godwit", "loopback", False, 30), orders)
        self.assertIn(Order(1, "godwit", "loopback", True, 30), orders)


if __name__ == "__main__":
    unittest.main()
