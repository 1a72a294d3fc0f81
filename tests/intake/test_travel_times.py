"""Travel times between wards: read, replaced by way of travelling and ward, and refused."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select

from dashboard.intake import DATASETS
from dashboard.intake.dataset import Check
from dashboard.intake.problems import RefusedError
from dashboard.intake.source import Source
from dashboard.intake.templates import FORMS, file_name, template_bytes
from dashboard.intake.travel_times import DATASET
from queries import load, tables
from queries.load import CleanLoad
from tests.intake.files import Lookups, whole
from tests.intake.test_bad_files import change, only_heading, twice

TIMES = """\
mode,from_ward_code,to_ward_code,minutes
bus,E05000001,E05000002,17.5
Bus,E05000001,E05000001,0
walking,E05000001,E05000002,"1,080"
bus,e05000002,W05000003,40
"""


def source(text: str | bytes) -> Source:
    return Source.of("file.csv", text if isinstance(text, bytes) else text.encode())


def read(text: str | bytes) -> CleanLoad:
    """What the reader of the file makes of it."""
    assert DATASET.recognises(source(text))
    found = DATASET.read(source(text), Lookups())
    return found if isinstance(found, CleanLoad) else whole(found)


def test_travel_times() -> None:
    found = read(TIMES)
    rows = found.rows["travel_time"]
    assert rows.columns.tolist() == [
        "mode", "from_ward_code", "to_ward_code", "minutes", "part_key",
    ]  # fmt: skip
    assert rows.values.tolist() == [
        ["bus", "E05000001", "E05000002", 17.5, "bus E05000001"],
        ["bus", "E05000001", "E05000001", 0.0, "bus E05000001"],
        ["walking", "E05000001", "E05000002", 1080.0, "walking E05000001"],
        ["bus", "E05000002", "W05000003", 40.0, "bus E05000002"],
    ]
    assert found.parts.values.tolist() == [
        ["bus E05000001", None, None],
        ["walking E05000001", None, None],
        ["bus E05000002", None, None],
    ]
    assert (found.dataset, found.rows_read, found.rows_refused) == ("travel_times", 4, 0)
    assert found.notes == ("times: 4; wards set out from: 2; ways of travelling: bus, walking",)


def test_it_is_recognised_as_itself_alone() -> None:
    assert DATASET.recognises(source(TIMES))
    assert {d.name for d in DATASETS if d.recognises(source(TIMES))} <= {DATASET.name}


@pytest.mark.parametrize(
    "heading",
    [
        "Travel mode,Origin,Destination,Travel time (minutes)",
        "transport,from,to,Mins",
        "MODE,From Ward,To Ward,duration_minutes",
        "mode of travel,origin ward code,destination ward code,travel_minutes",
    ],
)
def test_other_headings(heading: str) -> None:
    found = read(heading + "\n" + TIMES.split("\n", 1)[1])
    assert found.rows["travel_time"].equals(read(TIMES).rows["travel_time"])
    assert found.notes == read(TIMES).notes


@pytest.mark.parametrize("column", ["mode", "from_ward_code", "to_ward_code", "minutes"])
def test_without_a_column_it_is_another_file(column: str) -> None:
    assert not DATASET.recognises(source(change(TIMES, column, "x")))


def test_a_time_without_its_unit_is_not_read_as_minutes() -> None:
    assert not DATASET.recognises(source(change(TIMES, "minutes", "travel_time")))


def test_columns_nobody_reads_are_said() -> None:
    text = "mode,from,to,minutes,changes\nbus,E05000001,E05000002,17,1\n"
    assert read(text).notes[-1] == "columns not read: changes"


def test_a_mode_of_40_characters() -> None:
    text = change(TIMES, "walking", "w" * 40)
    assert "w" * 40 in read(text).rows["travel_time"]["mode"].tolist()


def test_the_same_way_from_the_same_ward_is_replaced(engine: Engine) -> None:
    load.save(engine, read(TIMES))
    again = load.save(engine, read("mode,from,to,minutes\nBUS,E05000001,E05000003,9\n"))
    assert (again.parts_added, again.parts_replaced) == (1, 1)
    part, time = tables.load_part.c, tables.travel_time.c
    in_force = (
        select(time.mode, time.from_ward_code, time.to_ward_code, time.minutes)
        .join(tables.load_part, part.id == time.part_id)
        .where(part.replaced_by.is_(None))
        .order_by(time.mode, time.from_ward_code)
    )
    with engine.connect() as connection:
        assert [tuple(row) for row in connection.execute(in_force)] == [
            ("bus", "E05000001", "E05000003", 9.0),
            ("bus", "E05000002", "W05000003", 40.0),
            ("walking", "E05000001", "E05000002", 1080.0),
        ]


@pytest.mark.parametrize(
    ("text", "rule", "row", "column"),
    [
        (twice(TIMES, 2), "the same way of travelling from and to", 6, None),
        (change(TIMES, "E05000001,E05000001", "E05000001,E05000002"), "the same way", 3, None),
        (change(TIMES, "walking", ""), "expected a text", 4, "mode"),
        (change(TIMES, "walking", "w" * 41), "at most 40 characters", 4, "mode"),
        (change(TIMES, "E05000001", "Hill"), "a ward code such as", 2, "from_ward_code"),
        (change(TIMES, "E05000001", "E01000001"), "a ward code such as", 2, "from_ward_code"),
        (change(TIMES, "e05000002", ""), "a ward code such as", 5, "from_ward_code"),
        (change(TIMES, "W05000003", "E07000003"), "a ward code such as", 5, "to_ward_code"),
        (change(TIMES, "W05000003", ""), "a ward code such as", 5, "to_ward_code"),
        (change(TIMES, "17.5", ""), "a number from 0", 2, "minutes"),
        (change(TIMES, "17.5", "-1"), "a number from 0", 2, "minutes"),
        (change(TIMES, "17.5", "00:17"), "a number from 0", 2, "minutes"),
        (change(TIMES, "17.5", "*"), "a number from 0", 2, "minutes"),
        (change(TIMES, "17.5", "inf"), "a number from 0", 2, "minutes"),
        (
            "mode,from,to,minutes,to\nbus,E05000001,E05000002,17,E05000002\n",
            "stands more than once",
            None,
            "to",
        ),
        (
            "mode,from,to,minutes,home_postcode\nbus,E05000001,E05000002,17,ZZ1 1AA\n",
            "take the column out and send the ward code",
            None,
            "home_postcode",
        ),
        (only_heading(TIMES), "no rows", None, None),
    ],
)
def test_refused(text: str, rule: str, row: int | None, column: str | None) -> None:
    with pytest.raises(RefusedError) as refusal:
        read(text)
    places = [(p.row, p.column) for p in refusal.value.problems if rule in p.rule]
    assert places == [(row, column)], str(refusal.value)
    # Nothing else is wrong with the file: one thing was changed.
    assert len(refusal.value.problems) == 1, str(refusal.value)


@pytest.mark.parametrize("form", FORMS)
def test_the_template_loads_as_it_is(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()
    heading = Check.heading

    def remembered(check: Check, column: str) -> str | None:
        asked.add(column)
        return heading(check, column)

    monkeypatch.setattr(Check, "heading", remembered)
    blank = Source.of(file_name(DATASET, form), template_bytes(DATASET, form))
    assert DATASET.recognises(blank)
    found = DATASET.read(blank, Lookups())
    assert isinstance(found, CleanLoad)
    assert found.rows["travel_time"].values.tolist() == [
        ["bus", "E05012345", "E05012346", 17.5, "bus E05012345"]
    ]
    assert found.notes == ("times: 1; wards set out from: 1; ways of travelling: bus",)
    assert DATASET.template
    assert asked == {column.name for column in DATASET.template.columns}
