"""The numbers of tables and error bars."""

import unittest

import numpy as np

from godwit_analysis import statistics
from godwit_analysis.statistics import summary


class Summaries(unittest.TestCase):
    def test_empty_values_count_as_failures(self):
        one = summary([10.0, 20.0, float("nan"), 30.0])
        self.assertEqual((one.n, one.failures, one.attempts), (3, 1, 4))
        self.assertEqual((one.mean, one.median), (20.0, 20.0))

    def test_tails_interpolate_as_the_published_figures_do(self):
        one = summary(np.arange(1.0, 101.0))
        self.assertAlmostEqual(one.p95, 95.05)
        self.assertAlmostEqual(one.p99, 99.01)

    def test_nothing_and_one_value_have_no_interval(self):
        self.assertEqual(summary([float("nan")]).n, 0)
        self.assertNotEqual(summary([5.0]).interval.low, summary([5.0]).interval.low)

    def test_the_interval_is_the_same_every_time_and_covers_what_it_should(self):
        values = np.random.default_rng(7).normal(100, 10, 200)
        first, second = statistics.interval(values), statistics.interval(values.copy())
        self.assertEqual(first, second)
        expected = 1.96 * 10 / np.sqrt(200)
        self.assertAlmostEqual((first.high - first.low) / 2, expected, delta=0.25 * expected)
        self.assertTrue(first.low < values.mean() < first.high)

    def test_many_values_are_resampled_in_blocks_with_the_same_picks(self):
        values = np.arange(500.0)
        whole = statistics.resampled(values, np.mean)
        former, statistics.BLOCK = statistics.BLOCK, 1000
        try:
            blocks = statistics.resampled(values, np.mean)
        finally:
            statistics.BLOCK = former
        np.testing.assert_allclose(whole, blocks)

    def test_a_difference_of_medians_has_an_interval_of_its_own(self):
        random = np.random.default_rng(3)
        middle, bounds = statistics.difference_of_medians(random.normal(30, 1, 60), random.normal(20, 1, 60))
        self.assertAlmostEqual(middle, 10, delta=0.6)
        self.assertTrue(bounds.low < 10 < bounds.high)

    def test_zero_failures_of_a_hundred_are_up_to_four_percent(self):
        bounds = statistics.share_interval(0, 100)
        self.assertEqual(bounds.low, 0)
        self.assertAlmostEqual(bounds.high, 0.037, places=3)


if __name__ == "__main__":
    unittest.main()
