"""Outcomes, contacts with the GP, posts, leads, budgets, plans and targets, good and bad."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from dashboard.intake import DATASETS, take_in
from dashboard.intake.local_return import month_end, to_month
from dashboard.intake.outcomes import MEASURES, known_measure
from dashboard.intake.problems import RefusedError
from dashboard.intake.recruitment_plan import financial_year
from dashboard.intake.source import Source
from queries import tables
from tests.intake.files import Lookups, read
from tests.intake.test_bad_files import change, only_heading, twice
from tests.rules.test_nhs_number import INVALID, VALID

OUTCOMES = """\
reference,measure,point,date,item,score,total
r1,ONS4,start,2026-01-31,Happy,0,
r1,ons-4,end,2026-04-01,happy,10,
r2,ONS4,start,2026-01-05,happy,7,
r2,SWEMWBS,start,2026-01-05,,,19.25
r2,GAD-7,start,2026-01-05,total,21,
r3,PAM,follow-up,2026-04-30,,,55.6
r3,ONS4,start,2026-01-06,happy,,
"""
GP_CONTACTS = """\
reference,attendances_before,attendances_after,period,pcn_code
r1,9,5,2026-06,U00001
r2,0,,June 2026,U00002
r3,,3,,
"""
POSTS = """\
post_id,pcn_code,status,role_title,employer_type,funded_fte,since,until,supervised_by,last_supervision
p1,U00001,filled,Link worker,VCSE,0.8,2026-04-01,,gp,2026-06-01
p2,U00001,Vacant,,,,2026-05-01,,,
p3,U00002,ended,Community connector,council,1,2025-04-01,2026-03-31,manager,
p4,U00002,ended,,other,5,,,,
"""
# p1 moved from one PCN to another and back; its rows are in no order.
SPELLS = """\
post_id,pcn_code,status,since,until
p1,U00001,filled,2026-04-01,
p1,U00002,vacant,2025-10-01,2026-03-31
p1,U00001,filled,,
p2,U00002,filled,2025-01-01,
p2,U00002,ended,2026-05-01,
p3,U00002,recruiting,,
p4,U00001,filled,2026-04-01,2026-12-31
"""
NAMED_LEADS = """\
locality,post,profession,from,until
North,Head of personalised care,Nurse,2026-04-01,
North,Deputy head,,2025-04-01,2026-03-31
South,Lead occupational therapist,occupational therapist,,
"""
HEALTH_BUDGETS = """\
period,icb_code,entitlement,in_place
2026-06,QZZ,Adult continuing healthcare,"1,200"
30/06/2026,QZZ,section 117 aftercare,*
2026-07-01,QZZ,adult continuing healthcare,0
"""
PLAN = """\
pcn_code,month,planned_fte
U00001,2026-03,1
U00001,2026-04,1.5
U00001,01/05/2026,0
U00002,April 2026,2
"""
TARGETS = """\
pcn_code,target_fte,valid_from,valid_until,reason
U00001,2.5,2026-04-01,2027-03-31,agreed in the board's plan
U00001,2,2025-04-01,,
U00002,0,01/04/2026,,
U00003,50,2026-04-01,2026-04-01,
U00003,1,2026-04-02,,one in each PCN
"""
GOOD = {
    "outcomes": OUTCOMES,
    "gp_contacts": GP_CONTACTS,
    "posts": POSTS,
    "named_leads": NAMED_LEADS,
    "personal_health_budgets": HEALTH_BUDGETS,
    "recruitment_plan": PLAN,
    "targets": TARGETS,
}


def plain(frame: pd.DataFrame, *columns: str) -> list[list]:
    """The named columns as rows, missing as `None`."""
    return [
        [None if pd.isna(value) else value for value in row]
        for row in frame[list(columns)].astype(object).values.tolist()
    ]


def hashed(reference: str) -> str:
    return hashlib.sha256(reference.encode()).hexdigest()


@pytest.mark.parametrize("name", GOOD)
def test_each_is_recognised_as_itself_alone(name: str):
    source = Source.of("file.csv", GOOD[name].encode())
    assert [dataset.name for dataset in DATASETS if dataset.recognises(source)] == [name]


@pytest.mark.parametrize("name", GOOD)
def test_each_is_written_and_replaced(engine: Engine, name: str):
    first = take_in(engine, Source.of("file.csv", GOOD[name].encode()), b"key")
    again = take_in(engine, Source.of("file.csv", GOOD[name].encode() + b"\n"), b"key")
    assert (again.parts_added, again.parts_replaced) == (first.parts_added, first.parts_added)


def test_outcomes():
    load = read(OUTCOMES)
    rows = load.rows["outcome"]
    assert plain(rows, "part_key", "measure", "item", "point", "measured_on", "score") == [
        ["2026-01", "ONS4", "happy", "start", date(2026, 1, 31), 0.0],
        ["2026-04", "ONS4", "happy", "end", date(2026, 4, 1), 10.0],
        ["2026-01", "ONS4", "happy", "start", date(2026, 1, 5), 7.0],
        ["2026-01", "SWEMWBS", "total", "start", date(2026, 1, 5), 19.25],
        ["2026-01", "GAD-7", "total", "start", date(2026, 1, 5), 21.0],
        ["2026-04", "PAM", "total", "follow-up", date(2026, 4, 30), 55.6],
    ]
    assert rows["reference_hash"].tolist() == [
        hashed(r) for r in ["r1", "r1", "r2", "r2", "r2", "r3"]
    ]
    assert load.parts.values.tolist() == [
        ["2026-01", date(2026, 1, 1), date(2026, 1, 31)],
        ["2026-04", date(2026, 4, 1), date(2026, 4, 30)],
    ]
    assert load.notes == (
        "6 scores of 3 references; rows without a score, left out: 1",
        "measures taken as they are named, any score: GAD-7",
    )
    assert (load.rows_read, load.rows_refused, load.vintage) == (7, 0, "2026-01 to 2026-04")


def test_unanswered_items_are_no_repeats():
    load = read(OUTCOMES + "r3,ONS4,start,2026-01-06,happy,-,\n")
    assert load.notes[0] == "6 scores of 3 references; rows without a score, left out: 2"


def test_outcomes_of_totals_need_no_items():
    load = read("case,reference,measure,point,date,total\nx,r1,UCLA 3,start,2026-01-01,9\n")
    assert plain(load.rows["outcome"], "measure", "item", "score") == [["UCLA-3", "total", 9.0]]
    assert load.notes[-1] == "columns not read: case"


def test_raw_totals_become_metric_ones():
    load = read(OUTCOMES + "r4,SWEMWBS,start,2026-01-05,,,20\n")
    totals = load.rows["outcome"].query("measure == 'SWEMWBS'")["score"]
    # A whole total is a raw one, and 20 stands for 18.59.
    assert totals.tolist() == [19.25, 18.59]
    assert load.notes[2] == "1 SWEMWBS totals worked out as metric scores"


def swemwbs(*answers: int, day: str = "2026-01-05") -> str:
    heading = OUTCOMES.split("\n")[0] + "\n"
    return heading + "".join(
        f"r4,SWEMWBS,start,{day},{item},{answer},\n" for item, answer in enumerate(answers, 1)
    )


def test_seven_answers_make_a_total():
    rows = read(swemwbs(2, 3, 2, 3, 3, 4, 3)).rows["outcome"]
    total = rows[rows["item"] == "total"]
    assert plain(total, "part_key", "measure", "point", "measured_on", "score") == [
        ["2026-01", "SWEMWBS", "start", date(2026, 1, 5), 18.59]
    ]
    assert total["reference_hash"].tolist() == [hashed("r4")]
    assert len(rows) == 8


def test_six_answers_make_none():
    rows = read(swemwbs(2, 3, 2, 3, 3, 4)).rows["outcome"]
    assert rows["item"].tolist() == ["1", "2", "3", "4", "5", "6"]


def test_a_total_that_was_sent_counts_before_the_answers():
    rows = read(swemwbs(2, 3, 2, 3, 3, 4, 3) + "r4,SWEMWBS,start,2026-01-05,,,24.11\n").rows
    assert rows["outcome"].query("item == 'total'")["score"].tolist() == [24.11]


def test_outcomes_of_a_network_are_a_part_of_their_own():
    heading, *lines = OUTCOMES.splitlines()
    pcns = ["U00001", "u00001", "", "U00002", "", "U00002", "U00003"]
    rows = [f"{line},{pcn}" for line, pcn in zip(lines, pcns, strict=True)]
    load = read("\n".join([f"{heading},PCN", *rows]) + "\n")
    assert plain(load.rows["outcome"], "part_key", "measure") == [
        ["2026-01 U00001", "ONS4"],
        ["2026-04 U00001", "ONS4"],
        ["2026-01", "ONS4"],
        ["2026-01 U00002", "SWEMWBS"],
        ["2026-01", "GAD-7"],
        ["2026-04 U00002", "PAM"],
    ]
    # The third network's only row has no score.
    assert load.parts.values.tolist() == [
        ["2026-01 U00001", date(2026, 1, 1), date(2026, 1, 31)],
        ["2026-04 U00001", date(2026, 4, 1), date(2026, 4, 30)],
        ["2026-01", date(2026, 1, 1), date(2026, 1, 31)],
        ["2026-01 U00002", date(2026, 1, 1), date(2026, 1, 31)],
        ["2026-04 U00002", date(2026, 4, 1), date(2026, 4, 30)],
    ]
    assert load.vintage == "2026-01 to 2026-04"
    assert not any("not read" in note for note in load.notes)


def test_outcomes_replace_the_same_month_and_network_only(engine: Engine):
    def take(*rows: str) -> tuple[int, int]:
        text = "\n".join(["reference,measure,point,date,total,pcn_code", *rows]) + "\n"
        record = take_in(engine, Source.of("file.csv", text.encode()), b"key")
        return record.parts_added, record.parts_replaced

    assert take("r1,PAM,start,2026-01-05,50,U00001") == (1, 0)
    assert take("r2,PAM,start,2026-01-05,60,U00002") == (1, 0)
    assert take("r3,PAM,start,2026-01-05,70,") == (1, 0)
    assert take("r1,PAM,start,2026-01-06,51,U00001", "r1,PAM,end,2026-02-06,52,U00001") == (2, 1)
    assert take("r3,PAM,start,2026-01-06,71,") == (1, 1)


def test_a_code_that_is_no_network_refuses_the_row():
    heading, *lines = OUTCOMES.splitlines()
    with pytest.raises(RefusedError, match="expected a PCN code such as U12345"):
        read("\n".join([f"{heading},pcn_code", *(f"{line},North" for line in lines)]) + "\n")


def test_a_total_of_answers_is_of_their_network():
    heading, *lines = swemwbs(2, 3, 2, 3, 3, 4, 3).splitlines()
    text = "\n".join([f"{heading},pcn_code", *(f"{line},U00001" for line in lines)]) + "\n"
    totals = read(text).rows["outcome"].query("item == 'total'")
    assert plain(totals, "part_key", "score") == [["2026-01 U00001", 18.59]]


@pytest.mark.parametrize("name", ["swemwbs", "SWEMWBS", "Swemwbs ", "S.W.E.M.W.B.S"])
def test_a_measure_in_any_spelling(name: str):
    assert known_measure(name) == "SWEMWBS"


# Both ends of every scale, and what lies just beyond them.
RANGES = {
    ("ONS4", "anxious"): (0, 10, ("11", "10.5", "-1")),
    ("SWEMWBS", "7"): (1, 5, ("0", "6", "1.5")),
    ("SWEMWBS", "total"): (7, 35, ("6.99", "35.01")),
    ("UCLA-3", "total"): (3, 9, ("2", "10", "3.5")),
    ("MYCaW", "concern 1"): (0, 6, ("7", "0.5")),
    ("MYCaW", "total"): (0, 6, ("6.1",)),
    ("PAM", "total"): (0, 100, ("100.1",)),
}


def test_every_scale_is_tried():
    tried = {(measure, item == "total") for measure, item in RANGES}
    assert tried == {
        (measure, item == "total") for measure, items in MEASURES.items() for item in items
    }


@pytest.mark.parametrize(
    ("measure", "item", "sent_as"),
    [(*key, "score") for key in RANGES] + [(*key, "total") for key in RANGES if key[1] == "total"],
)
def test_scores_on_and_off_their_scale(measure: str, item: str, sent_as: str):
    lowest, highest, beyond = RANGES[measure, item]

    def of(value: object) -> str:
        cells = f"{item},{value}," if sent_as == "score" else f",,{value}"
        return f"{OUTCOMES.splitlines()[0]}\nr1,{measure},start,2026-01-01,{cells}\n"

    for value in (lowest, highest):
        assert read(of(value)).rows["outcome"]["score"].tolist() == [value]
    for value in beyond:
        with pytest.raises(RefusedError) as refusal:
            read(of(value))
        (problem,) = refusal.value.problems
        assert (problem.row, problem.column) == (2, sent_as)


def test_one_bad_row_in_twenty_is_left_out_and_told_of():
    heading = "reference,measure,point,date,item,score\n"
    rows = [f"r{i},ONS4,start,2026-01-01,happy,5\n" for i in range(19)]
    load = read(heading + "".join(rows) + "secret,ONS4,start,2026-01-01,happy,11\n")
    assert (load.rows_read, load.rows_refused, len(load.rows["outcome"])) == (20, 1, 19)
    assert plain(load.refused, "row", "column", "rule", "found") == [
        [21, "score", "expected a whole number from 0 to 10 for ONS4", "'11'"]
    ]
    with pytest.raises(RefusedError):
        read(heading + "".join(rows[:18]) + "secret,ONS4,start,2026-01-01,happy,11\n")


def test_gp_contacts():
    load = read(GP_CONTACTS)
    rows = load.rows["gp_contact"]
    assert plain(rows, "part_key", "reference_hash", "attendances_before", "attendances_after") == [
        ["2026-06 U00001", hashed("r1"), 9, 5],
        ["2026-06 U00002", hashed("r2"), 0, None],
        ["no period no PCN", hashed("r3"), None, 3],
    ]
    assert plain(load.parts, "part_key", "period_start", "period_end") == [
        ["2026-06 U00001", date(2026, 6, 1), date(2026, 6, 30)],
        ["2026-06 U00002", date(2026, 6, 1), date(2026, 6, 30)],
        ["no period no PCN", None, None],
    ]
    assert load.notes == ("3 referrals, 1 with attendances before and after",)


def test_most_attendances():
    text = "reference,attendances_before,attendances_after\nr1,184,0\n"
    assert plain(read(text).rows["gp_contact"], "attendances_before") == [[184]]
    with pytest.raises(RefusedError, match="0 to 184 attendances"):
        read(text.replace("184", "185"))


def test_one_bad_contact_in_twenty_is_left_out():
    rows = "".join(f"r{i},1,1\n" for i in range(19))
    load = read(f"reference,attendances_before,attendances_after\n{rows}r19,many,1\n")
    assert (load.rows_read, load.rows_refused, len(load.rows["gp_contact"])) == (20, 1, 19)
    assert plain(load.refused, "row", "column") == [[21, "attendances_before"]]


def test_posts():
    load = read(POSTS)
    rows = load.rows["post"]
    assert plain(rows, *rows.columns) == [
        [
            "p1", "Link worker", "U00001", "VCSE", 0.8, "filled", date(2026, 4, 1), None, "GP",
            date(2026, 6, 1), "U00001",
        ],
        ["p2", None, "U00001", None, None, "vacant", date(2026, 5, 1), None, None, None, "U00001"],
        [
            "p3", "Community connector", "U00002", "council", 1.0, "ended", date(2025, 4, 1),
            date(2026, 3, 31), "manager", None, "U00002",
        ],
        ["p4", None, "U00002", "other", 5.0, "ended", None, None, None, None, "U00002"],
    ]  # fmt: skip
    assert load.parts["part_key"].tolist() == ["U00001", "U00002"]
    assert load.notes == (
        "4 spells of 4 posts in 2 PCNs; the last of each: 1 filled, 1 vacant, 0 recruiting, 2 ended",
        "1 without a funded FTE",
        "1 ended without a date",
    )


def test_the_spells_of_posts():
    load = read(SPELLS)
    rows = load.rows["post"]
    assert plain(rows, "part_key", "post_id", "status", "since", "until") == [
        ["U00001", "p1", "filled", date(2026, 4, 1), None],
        ["U00002", "p1", "vacant", date(2025, 10, 1), date(2026, 3, 31)],
        ["U00001", "p1", "filled", None, date(2025, 9, 30)],
        ["U00002", "p2", "filled", date(2025, 1, 1), date(2026, 4, 30)],
        ["U00002", "p2", "ended", date(2026, 5, 1), None],
        ["U00002", "p3", "recruiting", None, None],
        ["U00001", "p4", "filled", date(2026, 4, 1), date(2026, 12, 31)],
    ]
    assert load.notes == (
        "7 spells of 4 posts in 2 PCNs; the last of each: 2 filled, 0 vacant, 1 recruiting, 1 ended",
        "7 without a funded FTE",
        "spells without 'until', taken to end the day before the next: 2",
    )


def test_between_two_spells_nobody_need_know():
    text = change(SPELLS, "2026-03-31", "2026-01-31")
    assert read(text).rows["post"]["until"][3] == date(2026, 1, 31)


@pytest.mark.parametrize(
    ("text", "row", "column"),
    [
        # What can't be read is no second blank, nor does it end the spell before.
        (change(SPELLS, "2025-10-01", "autumn"), 3, "since"),
        (change(SPELLS, "2026-03-31", "spring"), 3, "until"),
        # Spells that begin together also overlap.
        (twice(SPELLS, 8), 9, "post_id"),
    ],
)
def test_one_fault_is_told_once(text: str, row: int, column: str):
    with pytest.raises(RefusedError) as refusal:
        read(text)
    assert [(p.row, p.column) for p in refusal.value.problems] == [(row, column)]


def test_posts_without_an_id_are_not_the_same_post():
    with pytest.raises(RefusedError) as refusal:
        read("post_id,pcn_code,status,since\n" + ",U00001,filled,2026-04-01\n" * 2)
    assert [p.rule for p in refusal.value.problems] == ["expected a text"] * 2


def test_posts_without_dates_have_one_spell_each():
    text = "post_id,pcn_code,status\np1,U00001,filled\np2,U00001,filled\n"
    assert plain(read(text).rows["post"], "since", "until") == [[None, None]] * 2
    with pytest.raises(RefusedError) as refusal:
        read(text + "p1,U00001,vacant\n")
    (problem,) = refusal.value.problems
    assert (problem.row, problem.column) == (4, "post_id")


@given(
    st.dictionaries(st.integers(0, 9), st.sets(st.integers(0, 99), min_size=1), min_size=1),
    st.randoms(use_true_random=False),
)
def test_each_spell_ends_the_day_before_the_next(starts: dict[int, set[int]], order):
    first = date(2026, 1, 1)
    days = [(f"U{pcn:05}", first + timedelta(day)) for pcn, of in starts.items() for day in of]
    order.shuffle(days)
    rows = "".join(f"{pcn},1,{day}\n" for pcn, day in days)
    found = read("pcn_code,target_fte,valid_from\n" + rows).rows["local_target"]
    for _pcn, spells in found.sort_values("valid_from").groupby("pcn_code"):
        after = [day - timedelta(1) for day in spells["valid_from"].iloc[1:]]
        assert plain(spells, "valid_until") == [[day] for day in [*after, None]]


def test_named_leads():
    load = read(NAMED_LEADS)
    rows = load.rows["named_lead"]
    assert plain(rows, "part_key", "post_name", "profession", "valid_from", "valid_until") == [
        ["North", "Head of personalised care", "nurse", date(2026, 4, 1), None],
        ["North", "Deputy head", None, date(2025, 4, 1), date(2026, 3, 31)],
        ["South", "Lead occupational therapist", "occupational therapist", None, None],
    ]
    assert load.notes == ("3 leads of 2 localities",)


@pytest.mark.parametrize("text", [POSTS, NAMED_LEADS, TARGETS])
@pytest.mark.parametrize("heading", ["name", "post holder name", "Lead name", "Email", "Surname"])
def test_a_column_of_names_refuses_the_file(text: str, heading: str):
    lines = text.splitlines()
    named = "\n".join([f"{lines[0]},{heading}", *(f"{line},Exampleson" for line in lines[1:])])
    with pytest.raises(RefusedError, match="take the column out") as refusal:
        read(named)
    assert "Exampleson" not in str(refusal.value)


def test_health_budgets():
    load = read(HEALTH_BUDGETS)
    rows = load.rows["personal_health_budget"]
    assert plain(rows, "part_key", "icb_code", "entitlement", "period_end", "in_place") == [
        ["2026-06 QZZ", "QZZ", "adult continuing healthcare", date(2026, 6, 30), 1200],
        ["2026-06 QZZ", "QZZ", "section 117 aftercare", date(2026, 6, 30), None],
        ["2026-07 QZZ", "QZZ", "adult continuing healthcare", date(2026, 7, 31), 0],
    ]
    assert load.parts.values.tolist() == [
        ["2026-06 QZZ", date(2026, 6, 1), date(2026, 6, 30)],
        ["2026-07 QZZ", date(2026, 7, 1), date(2026, 7, 31)],
    ]
    assert load.notes == (
        "1200 budgets in 3 rows",
        "1 numbers are hidden by a mark, and missing here",
    )


def test_recruitment_plan():
    load = read(PLAN)
    rows = load.rows["recruitment_plan"]
    assert plain(rows, "part_key", "pcn_code", "month", "planned_fte") == [
        ["2025-26 U00001", "U00001", date(2026, 3, 1), 1.0],
        ["2026-27 U00001", "U00001", date(2026, 4, 1), 1.5],
        ["2026-27 U00001", "U00001", date(2026, 5, 1), 0.0],
        ["2026-27 U00002", "U00002", date(2026, 4, 1), 2.0],
    ]
    assert load.parts.values.tolist() == [
        ["2025-26 U00001", date(2026, 3, 1), date(2026, 3, 31)],
        ["2026-27 U00001", date(2026, 4, 1), date(2026, 5, 31)],
        ["2026-27 U00002", date(2026, 4, 1), date(2026, 4, 30)],
    ]
    assert load.notes == ("plans of 2 PCNs for 3 months",)


def test_targets():
    load = read(TARGETS)
    rows = load.rows["local_target"]
    assert plain(rows, *rows.columns) == [
        [
            "U00001", 2.5, date(2026, 4, 1), date(2027, 3, 31), "agreed in the board's plan",
            "U00001",
        ],
        ["U00001", 2.0, date(2025, 4, 1), date(2026, 3, 31), None, "U00001"],
        ["U00002", 0.0, date(2026, 4, 1), None, None, "U00002"],
        ["U00003", 50.0, date(2026, 4, 1), date(2026, 4, 1), None, "U00003"],
        ["U00003", 1.0, date(2026, 4, 2), None, "one in each PCN", "U00003"],
    ]  # fmt: skip
    assert plain(load.parts, "part_key", "period_start", "period_end") == [
        ["U00001", None, None], ["U00002", None, None], ["U00003", None, None]
    ]  # fmt: skip
    assert load.notes == (
        "5 targets of 3 PCNs",
        "spells without 'valid_until', taken to end the day before the next: 1",
    )


def test_a_reason_of_200_characters():
    text = change(TARGETS, "one in each PCN", "x" * 200)
    assert read(text).rows["local_target"]["reason"].iloc[-1] == "x" * 200


@pytest.mark.parametrize(
    ("heading", "known"),
    [
        ("pcn_code,target_fte,valid_from", ["targets"]),
        ("PCN,Target WTE,From", ["targets"]),
        ("pcn_code,target_fte,month", ["recruitment_plan"]),
        ("pcn_code,target_fte,month,valid_from", ["recruitment_plan"]),
        ("post_id,pcn_code,status,valid_from,target_fte", ["posts"]),
        ("pcn_code,target_fte", []),
    ],
)
def test_a_target_a_plan_and_a_post(heading: str, known: list[str]):
    source = Source.of("file.csv", f"{heading}\nx,1,2\n".encode())
    assert [dataset.name for dataset in DATASETS if dataset.recognises(source)] == known


def test_last_years_plan_stays_when_this_years_is_sent_again(engine: Engine):
    take_in(engine, Source.of("file.csv", PLAN.encode()), b"key")
    shorter = "pcn_code,month,planned_fte\nU00001,2026-06,3\n"
    record = take_in(engine, Source.of("file.csv", shorter.encode()), b"key")
    assert (record.parts_added, record.parts_replaced) == (1, 1)
    in_force = (
        select(func.sum(tables.recruitment_plan.c.planned_fte))
        .join(tables.load_part, tables.load_part.c.id == tables.recruitment_plan.c.part_id)
        .where(tables.load_part.c.replaced_by.is_(None))
    )
    with engine.connect() as connection:
        assert connection.execute(in_force).scalar_one() == 1 + 3 + 2


@pytest.mark.parametrize(
    ("month", "year"), [(date(1999, 12, 1), "1999-00"), (date(2027, 3, 31), "2026-27")]
)
def test_financial_year(month: date, year: str):
    assert financial_year(month) == year


@pytest.mark.parametrize("text", ["2026-06", "June 2026", "jun 2026", "Jun-26", "06/2026"])
def test_a_month_in_every_style(text: str):
    assert to_month(text) == date(2026, 6, 1)


def test_the_end_of_a_month():
    assert [month_end(date(2024, 2, day)) for day in (1, 29)] == [date(2024, 2, 29)] * 2


@pytest.mark.parametrize("text", ["", "2026", "6", "2026-13", "June", "13/2026"])
def test_no_month(text: str):
    assert to_month(text) is None


def total(cells: str) -> str:
    return "reference,measure,point,date,item,score,total\nr1,PAM,end,2026-01-01," + cells + "\n"


BAD = {
    "outcomes": [
        (twice(OUTCOMES, 2), "the same reference, measure", 9, None),
        (change(OUTCOMES, "r1", ""), "expected a text", 2, "reference"),
        (change(OUTCOMES, "GAD-7", ""), "expected a text", 6, "measure"),
        (change(OUTCOMES, "start", "begin"), "expected one of start", 2, "point"),
        (change(OUTCOMES, "2026-01-31", ""), "a date such as", 2, "date"),
        (change(OUTCOMES, "2026-01-31", "2014-12-31"), "a date from 2015", 2, "date"),
        (change(OUTCOMES, "Happy", "Sad"), "for ONS4, one of life", 2, "item"),
        (change(OUTCOMES, "Happy", "total"), "for ONS4, one of life", 2, "item"),
        (change(OUTCOMES, "happy,10,", ",,10"), "for ONS4, one of life", 3, "total"),
        (change(OUTCOMES, "Happy", ""), "the item the score is of", 2, "score"),
        (change(OUTCOMES, "happy,7,", "happy,7,7"), "not both in one row", 4, "total"),
        (change(OUTCOMES, ",,,19.25", ",1,,19.25"), "not both in one row", 5, "total"),
        (change(OUTCOMES, "total,21", "total,much"), "a number from 0", 6, "score"),
        (change(OUTCOMES, "55.6", "half"), "a number from 0", 7, "total"),
        (change(OUTCOMES, "Happy", "x" * 101), "no notes", 2, "item"),
        (change(OUTCOMES, "item,score,total", "a,b,c"), "item and score, or", None, None),
        (change(OUTCOMES, "item,score,total", "item,b,c"), "item and score, or", None, None),
        (total(",,"), "no row has a score", None, None),
        (only_heading(OUTCOMES), "no rows", None, None),
    ],
    "gp_contacts": [
        (twice(GP_CONTACTS, 2), "the same reference", 5, None),
        (change(GP_CONTACTS, "r2", ""), "expected a text", 3, "reference"),
        (change(GP_CONTACTS, ",9,", ",-9,"), "a whole number", 2, "attendances_before"),
        (change(GP_CONTACTS, ",9,", ",185,"), "expected 0 to 184", 2, "attendances_before"),
        (change(GP_CONTACTS, "9,5", "9,5.5"), "a whole number", 2, "attendances_after"),
        (change(GP_CONTACTS, "9,5", "9,500"), "expected 0 to 184", 2, "attendances_after"),
        (change(GP_CONTACTS, "2026-06", "summer"), "a month such as", 2, "period"),
        (change(GP_CONTACTS, "2026-06", "2014-12"), "a month such as", 2, "period"),
        (change(GP_CONTACTS, "U00001", "x"), "a PCN code", 2, "pcn_code"),
        (only_heading(GP_CONTACTS), "no rows", None, None),
    ],
    "posts": [
        (twice(POSTS, 2), "the same post_id and since", 6, "post_id"),
        (twice(SPELLS, 4), "the same post_id and since", 9, "post_id"),
        (
            change(SPELLS, "2025-10-01,2026-03-31", "01/04/2026,"),
            "the same post_id and since",
            3,
            "post_id",
        ),
        (change(SPELLS, "2026-03-31", "2026-04-01"), "before the next spell", 3, "until"),
        (change(SPELLS, "filled,,", "filled,,2025-10-01"), "before the next spell", 4, "until"),
        (change(SPELLS, "vacant", "ended"), "this post has ended", 2, "post_id"),
        (change(SPELLS, "filled,,", "ended,,"), "this post has ended", 3, "post_id"),
        (change(SPELLS, "2026-05-01", "2024-12-01"), "this post has ended", 5, "post_id"),
        (change(POSTS, "p2", ""), "expected a text", 3, "post_id"),
        (change(POSTS, "p2", "p" * 65), "at most 64 characters", 3, "post_id"),
        (change(POSTS, "U00001", ""), "a PCN code", 2, "pcn_code"),
        (change(POSTS, "filled", "busy"), "expected one of filled", 2, "status"),
        (change(POSTS, "filled", ""), "expected one of filled", 2, "status"),
        (change(POSTS, "Link worker", "Dr Example"), "not the name of a person", 2, "role_title"),
        (change(POSTS, "VCSE", "friends"), "expected one of NHS", 2, "employer_type"),
        (change(POSTS, "0.8", "most"), "a number from 0", 2, "funded_fte"),
        (change(POSTS, "0.8", "5.1"), "not hours a week", 2, "funded_fte"),
        (change(POSTS, "2026-04-01", "1926-04-01"), "a date from 2015", 2, "since"),
        (change(POSTS, "2026-03-31", "2025-03-31"), "on or after", 4, "until"),
        (change(POSTS, "2026-03-31", "soon"), "a date such as", 4, "until"),
        (change(POSTS, ",gp,", ",Jo Example,"), "expected one of GP", 2, "supervised_by"),
        (change(POSTS, "2026-06-01", "June"), "a date such as", 2, "last_supervision"),
        (only_heading(POSTS), "no rows", None, None),
    ],
    "named_leads": [
        (twice(NAMED_LEADS, 2), "the same locality, post", 5, None),
        (change(NAMED_LEADS, "South", ""), "expected a text", 4, "locality"),
        (change(NAMED_LEADS, "Deputy head", ""), "expected a text", 3, "post"),
        (change(NAMED_LEADS, "Deputy head", "Mrs Example"), "not the name of", 3, "post"),
        (change(NAMED_LEADS, "Nurse", "Jo Example"), "expected one of GP", 2, "profession"),
        (change(NAMED_LEADS, "2026-04-01", "spring"), "a date such as", 2, "from"),
        (change(NAMED_LEADS, "2026-03-31", "2025-03-31"), "on or after", 3, "until"),
        (only_heading(NAMED_LEADS), "no rows", None, None),
    ],
    "personal_health_budgets": [
        (twice(HEALTH_BUDGETS, 2), "the same period, board", 5, None),
        (change(HEALTH_BUDGETS, "2026-06", "2026"), "a month such as", 2, "period"),
        (change(HEALTH_BUDGETS, "2026-06", ""), "a month such as", 2, "period"),
        (change(HEALTH_BUDGETS, "QZZ", "Kent"), "an ICB code", 2, "icb_code"),
        (change(HEALTH_BUDGETS, "Adult continuing", "Total"), "one of adult", 2, "entitlement"),
        (change(HEALTH_BUDGETS, ",0\n", ",\n"), "a whole number", 4, "in_place"),
        (change(HEALTH_BUDGETS, ",0\n", ",-1\n"), "a whole number", 4, "in_place"),
        (only_heading(HEALTH_BUDGETS), "no rows", None, None),
    ],
    "targets": [
        (twice(TARGETS, 2), "the same pcn_code and valid_from", 7, "pcn_code"),
        (change(TARGETS, "2027-03-31", "2026-03-31"), "on or after", 2, "valid_until"),
        (
            change(TARGETS, "2,2025-04-01,", "2,2025-04-01,2026-04-01"),
            "before the next spell",
            3,
            "valid_until",
        ),
        (
            change(TARGETS, "2026-04-01,2026-04-01", "2026-04-01,2026-04-02"),
            "before the next spell",
            5,
            "valid_until",
        ),
        (change(TARGETS, "U00002", "South"), "a PCN code", 4, "pcn_code"),
        (change(TARGETS, "U00002", ""), "a PCN code", 4, "pcn_code"),
        (change(TARGETS, "2.5", ""), "a number from 0", 2, "target_fte"),
        (change(TARGETS, "2.5", "-2.5"), "a number from 0", 2, "target_fte"),
        (change(TARGETS, ",50,", ",50.1,"), "an FTE from 0 to 50", 5, "target_fte"),
        (change(TARGETS, "01/04/2026", ""), "a date such as", 4, "valid_from"),
        (change(TARGETS, "01/04/2026", "2014-12-31"), "a date from 2015", 4, "valid_from"),
        (change(TARGETS, "2027-03-31", "2101-01-01"), "a date from 2015", 2, "valid_until"),
        (change(TARGETS, "2027-03-31", "spring"), "a date such as", 2, "valid_until"),
        (change(TARGETS, "one in each PCN", "x" * 201), "200 characters", 6, "reason"),
        (change(TARGETS, "one in each PCN", "Ms Example said"), "not the name of", 6, "reason"),
        (only_heading(TARGETS), "no rows", None, None),
    ],
    "recruitment_plan": [
        (twice(PLAN, 2), "the same PCN and month", 6, None),
        (change(PLAN, "01/05/2026", "30/04/2026"), "the same PCN and month", 4, None),
        (change(PLAN, "U00002", "South"), "a PCN code", 5, "pcn_code"),
        (change(PLAN, "April 2026", "Spring 2026"), "a month such as", 5, "month"),
        (change(PLAN, "2026-03", "2101-01"), "a month such as", 2, "month"),
        (change(PLAN, "1.5", ""), "a number from 0", 3, "planned_fte"),
        (change(PLAN, "1.5", "-1.5"), "a number from 0", 3, "planned_fte"),
        (only_heading(PLAN), "no rows", None, None),
    ],
}


@pytest.mark.parametrize(
    ("text", "rule", "row", "column"),
    [
        pytest.param(*case, id=f"{name} {number}: {case[1]}")
        for name, cases in BAD.items()
        for number, case in enumerate(cases)
    ],
)
def test_refused(text: str, rule: str, row: int | None, column: str | None):
    with pytest.raises(RefusedError) as refusal:
        read(text)
    places = [(p.row, p.column) for p in refusal.value.problems if rule in p.rule]
    assert places == [(row, column)], str(refusal.value)
    # Nothing else is wrong with the file: one thing was changed.
    assert len(refusal.value.problems) <= 2, str(refusal.value)
    assert "Example" not in str(refusal.value)


NUMBERED = {
    "outcomes": ("reference,measure,point,date,total", "{0},PAM,start,2026-01-01,1"),
    "gp_contacts": ("reference,attendances_before,attendances_after", "{0},1,1"),
    "posts": ("post_id,pcn_code,status", "{0},U00001,filled"),
    "named_leads": ("locality,post,profession", "North,{0},"),
    "personal_health_budgets": (
        "period,icb_code,entitlement,in_place,x",
        "{1},QZZ,other,1,{0}",
    ),
    "recruitment_plan": ("pcn_code,month,planned_fte,x", "U00001,{1},1,{0}"),
    "targets": ("pcn_code,target_fte,valid_from,x", "U00001,1,{1}-01,{0}"),
}


@pytest.mark.parametrize("kind", NUMBERED)
def test_a_column_of_nhs_numbers_refuses_the_file_and_shows_none(kind: str):
    heading, row = NUMBERED[kind]

    def of(numbers: list[str]) -> str:
        months = [f"{2020 + i // 12}-{i % 12 + 1:02}" for i in range(len(numbers))]
        rows = [row.format(n, month) for n, month in zip(numbers, months, strict=True)]
        return "\n".join([heading, *rows]) + "\n"

    with pytest.raises(RefusedError, match="holds NHS numbers") as refusal:
        read(of(VALID))
    assert not any(number[3:] in str(refusal.value) for number in VALID)
    assert read(of(INVALID), Lookups()).rows_read == len(INVALID)
