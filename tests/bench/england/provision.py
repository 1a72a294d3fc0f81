"""Returns of England's schemes, services and their room: some late, some full, some never sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
import pandas as pd

from dashboard.demonstration.schemes import MODELS
from dashboard.demonstration.services import ACCESS, OFFERS
from dashboard.intake.services import SECTORS, STATES
from dashboard.intake.source import Source
from dashboard.rules.needs import NEED_THEMES
from tests.bench.england.places import Places, shared_out, stream
from tests.bench.england.tables import csv_file

SERVICES = 20_000
OF_A_PROVIDER = 5
LAST_DAY, LAST_WEEK, WEEKS = date(2026, 6, 30), date(2026, 6, 29), 8
# Every so many boards, counted from the place named: who returned no schemes; whose one scheme
# is for all of it; who returned no services.
EVERY, NO_SCHEMES, ONE_SCHEME, NO_SERVICES = 6, 1, 2, 3
# Whom a service serves. One online names its board: with no area it would be there for all of England.
AREAS = {"district": 0.54, "wards": 0.38, "board": 0.03, "online": 0.04, "nobody said": 0.01}
HEADINGS = (
    "service_id", "service_name", "provider", "sector", "area_served", "online", "need_themes",
    "state", "places_offered", "places_filled", "waiting", "wait_days", "cost_to_person", "access",
    "safeguarding", "confirmed_on", "funder", "funding_ends", "cost_per_place",
)  # fmt: skip


def home_wards(places: Places) -> pd.DataFrame:
    """One row per ward, by code, in the board of most of its LSOAs: WD25CD, LAD25CD, LAD25NM,
    icb_code, and `home`, the board of most of its district's."""
    lsoas = places.lsoas
    most = lsoas.groupby("WD25CD")["icb_code"].agg(lambda codes: codes.mode().iloc[0])
    of_lad = lsoas.groupby("LAD25CD")["icb_code"].agg(lambda codes: codes.mode().iloc[0])
    wards = lsoas.drop_duplicates("WD25CD")[["WD25CD", "LAD25CD", "LAD25NM"]]
    return wards.assign(
        icb_code=wards["WD25CD"].map(most), home=wards["LAD25CD"].map(of_lad)
    ).sort_values("WD25CD", ignore_index=True)


def scheme_files(places: Places) -> Iterator[Source]:
    """One return a board: of some districts all wards are served, of some a part."""
    wards = home_wards(places)
    for number, board in enumerate(places.boards["icb_code"]):
        rng, rows = stream(30, number), []
        if number % EVERY == NO_SCHEMES:
            continue
        if number % EVERY == ONE_SCHEME:
            rows.append((f"Scheme of {board}", MODELS[0], board, board))
        else:
            for lad, inside in wards[wards["home"] == board].groupby("LAD25CD"):
                lot, scheme = rng.random(), f"Scheme of {lad}"
                served = [lad] if lot < 0.7 else inside["WD25CD"].tolist()
                if lot >= 0.7:
                    served = [code for code in served if rng.random() < 0.8] or [""]
                if lot < 0.85:  # of the others nobody speaks
                    rows += [(scheme, MODELS[int(lot * 20) % 4], lad, code) for code in served]
        if rows:
            schemes, model, speaks, serves = zip(*rows, strict=True)
            yield csv_file(
                f"scheme areas {board}.csv",
                {
                    "scheme": schemes,
                    "organisation": [f"{name} Connect" for name in schemes],
                    "model": model,
                    "speaks_for": speaks,
                    "serves": serves,
                    "from": ["2021-04-01"] * len(rows),
                },
            )


def services(places: Places, total: int) -> dict[str, pd.DataFrame]:
    """The return of each board, one row a service, as text; some boards return none."""
    wards = home_wards(places)
    boards = places.boards
    returning = boards[boards.index % EVERY != NO_SERVICES]
    counts = shared_out(total, returning["lsoas"])
    return {
        # Every other board has something for all of it; the others may have wards with nothing.
        board: _return(
            board,
            wards[wards["icb_code"] == board],
            int(count),
            stream(31, number),
            has_wide=number % 2 == 1,
        )
        for number, board, count in zip(returning.index, returning["icb_code"], counts, strict=True)
        if count
    }


def service_files(returned: dict[str, pd.DataFrame]) -> Iterator[Source]:
    """One file a board."""
    for board, rows in returned.items():
        yield csv_file(f"services {board}.csv", rows[list(HEADINGS)])


