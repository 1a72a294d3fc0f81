"""How fresh a source is said to be: both sides of each line."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from dashboard.show import AGEING_DAYS, LATE_DAYS, Chip, dated_chip


@pytest.mark.parametrize(
    ("age_days", "words", "state"),
    [
        (0, "30 June 2026", "fresh"),
        (AGEING_DAYS, "29 April 2026", "fresh"),
        (AGEING_DAYS + 1, "28 April 2026, ageing", "ageing"),
        (LATE_DAYS, "26 February 2026, ageing", "ageing"),
        (LATE_DAYS + 1, "25 February 2026, late", "late"),
    ],
)
def test_a_source_ages(age_days: int, words: str, state: str) -> None:
    as_at = date(2026, 6, 30)
    newest = as_at - timedelta(days=age_days)
    assert dated_chip("workforce", newest, as_at) == Chip("workforce", words, state)


def test_a_source_that_never_came() -> None:
    assert dated_chip("posts", None, date(2026, 6, 30)) == Chip("posts", "no return", "missing")
