"""How fresh a source is said to be, on both sides of each line; and what a table sends."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest

from dashboard.rules.disclosure import PROFILES, Released
from dashboard.show import (
    AGEING_DAYS,
    LATE_DAYS,
    Cell,
    Chip,
    Column,
    TableText,
    dated_chip,
    table_body,
)


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


@pytest.mark.parametrize(
    ("sort", "sent"),
    [
        (4.638697041542109, 4.638697),
        (0.0028752323330001853, 0.002875232),
        (12_045.0, 12_045),
        # All of England's people, to the last.
        (56_489_853.0, 56_489_853),
        (0.0, 0),
        (-0.5, -0.5),
    ],
)
def test_a_table_is_ordered_by_seven_digits_and_whole_numbers(sort: float, sent: float) -> None:
    rows = Released(pd.DataFrame({"code": ["a"], "value": [sort]}), (), PROFILES["nhs"])
    column = Column("Value", lambda row: Cell("shown", row.value), "of nothing", is_number=True)
    body = table_body(rows, [column], TableText("", "", ""), row_key="code")
    ((text, found),) = body["rows"][0]["cells"]
    assert (text, found, type(found)) == ("shown", sent, type(sent))
