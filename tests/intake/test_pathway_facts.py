"""The facts of referrals' steps: nine referrals that add up by hand, and what holds for any."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import intake
from dashboard.intake import pathway_facts, source, staged
from dashboard.intake.pathway_facts import PathwayFacts
from dashboard.intake.problems import RefusedError
from queries import tables
from queries.day_counts import WAITS, unpacked
from queries.load import CleanLoad
from tests.intake.files import Lookups, read, whole

HEADING = (
    "reference,received,ward_code,pcn_code,source,reasons,age_band,sex,ethnicity_group,"
    "offered,declined,accepted,first_contact,plan_agreed,connected,attended,closed,closed_reason\n"
)
HILL, DALE = "E05000001", "E05000002"


def line(reference: str, received: str = "2024-04-01", **said: str) -> str:
    """One referral of the ward Hill through U00001, unless it says another."""
    cells = {"reference": reference, "received": received, "ward_code": HILL, "pcn_code": "U00001"}
    cells |= said
    return ",".join(cells.get(name, "") for name in HEADING.strip().split(",")) + "\n"


# Days since the receipt stand behind each date.
STEPS = HEADING + "".join(
    [
        line("every step", accepted="2024-04-03", first_contact="2024-04-10",  # 2, 9
             plan_agreed="2024-04-20", connected="2024-04-24",  # 19, 23
             attended="2024-05-01", closed="2024-05-11", closed_reason="Completed"),  # 30, 40
        line("a gap", connected="2024-04-11"),  # 10: the three steps before it are implied
        line("out of order", accepted="2024-04-09", first_contact="2024-04-05"),  # 8, 4
        line("accepted before", accepted="2024-03-30", first_contact="2024-04-02"),  # -2, 1
        line("nothing"),  # open for 90
        line("declined", declined="2024-04-06"),  # ended after 5
        line("no service", closed="2024-06-30", closed_reason="No suitable service"),  # 90
        line("accepted only", "2024-04-11", offered="2024-04-11",
             accepted="2024-04-11"),  # 0; open for 80
        line("closed before", closed="2024-03-01"),  # ended after 0
    ]
)  # fmt: skip
COUNTS = [
    column.name
    for column in tables.pathway_fact.columns
    if column.name not in {"part_id", "pcn_code", "month", "category", "value", "days"}
]


def facts_of(text: str) -> pd.DataFrame:
    return read(text).rows["pathway_fact"]


def one(facts: pd.DataFrame, category: str = "all", value: str | None = None) -> dict[str, int]:
    """The counts of a value, added up over all parts, without those of nobody."""
    mine = facts[(facts["category"] == category) & (facts["value"].fillna("") == (value or ""))]
    return {name: int(n) for name, n in mine[COUNTS].sum().items() if n}


def days_of(facts: pd.DataFrame) -> dict[str, dict[int, int]]:
    """By wait: referrals by day."""
    counts = unpacked(facts["days"].tolist(), np.zeros(len(facts), dtype="int64"), 1)[0]
    return {
        wait: {int(day): int(of_wait[day]) for day in np.flatnonzero(of_wait)}
        for wait, of_wait in zip(WAITS, counts, strict=True)
        if of_wait.any()
    }


def all_days(facts: pd.DataFrame) -> dict[str, dict[int, int]]:
    return days_of(facts[facts["category"] == "all"])


def plain(facts: pd.DataFrame) -> list[tuple[object, ...]]:
    """Every fact, whatever order they were counted in."""
    names = ["part_key", "pcn_code", "month", "category", "value", "days", *COUNTS]
    rows = facts[names].astype(object)
    return sorted(map(tuple, rows.where(rows.notna(), None).values.tolist()), key=repr)


def test_steps_missing_and_out_of_order():
    assert one(facts_of(STEPS)) == {
        "referrals": 9, "offered": 1, "declined": 1,
        # All that came further were accepted; "nothing" may still be, three ended without.
        "accepted": 5, "accepted_dated": 4, "accepted_open": 1,
        "contacted": 4, "contacted_dated": 3, "contacted_open": 1,
        "planned": 2, "planned_dated": 1, "planned_open": 2,
        "connected": 2, "connected_dated": 2,
        "attended": 1, "attended_dated": 1, "attended_open": 1,
        "completed": 1, "completed_dated": 1,
        # The acceptance two days before the receipt: it counts, its wait does not.
        "negative_waits": 1,
    }  # fmt: skip


def test_the_days_of_each_step():
    assert all_days(facts_of(STEPS)) == {
        "accepted": {0: 1, 2: 1, 8: 1},
        "contacted": {1: 1, 4: 1, 9: 1},
        "planned": {19: 1},
        "connected": {10: 1, 23: 1},
        "attended": {30: 1},
        "completed": {40: 1},
        # Never contacted: closed before the receipt is an end on its day.
        "ended": {0: 1, 5: 1, 90: 1},
        # Not contacted yet, until the last day told, 30 June.
        "open": {80: 1, 90: 1},
    }


def test_each_ending_and_none_of_the_open():
    found = facts_of(STEPS).query("category == 'ending'")
    assert dict(zip(found["value"], found["referrals"], strict=True)) == {
        "completed": 1,
        "declined": 1,
        "no suitable service": 1,
        "not said": 1,
    }
    # Of the ended only: nobody there is watched, and the completed one has its days.
    assert days_of(found) == {
        "accepted": {2: 1}, "contacted": {9: 1}, "planned": {19: 1}, "connected": {23: 1},
        "attended": {30: 1}, "completed": {40: 1}, "ended": {0: 1, 5: 1, 90: 1},
    }  # fmt: skip


@pytest.mark.parametrize(
    "last",
    ["offered", "declined", "accepted", "first_contact", "plan_agreed", "connected", "attended",
     "closed"],
)  # fmt: skip
def test_the_open_are_watched_until_the_last_day_of_any_date(last: str):
    """Also where it is of another network, and another month."""
    other = line("last", "2024-05-02", pcn_code="U00002", **{last: "2024-05-20"})
    found = all_days(facts_of(HEADING + line("open") + other))["open"]
    assert found[49] == 1
    assert all_days(facts_of(HEADING + line("open") + line("last", "2024-05-02")))["open"] == {
        31: 1,
        0: 1,
    }


def test_of_a_decline_and_a_closing_the_first_is_the_end_and_the_last_the_last_day():
    both = line("both", declined="2024-04-04", closed="2024-04-08")
    assert all_days(facts_of(HEADING + both + line("open"))) == {"ended": {3: 1}, "open": {7: 1}}
    both = line("both", declined="2024-04-08", closed="2024-04-04")
    assert all_days(facts_of(HEADING + both + line("open"))) == {"ended": {3: 1}, "open": {7: 1}}


@pytest.mark.parametrize(("days", "place"), [(365, 365), (366, 366), (500, 366)])
def test_over_a_year_is_one_day(days: int, place: int):
    then = f"{date(2024, 4, 1) + timedelta(days):%Y-%m-%d}"
    found = all_days(facts_of(HEADING + line("late", first_contact=then) + line("open")))
    assert found == {"contacted": {place: 1}, "open": {place: 1}}


def test_contacted_by_a_later_step_alone_is_in_no_curve():
    """No day of the contact is known, and neither an end nor an open wait."""
    found = facts_of(HEADING + line("open", connected="2024-04-05") + line(
        "ended", plan_agreed="2024-04-03", closed="2024-04-09"))  # fmt: skip
    assert all_days(found) == {"planned": {2: 1}, "connected": {4: 1}}
    assert one(found)["contacted"] == 2


def test_a_file_without_any_step_has_referrals_that_are_open():
    load = read("reference,received,ward_code\na,2024-04-01,E05000001\nb,2024-04-03,\n")
    facts = load.rows["pathway_fact"]
    assert one(facts) == {"referrals": 2, "accepted_open": 2}
    assert all_days(facts) == {"open": {2: 1, 0: 1}}
    assert facts["pcn_code"].isna().all()
    assert one(facts, "ward") == {"referrals": 1, "accepted_open": 1}
    assert set(facts["part_key"]) == {"2024-04 no PCN"}


# One reference more than once.


def test_one_person_referred_three_times_is_three_referrals():
    text = HEADING + "".join(
        [
            line("r1", "2024-04-01", closed="2024-04-11", closed_reason="completed"),
            line("r1", "2024-04-20", declined="2024-04-21"),
            line("r1", "2024-05-05"),
        ]
    )
    load = read(text)
    assert (load.rows_read, load.rows_refused) == (3, 0)
    assert load.rows["referral"]["reference_hash"].nunique() == 1
    facts = load.rows["pathway_fact"]
    assert one(facts)["referrals"] == 3
    by_part = facts[facts["category"] == "all"].set_index("part_key")["referrals"]
    assert by_part.to_dict() == {"2024-04 U00001": 2, "2024-05 U00001": 1}


def test_the_same_reference_in_two_networks_counts_in_both():
    text = HEADING + line("r1", "2024-04-01") + line("r1", "2024-04-02", pcn_code="U00002")
    facts = facts_of(text).query("category == 'all'")
    assert facts.set_index("pcn_code")["referrals"].to_dict() == {"U00001": 1, "U00002": 1}
    assert set(facts["month"]) == {date(2024, 4, 1)}


def test_the_same_reference_and_day_is_refused_row_by_row():
    others = "".join(line(f"r{n}") for n in range(19))
    load = read(HEADING + others + line("r0", ward_code=DALE))
    assert (load.rows_read, load.rows_refused) == (20, 1)
    assert load.refused is not None
    assert load.refused["rule"].tolist() == [
        "the same reference and day received stands in an earlier row"
    ]
    assert load.refused["row"].tolist() == [21]
    facts = load.rows["pathway_fact"]
    assert one(facts) == {"referrals": 19, "accepted_open": 19}
    assert one(facts, "ward", HILL)["referrals"] == 19
    # More than one in twenty is too many.
    with pytest.raises(RefusedError, match="the same reference and day received"):
        read(HEADING + others + line("r0") + line("r1"))


def test_a_refused_row_is_in_no_fact_and_its_dates_are_no_last_day():
    others = "".join(line(f"r{n}") for n in range(20))
    bad = line("bad", closed="2024-12-31", age_band="old")
    assert all_days(facts_of(HEADING + others + bad)) == {"open": {0: 20}}


# By category.

GROUPED = HEADING + "".join(
    [
        line("a", source="GP", reasons="money; Housing", age_band="18-39", sex="F",
             ethnicity_group="White British", accepted="2024-04-02"),
        line("b", source="gp", reasons="debt|money", age_band="18-39", sex="woman",
             ethnicity_group="A"),
        line("c", source="self", reasons="a cat; housing", ward_code=DALE, sex="Male",
             ethnicity_group="prefer not to say"),
        line("d", ward_code="", declined="2024-04-03", pcn_code="U00002"),
    ]
)  # fmt: skip


@pytest.mark.parametrize(
    ("category", "referrals"),
    [
        ("all", {None: 4}),
        ("ward", {HILL: 2, DALE: 1, None: 1}),
        ("source", {"GP": 2, "self": 1, None: 1}),
        # Four referrals, and two of them for two reasons; "debt|money" is one.
        ("reason", {"money and debt": 2, "housing": 2, "other": 1, None: 1}),
        ("age band", {"18-39": 2, None: 2}),
        ("sex", {"female": 2, "male": 1, None: 1}),
        ("ethnicity", {"White": 2, "not stated": 1, None: 1}),
        ("ending", {"declined": 1}),
    ],
)
def test_the_values_of_each_category(category: str, referrals: dict[str | None, int]):
    facts = facts_of(GROUPED)
    assert set(facts["category"]) == set(tables.PATHWAY_CATEGORIES)
    mine = facts[facts["category"] == category]
    found = Counter[str | None]()
    for value, n in zip(mine["value"], mine["referrals"], strict=True):
        found[None if pd.isna(value) else value] += n
    assert dict(found) == referrals


def test_a_referral_for_two_reasons_is_whole_in_both():
    text = HEADING + line("a", reasons="money; Housing", accepted="2024-04-02")
    expected = {"referrals": 1, "accepted": 1, "accepted_dated": 1, "contacted_open": 1}
    facts = facts_of(text)
    for value in ("money and debt", "housing"):
        assert one(facts, "reason", value) == expected
        mine = facts[(facts["category"] == "reason") & (facts["value"] == value)]
        assert days_of(mine) == {"accepted": {1: 1}, "open": {1: 1}}


# What holds for any referrals.

FIRST = date(2024, 3, 20)
DAYS = st.one_of(st.none(), st.integers(-40, 500).map(lambda n: FIRST + timedelta(n)))
ROW = st.fixed_dictionaries(
    {
        "received_on": st.integers(0, 80).map(lambda n: FIRST + timedelta(n)),
        "ward_code": st.sampled_from([HILL, DALE, None]),
        "pcn_code": st.sampled_from(["U00001", "U00002", None]),
        "source": st.sampled_from(["GP", "self", None]),
        "reasons": st.sampled_from(["money", "money; housing", "a cat|money|food", None, " "]),
        "age_band": st.sampled_from(["18-39", "80+", None]),
        "sex": st.sampled_from(["female", "male", None]),
        "ethnicity_group": st.sampled_from(["White", "Asian", None]),
        "closed_reason": st.sampled_from(["completed", "moved away", "no service", None]),
        "long_term_conditions": st.sampled_from([0, 1, 2, 5, None]),
        "complexity": st.sampled_from(["High", "medium", None]),
    }
    | dict.fromkeys(
        ("offered_on", "declined_on", "accepted_on", "first_contact_on", "plan_agreed_on",
         "connected_on", "attended_on", "closed_on", "ot_referred_on", "ot_accepted_on"),
        DAYS,
    )
)  # fmt: skip
ROWS = st.lists(ROW, min_size=1, max_size=40)


def kept(rows: list[dict[str, object]]) -> pd.DataFrame:
    """The rows as a referral is kept, each with its part and month."""
    frame = pd.DataFrame(rows)
    texts = ("ward_code", "pcn_code", "source", "reasons", "age_band", "sex", "ethnicity_group",
             "closed_reason", "complexity")  # fmt: skip
    frame = frame.astype({name: "str" if name in texts else "object" for name in frame})
    frame = frame.astype({"long_term_conditions": "Int64"})
    frame["month"] = pd.Series([day.replace(day=1) for day in frame["received_on"]], dtype=object)
    frame["part_key"] = [
        f"{row['received_on']:%Y-%m} {row['pcn_code'] or 'no PCN'}" for row in rows
    ]
    return frame


def counted(*blocks: list[dict[str, object]]) -> pd.DataFrame:
    facts = PathwayFacts()
    whole_file = kept([row for block in blocks for row in block])
    start = 0
    for block in blocks:
        facts.add(whole_file[start : start + len(block)])
        start += len(block)
    return facts.frame()


@given(ROWS)
def test_categories_add_up(rows: list[dict[str, object]]):
    facts = counted(rows)
    assert not facts.duplicated(["part_key", "category", "value"]).any()
    everyone = facts[facts["category"] == "all"].set_index("part_key")
    assert everyone["referrals"].sum() == len(rows)
    for category in ("ward", "source", "age band", "sex", "ethnicity"):
        mine = facts[facts["category"] == category].groupby("part_key")
        pd.testing.assert_frame_equal(mine[COUNTS].sum(), everyone[COUNTS].sort_index())
        for part, of_part in mine:
            assert days_of(of_part) == days_of(everyone.loc[[part]])


@given(ROWS)
def test_reasons_count_each_and_endings_the_ended(rows: list[dict[str, object]]):
    facts = counted(rows)
    reasons = {"money": 1, "money; housing": 2, "a cat|money|food": 3}
    expected = sum(reasons.get(str(row["reasons"]), 1) for row in rows)
    assert facts.query("category == 'reason'")["referrals"].sum() == expected
    ended = [row for row in rows if row["closed_on"] or row["declined_on"]]
    endings = facts[facts["category"] == "ending"]
    assert endings["referrals"].sum() == len(ended)
    if ended:
        expected_of_them = counted(ended).query("category == 'all'")
        assert endings[COUNTS].sum().to_dict() == expected_of_them[COUNTS].sum().to_dict()
        assert days_of(endings) == days_of(expected_of_them)


def days_one_by_one(rows: list[dict[str, object]]) -> dict[str, Counter[int]]:
    """By wait: referrals by day, told of each by itself."""
    later = ("first_contact_on", "plan_agreed_on", "connected_on", "attended_on")
    told = [day for row in rows for day in row.values() if isinstance(day, date)]
    found: dict[str, Counter[int]] = {wait: Counter() for wait in WAITS}

    def count(wait: str, row: dict, day: date | None, since: str = "received_on") -> None:
        if day and row[since] and day >= row[since]:
            found[wait][min((day - row[since]).days, 366)] += 1

    for row in rows:
        count("to_ot", row, row["ot_referred_on"])
        count("ot", row, row["ot_accepted_on"], "ot_referred_on")
        if not (row["ot_accepted_on"] or row["closed_on"] or row["declined_on"]):
            count("ot_waiting", row, max(told), "ot_referred_on")
        for wait, name in zip(WAITS, ("accepted_on", *later), strict=False):
            count(wait, row, row[name])
        unsaid = "declined" if row["declined_on"] else row["attended_on"] and "completed"
        is_completed = row["closed_on"] and (row["closed_reason"] or unsaid) == "completed"
        if is_completed:
            count("completed", row, row["closed_on"])
        ends = [day for day in (row["declined_on"], row["closed_on"]) if day]
        if is_completed or any(row[name] for name in later):
            continue
        if ends:
            count("ended", row, max(min(ends), row["received_on"]))
        else:
            count("open", row, max(told))
    return found


@given(ROWS)
def test_days_are_those_of_each_referral(rows: list[dict[str, object]]):
    expected = {wait: dict(days) for wait, days in days_one_by_one(rows).items() if days}
    assert all_days(counted(rows)) == expected


@given(ROWS, st.integers(0, 2**32), st.lists(st.integers(0, 40), max_size=3))
def test_neither_order_nor_blocks_matter(rows: list[dict[str, object]], seed: int, cuts: list[int]):
    expected = plain(counted(rows))
    shuffled = random.Random(seed).sample(rows, len(rows))
    assert plain(counted(shuffled)) == expected
    places = [0, *sorted(cuts), len(rows)]
    blocks = [shuffled[start:end] for start, end in itertools.pairwise(places)]
    assert plain(counted(*blocks)) == expected


def test_who_is_said_to_come_after_today_has_waited_for_no_day():
    """A mistyped year: nobody was watched until then."""
    found = days_of(facts_of(HEADING + line("mistyped", "2099-01-01") + line("open", "2020-01-01")))
    # Of each of the categories all, ward, source, age band, sex, ethnicity and reason; 366 is longer
    # than a year.
    assert found == {"open": {0: 7, 366: 7}}


@pytest.mark.parametrize("at_once", [1, 2, 7])
def test_parts_that_are_counted_a_few_rows_at_once_count_the_same(
    at_once: int, monkeypatch: pytest.MonkeyPatch
):
    text = STEPS + GROUPED.removeprefix(HEADING)
    expected = plain(facts_of(text))
    monkeypatch.setattr(pathway_facts, "_AT_ONCE", at_once)
    assert plain(facts_of(text)) == expected


def test_a_file_read_in_several_blocks(monkeypatch: pytest.MonkeyPatch):
    """Spreadsheets and text: the last date may stand in the last block."""
    text = STEPS + GROUPED.removeprefix(HEADING)
    expected = plain(facts_of(text))
    monkeypatch.setattr(source, "BYTES_A_BLOCK", 400)
    monkeypatch.setattr(source, "ROWS_A_BLOCK", 3)
    opened = source.Source.of("file.csv", text.encode())
    assert len(list(opened.sheets[0].blocks())) > 2
    assert plain(facts_of(text)) == expected


def test_facts_are_the_same_after_waiting_in_the_queue():
    """Checked in a process apart, and kept as bytes until they are loaded."""
    opened = source.Source.of("file.csv", STEPS.encode())
    decoded: CleanLoad = whole(staged.decode(staged.encode(intake.read(opened, Lookups()))))
    assert plain(decoded.rows["pathway_fact"]) == plain(facts_of(STEPS))
