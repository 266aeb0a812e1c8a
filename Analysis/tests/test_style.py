"""Colours that everybody can tell apart, and files without traces of when they were made."""

import itertools
import unittest

import numpy as np

from godwit_analysis import style, summaries
from godwit_analysis.figures import experiment2_container

# Machado, Oliveira and Fernandes 2009: what colours become without one kind of cone.
VISIONS = {
    "all cones": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = np.array([0.9505, 1.0, 1.089])
# In CIELAB 2.3 is just noticeable; side by side in a legend it takes more.
APART = 15


def lab(colour: str, vision) -> np.ndarray:
    values = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    scaled = TO_XYZ @ np.clip(np.array(vision) @ linear, 0, 1) / WHITE
    root = np.where(scaled > 0.008856, np.cbrt(scaled), 7.787 * scaled + 16 / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


class Colours(unittest.TestCase):
    def test_no_kind_of_colour_vision_confuses_two_of_a_legend(self):
        legends = {
            "strategies": {look.label: look for look in style.PROTOCOLS.values()},
            "techniques": style.TECHNIQUES,
            "phases": experiment2_container.PHASES,
            "bytes": experiment2_container.BYTES,
        }
        for name, looks in legends.items():
            for (first, one), (second, other) in itertools.combinations(looks.items(), 2):
                for vision, matrix in VISIONS.items():
                    with self.subTest(f"{name}: {first} and {second}, {vision}"):
                        distance = np.linalg.norm(lab(one.colour, matrix) - lab(other.colour, matrix))
                        self.assertGreater(distance, APART)

    def test_strategies_and_techniques_differ_in_their_marks_too(self):
        for looks in (style.PROTOCOLS, style.TECHNIQUES):
            marks = {look.label: look.marker for look in looks.values()}
            self.assertEqual(len(set(marks.values())), len(marks) - ("No migration" in marks))


class Numbers(unittest.TestCase):
    def test_three_digits_are_shown(self):
        shown = [style.short(value) for value in (0.281, 20.451, 287.7, 1595.49, float("nan"))]
        self.assertEqual(shown, ["0.28", "20.5", "288", "1,595", "–"])

    def test_tables_show_hundredths_and_no_minus_before_zero(self):
        values = (-0.001, 20.451, 287.74, 1595.49, 100, None, float("nan"), "text")
        self.assertEqual(
            [summaries.shown(value) for value in values],
            ["0.00", "20.45", "287.7", "1,595", "100", "–", "–", "text"],
        )
        self.assertEqual([summaries.raw(value) for value in (-0.00001, 2.5, 3, None)], ["0", "2.5", "3", ""])

    def test_both_ends_of_an_interval_share_a_cell(self):
        table = summaries.Table("", "", "", "", ["mean", "95 % CI from", "to", "n"], [[2.0, 1.0, 3.0, 9]])
        self.assertEqual(table.displayed(), (["mean", "95 % CI", "n"], [[2.0, "[1.00, 3.00]", 9]]))


class Slimming(unittest.TestCase):
    def test_only_the_data_of_paths_loses_decimals(self):
        svg = '<path d="M 1.23456 2.5 L 3.000001 4"/><text x="1.23456">0.12345</text>'
        self.assertEqual(
            style.slimmed(svg), '<path d="M 1.23 2.5 L 3.00 4"/><text x="1.23456">0.12345</text>'
        )


if __name__ == "__main__":
    unittest.main()
