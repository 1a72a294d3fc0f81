"""Who joined and who left: from the spells of posts, or from the people of published returns."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd

FILLED, VACANT, ENDED = "filled", ("vacant", "recruiting"), "ended"
# Published identifiers are given anew from time to time. Where fewer than this share of a month's
# people are in the next month's return, that is what happened: nobody replaces half a workforce.
LEAST_KEPT = 0.5


def posts_at(spells: pd.DataFrame, day: date) -> pd.DataFrame:
    """The spells (post_id, status, since, until, ...) that hold on a day, ended posts left out.

    A spell without a beginning holds from ever, one without an end for ever.
    """
    begun = spells["since"].isna() | (spells["since"].fillna(day) <= day)
    goes_on = spells["until"].isna() | (spells["until"].fillna(day) >= day)
    return spells[begun & goes_on & (spells["status"] != ENDED)]


def moves_of_posts(spells: pd.DataFrame) -> pd.DataFrame:
    """One row per day on which a post was filled or left: day, joined, left (posts).

    A filled spell that does not say since when is no start; where it goes on to be filled the
    next day, in the same post, nobody is told to have changed.
    """
    days: dict[date, list[int]] = {}
    filled = spells[spells["status"] == FILLED]
    for _, mine in filled.groupby("post_id"):
        starts = set(mine["since"].dropna())
        ends = {end + timedelta(days=1) for end in mine["until"].dropna()}
        for start in starts - ends:
            days.setdefault(start, [0, 0])[0] += 1
        for end in ends - starts:
            days.setdefault(end - timedelta(days=1), [0, 0])[1] += 1
    rows = [(day, joined, left) for day, (joined, left) in sorted(days.items())]
    return pd.DataFrame(rows, columns=["day", "joined", "left"])


def moves_of_people(people: pd.DataFrame) -> pd.DataFrame:
    """One row per census (`people`: census, person_id): joined and left since the month before.

    Missing where the month before was not returned, or identifiers were given anew since.
    """
    by_census: dict[date, set[str]] = {}
    for census, person_id in zip(people["census"], people["person_id"], strict=True):
        by_census.setdefault(census, set()).add(person_id)
    rows: list[tuple[date, int | None, int | None]] = []
    for census, now in sorted(by_census.items()):
        before = by_census.get(census.replace(day=1) - timedelta(days=1))
        if before is None or len(before & now) < LEAST_KEPT * len(before):
            rows.append((census, None, None))
        else:
            rows.append((census, len(now - before), len(before - now)))
    frame = pd.DataFrame(rows, columns=["census", "joined", "left"])
    return frame.astype({"joined": "Int64", "left": "Int64"})
