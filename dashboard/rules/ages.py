"""The age bands in which residents, patients and referrals are counted."""

from __future__ import annotations

# Link workers see adults; 65 is where frailty services begin and 80 where need rises most.
AGE_BANDS = ("0-17", "18-39", "40-64", "65-79", "80+")
ADULT_BANDS = AGE_BANDS[1:]
_LAST_AGES = (17, 39, 64, 79)


def age_band_of(age: int) -> str:
    """The band an age in whole years lies in; `ValueError` below 0.

    >>> age_band_of(17), age_band_of(18), age_band_of(80)
    ('0-17', '18-39', '80+')
    """
    if age < 0:
        raise ValueError(f"expected an age from 0, found {age}")
    for band, last in zip(AGE_BANDS, _LAST_AGES, strict=False):
        if age <= last:
            return band
    return AGE_BANDS[-1]
