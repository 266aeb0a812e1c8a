"""All figures from results that somebody has: the folder that GODWIT_RESULTS names, of several backends.

GODWIT_FIGURES says how many figures each set has to yield, GODWIT_COMPARISONS how many there have to be across sets.
"""

import os
import unittest
from pathlib import Path

from axes import check

from godwit_analysis import figures, layout, style
from godwit_analysis.problems import Findings
from godwit_analysis.results import Results

FOLDER = os.environ.get("GODWIT_RESULTS", "")


@unittest.skipUnless(FOLDER, "GODWIT_RESULTS names no results")
class Given(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        style.set_up()
        cls.findings = Findings()
        cls.sets = [Results(one, cls.findings) for one in layout.discover(Path(FOLDER))]

    def test_there_are_sets_in_virtual_time_and_of_real_sockets(self):
        self.assertEqual({results.set.is_virtual for results in self.sets}, {True, False})

    def test_every_figure_of_every_set_is_there_and_none_has_an_empty_axis(self):
        for results in self.sets:
            drawings = [figures.draw(plan, results) for plan in figures.plans(results)]
            drawn = [drawing for drawing in drawings if drawing is not None]
            for drawing in drawn:
                with self.subTest(f"{results.set.label}: {drawing.name}"):
                    check(self, drawing)
                    self.assertIn(f"backend {results.set.backend}", drawing.caption.lower())
            names = sorted(drawing.name for drawing in drawn)
            self.assertEqual(len(names), int(os.environ["GODWIT_FIGURES"]), f"{results.set.label}: {names}")
        self.assertEqual(self.findings.broken, [])

    def test_what_compares_sets_shows_those_of_real_sockets_beside_the_others(self):
        drawings = list(figures.draw_comparisons(self.sets, self.findings))
        for drawing in drawings:
            with self.subTest(drawing.name):
                check(self, drawing)
                for results in self.sets:
                    self.assertIn(results.set.backend, drawing.caption.lower())
        names = [drawing.name for drawing in drawings]
        self.assertEqual(len(names), int(os.environ["GODWIT_COMPARISONS"]), names)


if __name__ == "__main__":
    unittest.main()
