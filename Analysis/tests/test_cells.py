"""Cells of the thesis's files: what they can hold, and that broken ones are told plainly."""

import math
import unittest

from godwit_analysis import cells


class Numbers(unittest.TestCase):
    def test_a_whole_number_may_be_written_as_a_float(self):
        self.assertEqual(cells.whole("11.0"), 11)
        self.assertEqual(cells.whole("11"), 11)

    def test_what_is_no_number_is_refused(self):
        for text in ("eleven", "nan", "inf", "1,5", "--"):
            with self.subTest(text), self.assertRaises(cells.CellError):
                cells.number(text)
        with self.assertRaises(cells.CellError):
            cells.whole("11.5")

    def test_flags_are_python_s(self):
        self.assertIs(cells.flag("True"), True)
        self.assertIs(cells.flag("False"), False)
        with self.assertRaises(cells.CellError):
            cells.flag("true")


class Sizes(unittest.TestCase):
    def test_sizes_end_in_powers_of_a_thousand(self):
        for text, megabytes in (
            ("1.5M", 1.5),
            ("252K", 0.252),
            ("970.11K bytes/sec", 0.97011),
            ("812", 0.000812),
        ):
            with self.subTest(text):
                self.assertAlmostEqual(cells.size(text), megabytes)

    def test_other_units_are_refused(self):
        for text in ("1.5X", "M", "big"):
            with self.subTest(text), self.assertRaises(cells.CellError):
                cells.size(text)


class Lists(unittest.TestCase):
    def test_numbers_texts_and_lists_of_lists_are_python_literals(self):
        self.assertEqual(list(cells.numbers("[21689, 1.5]")), [21689, 1.5])
        self.assertEqual(list(cells.numbers("[]")), [])
        self.assertEqual(cells.words("['192.168.1.105:6666', \"it's\"]"), ["192.168.1.105:6666", "it's"])
        self.assertEqual(list(cells.sizes("['1.4M', '252K']")), [1.4, 0.252])
        self.assertEqual(cells.real_time("['real 0.24', 'user 0.04', 'sys 0.04']"), 0.24)
        self.assertEqual(list(cells.real_times("[['real 0.41', 'user 0.03'], ['real 0.39']]")), [0.41, 0.39])

    def test_without_a_restore_its_time_is_unknown(self):
        self.assertTrue(math.isnan(cells.real_time("['real nan', 'user nan', 'sys nan']")))

    def test_broken_lists_are_refused_with_what_is_wrong(self):
        for form, text, words in (
            (cells.numbers, "[1, 2", "not a list"),
            (cells.numbers, "1", "not a list"),
            (cells.numbers, "['a']", "not a number"),
            (cells.numbers, "[True]", "not a number"),
            (cells.numbers, "[1, None]", "not a list literal|not a number"),
            (cells.words, "[1]", "not a text"),
            (cells.numbers, "[1e999]", "not finite"),
            (cells.durations, "[5, -1]", "negative"),
            (cells.real_time, "['user 0.04']", "real SECONDS"),
            (cells.real_times, "['real 0.1']", "not itself a list"),
            (cells.numbers, "[__import__('os').getcwd()]", "not a list literal"),
        ):
            with self.subTest(text), self.assertRaisesRegex(cells.CellError, words):
                form(text)

    def test_a_message_stays_a_line_even_about_an_hour_of_requests(self):
        with self.assertRaises(cells.CellError) as caught:
            cells.numbers("[" + "1, " * 100_000)
        self.assertLess(len(str(caught.exception)), 100)


if __name__ == "__main__":
    unittest.main()