def capacity_files(returned: dict[str, pd.DataFrame]) -> Iterator[Source]:
    """One file a board: the last weeks of each service that somebody confirmed in time."""
    for number, (board, rows) in enumerate(returned.items()):
        rng = stream(32, number)
        known = rows[~rows["is_stale"]]
        weeks = [(LAST_WEEK - timedelta(weeks=back)).isoformat() for back in range(WEEKS)]
        offered = known["places_offered"].to_numpy()
        for_week = []
        for week in weeks:
            filled = np.minimum(
                offered, known["places_filled"].to_numpy() + rng.integers(-2, 3, len(known))
            ).clip(0)
            for_week.append(
                pd.DataFrame(
                    {
                        "provider": known["provider"],
                        "service_id": known["service_id"],
                        "week": week,
                        "state": np.where(filled < offered, STATES[0], STATES[2]),
                        "places_offered": offered,
                        "places_filled": filled,
                    }
                )
            )
        yield csv_file(f"capacity by week {board}.csv", pd.concat(for_week, ignore_index=True))


def _return(
    board: str, wards: pd.DataFrame, count: int, rng: np.random.Generator, *, has_wide: bool
) -> pd.DataFrame:
    ways = rng.choice(list(AREAS), count, p=list(AREAS.values()))
    offered = rng.integers(8, 41, count)
    state = rng.choice(3, count, p=(0.65, 0.2, 0.15))
    filled = np.where(state == 0, (offered * rng.uniform(0.3, 0.9, count)).astype(int), offered)
    stale = rng.random(count) < 0.15
    days = np.where(stale, rng.integers(400, 900, count), rng.integers(5, 250, count))
    theme = rng.integers(0, len(NEED_THEMES), count)
    second = rng.integers(0, len(NEED_THEMES), count)
    is_second = rng.random(count) < 0.33
    ends = rng.integers(-30, 900, count)
    area, online = zip(*_areas(board, wards, ways, stale, has_wide, rng), strict=True)
    numbers = np.arange(count)
    provider = [f"Provider {number // OF_A_PROVIDER + 1} of {board}" for number in numbers]
    sectors = rng.choice(SECTORS, count // OF_A_PROVIDER + 1, p=(0.7, 0.1, 0.1, 0.05, 0.05))
    return pd.DataFrame(
        {
            "service_id": [f"{board}S{number + 1:05d}" for number in numbers],
            "service_name": [
                f"{OFFERS[NEED_THEMES[t]][0]} {n + 1}" for n, t in zip(numbers, theme, strict=True)
            ],
            "provider": provider,
            "sector": sectors[numbers // OF_A_PROVIDER],
            "area_served": area,
            "online": online,
            "need_themes": [
                ";".join(
                    dict.fromkeys((NEED_THEMES[a], NEED_THEMES[b] if both else NEED_THEMES[a]))
                )
                for a, b, both in zip(theme, second, is_second, strict=True)
            ],
            "state": np.array(STATES)[state],
            "places_offered": offered,
            "places_filled": filled,
            "waiting": np.where(state == 1, rng.integers(3, 25, count), 0),
            "wait_days": np.where(state == 1, rng.integers(21, 120, count), 0),
            "cost_to_person": rng.choice(["free", "small charge"], count, p=(0.8, 0.2)),
            "access": rng.choice(ACCESS, count),
            "safeguarding": rng.choice(["yes", "no", ""], count, p=(0.75, 0.1, 0.15)),
            "confirmed_on": [(LAST_DAY - timedelta(days=int(d))).isoformat() for d in days],
            "funder": rng.choice(["district council", "county council", "NHS"], count),
            "funding_ends": [(LAST_DAY + timedelta(days=int(d))).isoformat() for d in ends],
            "cost_per_place": rng.integers(4, 19, count) * 10,
            "is_stale": stale,
        }
    )


def _areas(
    board: str,
    wards: pd.DataFrame,
    ways: np.ndarray,
    stale: np.ndarray,
    has_wide: bool,
    rng: np.random.Generator,
) -> Iterator[tuple[str, str]]:
    """The area each service serves, and whether it is online: yes or no."""
    codes, lads = (wards[column].to_numpy(dtype=object) for column in ("WD25CD", "LAD25CD"))
    districts = list(dict.fromkeys(lads))
    # In the last districts services name wards only: of one half, or the other's that are stale.
    of_wards = set(districts[-max(1, len(districts) // 4) :])
    elsewhere = np.flatnonzero(~np.isin(lads, list(of_wards)))
    for way, is_stale in zip(ways, stale, strict=True):
        if way in ("board", "online") and not has_wide:
            way = "district"
        lad = districts[int(rng.integers(len(districts)))]
        inside = elsewhere
        if lad in of_wards:
            way = "wards" if way == "district" else way
            both = np.flatnonzero(lads == lad)
            middle = (len(both) + 1) // 2
            inside = both[middle:] if is_stale else both[:middle]
        # Those that lie side by side, as their codes do.
        start = int(rng.integers(max(len(inside), 1)))
        near = codes[inside[start : start + int(rng.integers(2, 9))]]
        served = {"district": lad, "wards": ";".join(near), "board": board, "online": board}
        yield served.get(way, ""), "yes" if way == "online" else "no"
