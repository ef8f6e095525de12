"""Heights between pixels: planes are kept as they are, what is unknown stays unknown."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from analysis.core.heights import at_pixels, between_pixels, smoothed

ROW, COLUMN = np.mgrid[0:20, 0:30] + 0.5
PLANE = 3.0 * COLUMN - 2.0 * ROW


def test_a_plane_is_a_plane_between_the_pixels_and_after_smoothing() -> None:
    rng = np.random.default_rng(1)
    column, row = rng.uniform(8, 22, 200), rng.uniform(8, 12, 200)
    for heights in (PLANE, smoothed(PLANE, pixel_m=20.0)):
        assert_allclose(between_pixels(heights, column, row), 3.0 * column - 2.0 * row, atol=1e-9)


def test_noise_is_smoothed_and_broad_hills_are_not() -> None:
    noise = np.random.default_rng(2).normal(0, 4.0, (60, 60))
    assert smoothed(noise, pixel_m=10.0).std() < 1.0
    assert_allclose(smoothed(noise, pixel_m=100.0), noise)


def test_what_is_unknown_spoils_nothing() -> None:
    holed = PLANE.copy()
    holed[5:8, 5:8] = np.nan
    smooth = smoothed(holed, pixel_m=20.0)
    assert np.isnan(smooth[5:8, 5:8]).all()
    assert np.isfinite(smooth[np.isfinite(holed)]).all()
    found = between_pixels(holed, np.array([6.5, 5.0, 15.0, -1.0, 31.0]), np.array([6.5, 6.5, 15.0, 5.0, 5.0]))
    assert np.isnan(found[[0, 3, 4]]).all()
    assert_allclose(found[1:3], [3.0 * 4.5 - 2.0 * 6.5, 3.0 * 15 - 2.0 * 15])


def test_a_class_is_never_mixed() -> None:
    codes = np.array([[1, 2], [3, 4]])
    assert at_pixels(codes, np.array([1.99, 0.0, 2.0]), np.array([1.0, 0.99, 0.0]), outside=-9).tolist() == [4, 1, -9]
