"""Age bands, on both sides of each line."""

from __future__ import annotations

import pytest

from dashboard.rules.ages import ADULT_BANDS, AGE_BANDS, age_band_of


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (0, "0-17"),
        (17, "0-17"),
        (18, "18-39"),
        (39, "18-39"),
        (40, "40-64"),
        (64, "40-64"),
        (65, "65-79"),
        (79, "65-79"),
        (80, "80+"),
        (120, "80+"),
    ],
)
def test_band(age: int, band: str):
    assert age_band_of(age) == band


def test_bands_are_complete():
    assert tuple(dict.fromkeys(age_band_of(age) for age in range(100))) == AGE_BANDS
    assert list(ADULT_BANDS) == [band for band in AGE_BANDS if band != "0-17"]


def test_no_age_below_nought():
    with pytest.raises(ValueError, match="from 0"):
        age_band_of(-1)
