"""Files of England's referrals: five years, a file a board and year, every step dated."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from dashboard.demonstration.losses import COMPLETED
from dashboard.demonstration.pathway import NO_GO, REASONS, step_days
from dashboard.demonstration.places import RANKED_LSOAS
from dashboard.demonstration.referrals import SEASON
from dashboard.intake.referrals import SOURCES
from dashboard.intake.source import Source
from dashboard.rules.ages import ADULT_BANDS
from tests.bench.england.places import BY_AGE, Numbers, Places, stream
from tests.bench.england.tables import csv_file, words
from tests.bench.england.workforce import MONTHS

REFERRALS = 5_000_000
FIRST_DAY, LAST_DAY = date(2021, 1, 1), date(2026, 6, 30)
DAYS = (LAST_DAY - FIRST_DAY).days + 1
# Every day that can be written; the last stands for "did not happen".
DAY_TEXTS = [(FIRST_DAY + timedelta(days=day)).isoformat() for day in range(DAYS)] + [""]
NEVER = 1_000_000
WINDOW = 12  # the last months, in which take-up is judged
STOPPED_MONTHS = 8
# How many come without a link worker in post, against elsewhere.
WITHOUT_WORKER = 0.25
ETHNICITY = {"White": 0.8, "Asian": 0.07, "Black": 0.04, "Mixed": 0.02, "Other": 0.02,
             "not stated": 0.05}  # fmt: skip


def referral_files(
    places: Places, services: dict[str, pd.DataFrame], total: int
) -> Iterator[Source]:
    """So many referrals in all, each told by the board of the PCN it came through."""
    patients, story = places.patients, places.story
    pcn = places.practices["pcn"].to_numpy()[patients["practice"]]
    lsoa = patients["lsoa"].to_numpy()
    by_age = places.adults * np.array([BY_AGE[band] for band in ADULT_BANDS])
    deprived = places.lsoas["imd_rank"].to_numpy() / RANKED_LSOAS
    rate = by_age.sum(axis=1) / places.lsoas["people"].to_numpy() * (1.65 - 1.2 * deprived)
    weight = patients["patients"].to_numpy() * (rate * story.rate)[lsoa]
    weight[story.without_referrals[pcn]] = 0
    weight[story.without_link_worker[pcn]] *= WITHOUT_WORKER
    board_of = places.practices["icb_code"].to_numpy(dtype=object)[patients["practice"]]
    boards = places.boards["icb_code"].tolist()
    of_board = np.array([weight[board_of == board].sum() for board in boards])
    counts = stream(40).multinomial(total, of_board / of_board.sum())
    for number, (board, count) in enumerate(zip(boards, counts, strict=True)):
        rng = stream(41, number)
        mine = np.flatnonzero(board_of == board)
        upto = np.cumsum(weight[mine])
        row = mine[np.searchsorted(upto, rng.random(int(count)) * upto[-1], side="right")]
        received = _received(story.gone_quiet[lsoa[row]], story.stopped_referrals[pcn[row]], rng)
        order = np.argsort(received, kind="stable")
        row, received = row[order], received[order]
        # One half of the boards sends ward and PCN, the other LSOA and practice.
        yield from _files(places, board, number % 2 == 0, services.get(board), row, received, rng)


def _received(is_quiet: np.ndarray, has_stopped: np.ndarray, rng: np.random.Generator) -> Numbers:
    """A working day by lot, as a number of days; more lately, and more after New Year."""
    season = np.array(SEASON)[[number - 1 for _year, number in MONTHS]]
    upto = np.cumsum(season * np.linspace(0.75, 1.15, len(MONTHS)))
    month = np.searchsorted(upto, rng.random(len(is_quiet)) * upto[-1], side="right")
    month = np.where(is_quiet, month % (len(MONTHS) - WINDOW), month)
    month = np.where(has_stopped, month % (len(MONTHS) - STOPPED_MONTHS), month)
    firsts = np.array([f"{year}-{number:02d}" for year, number in MONTHS], dtype="datetime64[M]")
    first, after = firsts.astype("datetime64[D]"), (firsts + 1).astype("datetime64[D]")
    days = np.busday_count(first, after)
    offset = np.arange(days.max())
    table = np.busday_offset(first[:, None], offset[None, :], roll="forward")
    chosen = table[month, (rng.random(len(month)) * days[month]).astype(np.int64)]
    received: Numbers = (chosen - np.datetime64(FIRST_DAY)).astype(np.int64)
    return received


def _files(
    places: Places,
    board: str,
    by_ward: bool,
    services: pd.DataFrame | None,
    row: Numbers,
    received: Numbers,
    rng: np.random.Generator,
) -> Iterator[Source]:
    years = [(date(year, 7, 1) - FIRST_DAY).days for year in range(2021, 2027)]
    edges = np.searchsorted(received, years)
    for year, (start, end) in enumerate(itertools.pairwise(edges)):
        if start == end:
            continue
        columns = _columns(
            places, board, by_ward, services, row[start:end], received[start:end], int(start), rng
        )
        yield csv_file(f"referrals {board} from {2021 + year}-07.csv", columns)


def _columns(
    places: Places,
    board: str,
    by_ward: bool,
    services: pd.DataFrame | None,
    row: Numbers,
    received: Numbers,
    before: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    count = len(row)
    lsoa = places.patients["lsoa"].to_numpy()[row]
    practice = places.patients["practice"].to_numpy()[row]
    deprived = places.lsoas["imd_rank"].to_numpy()[lsoa] / RANKED_LSOAS
    score = rng.random(count) + 0.25 * (0.5 - deprived)
    level = (score > 0.45).astype(int) + (score > 0.82)
    pcn = places.practices["pcn"].to_numpy()[practice]
    # The deprived decline more; how many are reached differs from PCN to PCN.
    steps = step_days(
        received,
        level == 2,
        rng,
        never=NEVER,
        declining=0.16 - 0.08 * deprived,
        reached=0.98 - 0.02 * (pcn % 9),
    )
    number = pc.utf8_lpad(pa.array(np.arange(before, before + count)).cast(pa.string()), 7, "0")
    where = (
        {
            "ward_code": words(places.lsoas["WD25CD"].tolist(), lsoa),
            "pcn_code": words(places.practices["pcn_code"].tolist(), practice),
        }
        if by_ward
        else {
            "lsoa_code": words(places.lsoas["LSOA11CD"].tolist(), lsoa),
            "practice_code": words(places.practices["practice_code"].tolist(), practice),
        }
    )
    ages = (places.adults * np.array([BY_AGE[band] for band in ADULT_BANDS]))[lsoa]
    upto = np.cumsum(ages, axis=1) / ages.sum(axis=1, keepdims=True)
    band = (rng.random(count)[:, None] > upto).sum(axis=1).clip(max=len(ADULT_BANDS) - 1)
    band[rng.random(count) < 0.015] = len(ADULT_BANDS)
    ids = [] if services is None else services["service_id"].tolist()
    service = rng.integers(0, max(len(ids), 1), count)
    service[(steps["connected"] >= DAYS) | (not ids)] = len(ids)
    why, shares = list(NO_GO), [usually for usually, _without in NO_GO.values()]
    ended = np.where(steps["attended"] < DAYS, len(why), _lot(shares, count, rng))
    ended[steps["closed"] >= DAYS] = len(why) + 1
    return {
        "reference": pc.binary_join_element_wise(f"{board}R", number, ""),
        "received": _day_texts(received),
        **where,
        "source": words(SOURCES, _lot((0.58, 0.12, 0.08, 0.06, 0.08, 0.05, 0.03), count, rng)),
        "reasons": _reasons(count, rng),
        "long_term_conditions": np.minimum(rng.poisson(0.9 + 0.9 * score), 8),
        "age_band": words([*ADULT_BANDS, ""], band),
        "sex": words(("female", "male", "not stated"), _lot((0.6, 0.38, 0.02), count, rng)),
        "ethnicity_group": words(list(ETHNICITY), _lot(list(ETHNICITY.values()), count, rng)),
        "complexity": words(("low", "medium", "high"), level),
        **{step: _day_texts(days) for step, days in steps.items()},
        "connected_service": words([*ids, ""], service),
        "closed_reason": words([*why, COMPLETED, ""], ended),
    }


def _day_texts(days: Numbers) -> pa.Array:
    return words(DAY_TEXTS, np.minimum(days, DAYS))


def _lot(shares: Sequence[float], count: int, rng: np.random.Generator) -> Numbers:
    upto = np.cumsum(shares)
    chosen: Numbers = np.searchsorted(upto, rng.random(count) * upto[-1], side="right")
    return chosen


def _reasons(count: int, rng: np.random.Generator) -> pa.Array:
    """One reason, or two."""
    shares = {reason: 0.7 * share for reason, share in REASONS.items()}
    for first, second in itertools.permutations(REASONS, 2):
        shares[f"{first};{second}"] = 0.3 * REASONS[first] * REASONS[second]
    return words(list(shares), _lot(list(shares.values()), count, rng))
