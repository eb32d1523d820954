"""Modes covered and the share of good samples, where both are known in closed form."""

import numpy as np
import pytest

from zerosum.data import mixtures
from zerosum.data.mixtures import centres
from zerosum.metrics.modes import modes


@pytest.mark.parametrize("name", mixtures.NAMES)
def test_the_centres_cover_every_mode_and_are_all_good(name):
    places, _ = centres(name)
    assert modes(places, name) == (len(places), 1.0)


@pytest.mark.parametrize("name", mixtures.NAMES)
def test_far_away_points_cover_nothing(name):
    assert modes(np.full((5, 2), 100.0), name) == (0, 0.0)


@pytest.mark.parametrize("name", mixtures.NAMES)
def test_a_collapsed_generator_covers_one_mode(name):
    places, _ = centres(name)
    assert modes(np.repeat(places[3:4], 7, 0), name) == (1, 1.0)


@pytest.mark.parametrize("name", mixtures.NAMES)
def test_good_ends_at_three_standard_deviations(name):
    places, spread = centres(name)
    inside, outside = places + np.array([2.99 * spread, 0.0]), places[:2] + np.array([0.0, 3.01 * spread])
    assert modes(inside, name) == (len(places), 1.0)
    assert modes(outside, name) == (0, 0.0)
    covered, share = modes(np.concatenate([inside[:3], outside[:1]]), name)
    assert (covered, share) == (3, 0.75)


@pytest.mark.parametrize("name", mixtures.NAMES)
def test_the_mixture_itself_scores_what_theory_says(name):
    source = mixtures.load(name)
    points = source.held_out()["x"].numpy() * source.spec.scale + source.spec.offset
    covered, share = modes(points, name)
    assert covered == len(centres(name)[0])
    expected = 1 - np.exp(-4.5)  # squared distance / variance is chi-squared with two degrees of freedom
    assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / len(points))
