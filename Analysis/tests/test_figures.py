"""All figures from an invented set: how many there are, that none is empty, and that they come out the same."""

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.pyplot as plt
from axes import check, has_data
from synthetic import Scale, Synthetic

from godwit_analysis import __main__ as program
from godwit_analysis import figures, layout, style
from godwit_analysis.problems import DATA_ERROR, NO_INPUT, USAGE, Findings
from godwit_analysis.results import Results

SMALL = Scale(runs=5, container_runs=2, notification_runs=2, clients=2, seconds_between=4)
# What experiments.md lists, and ours: a set of both losses, both round trips and all strategies of the thesis.
EXPECTED = {
    "Experiment 1: the protocol alone": 3,
    "Experiment 2: a container moves under one client": 4 + 4 * 2,
    "Experiment 2: the container's side": 3 * 4,
    "Experiment 3: until all clients are ready": 3,
    "Experiment 4: thirty clients": 4 * 2 * 2 + 3,
    "Experiments 5 and 6: an hour of handovers": 2 + 1 + 1,
    "Distributions of the excess": 2,
    "Failures": 1,
}


def silent(run):
    """The exit code, and what was said on either channel."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        code = run()
    return code, out.getvalue(), errors.getvalue()


class Invented(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.root)
        style.set_up()

    def results(self) -> list[Results]:
        findings = Findings()
        return [Results(one, findings) for one in layout.discover(self.root)]


class OneSet(Invented):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Synthetic(cls.root, "thesis", "simulated", scale=SMALL).write()
        Synthetic(cls.root, "thesis", "loopback", scale=SMALL).write()

    def test_every_figure_is_there_and_none_has_an_empty_axis(self):
        results = self.results()[0]
        counted: dict[str, int] = {}
        for plan in figures.plans(results):
            with self.subTest(plan.name):
                drawing = figures.draw(plan, results)
                self.assertIsNotNone(drawing, results.findings.not_drawn)
                check(self, drawing)
                for fact in ("policy thesis", "backend simulated", "commit 0123456789ab"):
                    self.assertIn(fact, drawing.caption.lower())
                self.assertRegex(drawing.caption, r"n = [\d,]+|n = .* of ")
                counted[plan.family] = counted.get(plan.family, 0) + 1
        self.assertEqual(counted, EXPECTED)
        names = [plan.name for plan in figures.plans(results)]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual((results.findings.broken, results.findings.not_drawn), ([], []))

    def test_comparisons_and_the_thesis_s_own_figures_are_there(self):
        all_results = self.results()
        drawings = list(figures.draw_comparisons(all_results, all_results[0].findings)) + list(
            figures.draw_references()
        )
        for drawing in drawings:
            with self.subTest(drawing.name):
                check(self, drawing)
        self.assertEqual(len(drawings), 3 + 4)

    def test_no_figure_mixes_virtual_and_measured_milliseconds(self):
        virtual, measured = self.results()
        for name in ("exp1-service-time-panels", "exp2-affected-bars-no-loss", "exp3-notification-both"):
            for results in (virtual, measured):
                plan = next(plan for plan in figures.plans(results) if plan.name == name)
                drawing = figures.draw(plan, results)
                labels = [axis.get_ylabel() for axis in drawing.figure.axes if axis.get_ylabel()]
                self.assertTrue(
                    all(("virtual" in label) == results.set.is_virtual for label in labels), labels
                )
                plt.close(drawing.figure)


class Empty(unittest.TestCase):
    def test_the_check_for_empty_axes_can_fail(self):
        figure, axis = plt.subplots()
        self.assertFalse(has_data(axis))
        axis.plot([], [])
        axis.axvline(0.5)
        self.assertFalse(has_data(axis))
        axis.plot([5], [5])
        axis.set_xlim(0, 1)
        axis.set_ylim(0, 1)
        self.assertFalse(has_data(axis))
        axis.plot([0.5], [0.5])
        self.assertTrue(has_data(axis))
        plt.close(figure)


class Program(Invented):
    def setUp(self):
        self.out = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.out)
        self.results_folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.results_folder)

    def partial(self) -> Synthetic:
        """A set with experiments 0, 1 and 3 only."""
        one = Synthetic(self.results_folder, "thesis", "simulated", scale=SMALL, packed=False)
        for loss in ("nopacketloss", "packetloss"):
            one.experiment_0(loss)
            one.experiment_1(loss)
        one.experiment_3(18)
        one.environment()
        return one

    def run_program(self, *more: str):
        return silent(
            lambda: program.main(
                [str(self.results_folder), "--out", str(self.out / "figures"), "--quiet", *more]
            )
        )

    def test_half_a_result_set_yields_what_can_be_drawn_and_says_what_is_missing(self):
        self.partial()
        code, said, errors = self.run_program()
        self.assertEqual((code, errors), (0, ""))
        self.assertIn("missing: thesis, simulated: nopacketloss/exp2: nothing there", said)
        self.assertIn("missing: thesis, simulated: nopacketloss/exp3/122ms_rtt: nothing there", said)
        self.assertIn("not drawn: thesis, simulated: exp3-notification-both", said)
        drawn = sorted(path.name for path in (self.out / "figures/figures/thesis/simulated").iterdir())
        self.assertEqual(
            drawn,
            sorted(
                f"{name}.{ending}"
                for ending in ("svg", "pdf")
                for name in (
                    "exp1-excess-ecdf",
                    "exp1-service-time-loss",
                    "exp1-service-time-no-loss",
                    "exp1-service-time-panels",
                    "exp3-notification-18ms",
                    "failures",
                )
            ),
        )

    def test_the_page_needs_no_network_and_its_inner_names_are_unique(self):
        self.partial()
        self.run_program()
        text = (self.out / "figures/index.html").read_text(encoding="utf-8")
        self.assertNotRegex(text, r"<script|<link|<img|@import|url\((?!#)|(?:src|href)=\"(?!#|data:)")
        names = re.findall(r'\bid="([^"]+)"', text)
        self.assertEqual(len(names), len(set(names)))
        used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', text))
        self.assertEqual(used - set(names), set())
        self.assertIn("The thesis: service time after a migration", text)
        self.assertIn("Missing from the results", text)
        HTMLParser().feed(text)

    def test_a_broken_cell_is_a_line_and_exit_code_65_and_the_rest_is_drawn(self):
        one = self.partial()
        path = one.folder / "packetloss/exp1/experiment1_service_times.csv"
        path.write_text(path.read_text().replace("1,1,2,2,[", "1,1,2,2,[x"))
        code, _, errors = self.run_program()
        self.assertEqual(code, DATA_ERROR)
        self.assertRegex(
            errors, r'^figures: .*experiment1_service_times.csv: row 2: column "serviceTimes \[us\]": .*\n$'
        )
        self.assertTrue(
            (self.out / "figures/figures/thesis/simulated/exp1-service-time-no-loss.svg").is_file()
        )
        self.assertFalse((self.out / "figures/figures/thesis/simulated/exp1-service-time-loss.svg").exists())
        self.assertIn("Broken files", (self.out / "figures/index.html").read_text(encoding="utf-8"))

    def test_nothing_to_draw_is_exit_code_66_and_wrong_usage_64(self):
        code, _, errors = self.run_program()
        self.assertEqual(code, NO_INPUT)
        self.assertRegex(errors, r"^figures: .*no results there.*\n$")
        code, _, errors = silent(lambda: program.main(["/nowhere", "--out", str(self.out)]))
        self.assertEqual((code, errors), (NO_INPUT, "figures: /nowhere: no such folder\n"))
        code, _, errors = silent(lambda: program.main(["--out", str(self.out)]))
        self.assertEqual((code, errors.count("\n")), (USAGE, 1))
        (self.results_folder / "thesis/simulated/nopacketloss").mkdir(parents=True)
        code, _, errors = self.run_program()
        self.assertEqual(code, NO_INPUT)

    def test_a_second_run_leaves_nothing_of_the_first_behind(self):
        one = self.partial()
        self.run_program()
        shutil.rmtree(one.folder / "nopacketloss/exp3")
        self.run_program()
        self.assertFalse((self.out / "figures/figures/thesis/simulated/exp3-notification-18ms.svg").exists())

    def test_the_same_results_give_the_same_bytes_in_any_process(self):
        self.partial()
        for name, seed in (("first", "1"), ("second", "2")):
            subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "godwit_analysis",
                    str(self.results_folder),
                    "--out",
                    str(self.out / name),
                    "--quiet",
                ],
                check=True,
                capture_output=True,
                cwd=Path(program.__file__).parents[1],
                env=os.environ | {"PYTHONHASHSEED": seed},
            )
        first = {path.relative_to(self.out / "first"): path.read_bytes() for path in self.files("first")}
        second = {path.relative_to(self.out / "second"): path.read_bytes() for path in self.files("second")}
        self.assertEqual(sorted(first), sorted(second))
        self.assertEqual([str(name) for name in first if first[name] != second[name]], [])

    def files(self, name: str) -> list[Path]:
        return [path for path in (self.out / name).rglob("*") if path.is_file()]


if __name__ == "__main__":
    unittest.main()
