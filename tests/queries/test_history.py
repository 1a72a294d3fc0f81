"""Taking a load back leaves what there was before it, and the history tells of every file."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from queries import history, jobs, loads, places, tables
from queries.database import make_engine
from queries.history import UndoError, UndoRecord, undo
from queries.load import AlreadyLoadedError, CleanLoad, save
from queries.places import in_force
from queries.scope import EVERYTHING, Scope
from tests import small_board as b
from tests.queries.test_save import boundaries_of, contents, version_of, ward_names

KEYS = ("one", "two", "three")
ONE_BOARD = Scope(frozenset({b.BOARD}))
# Each part has this many rows, so that a wrong count of rows shows.
ROWS_A_PART = 2


def file_of(keys: tuple[str, ...], content: int) -> CleanLoad:
    """A file that speaks for these parts; another content is another file."""
    rows = pd.DataFrame(
        [(key, f"Y{row}", "all ages", 10 * content + row) for key in keys for row in (1, 2)],
        columns=["part_key", "practice_code", "age_band", "patients"],
    )
    return b.made_of("list_sizes", keys, {"list_size": rows})


def patients(engine: Engine) -> dict[str, int]:
    """What a page reads: the sum of the rows in force, by part."""
    part, size = tables.load_part.c, tables.list_size.c
    with engine.connect() as connection:
        rows = connection.execute(
            select(part.part_key, func.sum(size.patients).label("patients"))
            .join(tables.list_size, size.part_id == part.id)
            .where(in_force(part.id))
            .group_by(part.part_key)
        )
        return {row.part_key: row.patients for row in rows}


def parts(engine: Engine) -> list[tuple[str, int]]:
    part = tables.load_part.c
    rows = select(part.part_key, part.row_count).where(part.replaced_by.is_(None))
    with engine.connect() as connection:
        return [
            (row.part_key, row.row_count) for row in connection.execute(rows.order_by("part_key"))
        ]


# A second way to say what undo is: for each part the newest load that was not taken back.


@dataclass
class Plain:
    """Loads by number, and which of them were taken back."""

    files: list[CleanLoad] = field(default_factory=list)
    undone: set[int] = field(default_factory=set)

    def newest(self) -> dict[str, int]:
        """The load in force of each part."""
        return {
            key: number
            for number, clean in enumerate(self.files, start=1)
            if number not in self.undone
            for key in clean.parts["part_key"]
        }

    def holds(self, clean: CleanLoad) -> bool:
        """Whether the same bytes are in force, for one part at least."""
        return any(self.files[n - 1].sha256 == clean.sha256 for n in self.newest().values())


Step = tuple[tuple[str, ...], int] | int
some_keys = st.lists(st.sampled_from(KEYS), min_size=1, unique=True).map(tuple)
steps = st.lists(st.tuples(some_keys, st.integers(1, 2)) | st.integers(1, 6), max_size=9)


@contextmanager
def copy_of(empty: Path) -> Iterator[Engine]:
    with tempfile.TemporaryDirectory() as folder:
        path = shutil.copy(empty, Path(folder) / "test.db")
        engine = make_engine(f"sqlite:///{Path(path).as_posix()}")
        yield engine
        engine.dispose()


def run(engine: Engine, steps: list[Step]) -> Plain:
    """Do the steps, and compare with the plain way after each."""
    plain = Plain()
    for step in steps:
        before, seen = plain.newest(), version_of(engine)
        if isinstance(step, int) and (step > len(plain.files) or step in plain.undone):
            with pytest.raises(UndoError):
                undo(engine, step, None)
        elif isinstance(step, int):
            record = undo(engine, step, None)
            plain.undone.add(step)
            gone = [key for key, number in before.items() if number == step]
            again = [key for key in gone if key in plain.newest()]
            assert (record.parts_withdrawn, record.parts_restored) == (len(gone), len(again))
        elif plain.holds(clean := file_of(*step)):
            with pytest.raises(AlreadyLoadedError):
                save(engine, clean)
        else:
            save(engine, clean)
            plain.files.append(clean)
        assert parts(engine) == [(key, ROWS_A_PART) for key in sorted(plain.newest())]
        assert patients(engine) == {
            key: int(rows["patients"].sum())
            for key, number in plain.newest().items()
            for part_key, rows in plain.files[number - 1].rows["list_size"].groupby("part_key")
            if part_key == key
        }
        changed = plain.newest() != before
        assert version_of(engine) - seen in ({1} if changed else {0, 1})
    return plain


@pytest.mark.slow  # some hundred loads
@given(steps=steps)
def test_any_order_of_loads_and_undos(upgraded_file: Path, steps: list[Step]) -> None:
    with copy_of(upgraded_file) as engine, copy_of(upgraded_file) as other:
        plain = run(engine, steps)
        for number, clean in enumerate(plain.files, start=1):
            # Without what was undone between them, the same file may come twice in a row.
            if number not in plain.undone:
                with suppress(AlreadyLoadedError):
                    save(other, clean)
        assert patients(engine) == patients(other)
        assert parts(engine) == parts(other)


def test_a_long_order_of_loads_and_undos(any_engine: Engine) -> None:
    every = tuple(KEYS)
    orders: list[Step] = [
        (every, 1), (every[:2], 2), (every[1:], 1), 2, 2, 1, (every, 2), 3, (every[:1], 1), 4, 5, 9,
    ]  # fmt: skip
    assert run(any_engine, orders).undone == {1, 2, 3, 4, 5}


def test_undo_leaves_the_data_as_it_was_before(any_engine: Engine) -> None:
    """All tables but the load itself, which says who took it back."""
    b.Board().save(any_engine)
    before = contents(any_engine)
    record = save(any_engine, b.services(b.SERVICES[:2]))
    assert undo(any_engine, record.load_id, "Ann") == UndoRecord("services.csv", 1, 1, False)
    after = contents(any_engine)
    for name in before:
        if name not in ("data_version", "load", "load_part", "trail", *record_tables()):
            assert after[name] == before[name], name
    with any_engine.connect() as connection:
        part = tables.load_part
        in_force_now = connection.execute(select(part).where(part.c.replaced_by.is_(None)))
        assert {tuple(row) for row in in_force_now} == {
            row for row in before["load_part"] if row[-1] is None
        }
        load = connection.execute(
            select(tables.load).where(tables.load.c.id == record.load_id)
        ).one()
    assert load.undone_by == "Ann"
    assert abs(datetime.now(UTC) - load.undone_at.replace(tzinfo=UTC)) < timedelta(minutes=10)
    assert version_of(any_engine) == len(before["load"]) + 2


def record_tables() -> list[str]:
    return list(b.services(b.SERVICES).rows)


def test_undone_twice_or_never_there(any_engine: Engine) -> None:
    number = save(any_engine, file_of(KEYS, 1)).load_id
    undo(any_engine, number, None)
    before = contents(any_engine)
    with pytest.raises(UndoError, match=rf"^Load {number} was undone on .* load the file again\.$"):
        undo(any_engine, number, None)
    with pytest.raises(UndoError, match=r"^There is no load 99 to undo: `history` lists them\.$"):
        undo(any_engine, 99, None)
    assert contents(any_engine) == before


def test_the_demonstration_is_not_undone(any_engine: Engine) -> None:
    number = save(any_engine, file_of(KEYS, 1), is_demonstration=True).load_id
    before = contents(any_engine)
    with pytest.raises(UndoError, match="There is no load"):
        undo(any_engine, number, None)
    assert contents(any_engine) == before


def test_an_undone_file_may_be_loaded_again(any_engine: Engine) -> None:
    first = save(any_engine, file_of(KEYS, 1))
    undo(any_engine, first.load_id, None)
    assert patients(any_engine) == {}
    again = save(any_engine, file_of(KEYS, 1))
    assert (again.parts_added, again.parts_replaced) == (3, 0)
    assert patients(any_engine) == dict.fromkeys(KEYS, 23)


@pytest.mark.parametrize(
    ("undone", "left", "records"),
    [
        ([2], 23, [(1, 1)]),
        ([1], 43, [(0, 0)]),
        ([1, 2], None, [(0, 0), (1, 0)]),
        ([2, 1], None, [(1, 1), (1, 0)]),
    ],
)
def test_a_correction_and_what_it_corrected(
    any_engine: Engine, undone: list[int], left: int | None, records: list[tuple[int, int]]
) -> None:
    numbers = [save(any_engine, file_of(("one",), content)).load_id for content in (1, 2)]
    found = [undo(any_engine, numbers[which - 1], None) for which in undone]
    assert [(one.parts_withdrawn, one.parts_restored) for one in found] == records
    assert patients(any_engine) == ({} if left is None else {"one": left})


def test_the_same_part_of_another_dataset_stays(any_engine: Engine) -> None:
    save(any_engine, b.practices())
    number = save(any_engine, b.list_sizes()).load_id
    undo(any_engine, number, None)
    assert list(history.periods_in_force(any_engine, EVERYTHING)["dataset"]) == ["practices"]


def test_undo_of_boundaries_brings_the_wards_back(any_engine: Engine) -> None:
    b.Board().save(any_engine)
    before = places.wards(any_engine, EVERYTHING, b.BOARD)
    newer = save(any_engine, boundaries_of(2026, b.NORTHAM, E05000002="New", **{b.ABBEY: "Abbeys"}))
    assert ward_names(any_engine) == {"Abbeys", "New", "Dale", "Elm", "Ford"}
    undo(any_engine, newer.load_id, None)
    pd.testing.assert_frame_equal(places.wards(any_engine, EVERYTHING, b.BOARD), before)


def test_undo_says_when_the_demonstration_was_there_before(any_engine: Engine) -> None:
    save(any_engine, file_of(KEYS, 1), is_demonstration=True)
    first = save(any_engine, file_of(KEYS, 2)).load_id
    second = save(any_engine, b.practices()).load_id
    assert not undo(any_engine, second, None).leaves_demonstration
    assert undo(any_engine, first, None).leaves_demonstration


def test_undo_in_the_order_of_loading_says_so_too(any_engine: Engine) -> None:
    """Had the first never been loaded, the second would have removed the demonstration."""
    save(any_engine, file_of(KEYS, 1), is_demonstration=True)
    first = save(any_engine, file_of(KEYS, 2)).load_id
    second = save(any_engine, b.practices()).load_id
    assert not undo(any_engine, first, None).leaves_demonstration
    assert undo(any_engine, second, None).leaves_demonstration


def test_undo_of_all_but_the_newest_says_so_at_the_end(any_engine: Engine) -> None:
    save(any_engine, file_of(KEYS, 1), is_demonstration=True)
    made = (file_of(KEYS, 2), b.practices(), b.services(b.SERVICES))
    first, second, third = (save(any_engine, clean).load_id for clean in made)
    for number in (second, first):
        assert not undo(any_engine, number, None).leaves_demonstration
    assert undo(any_engine, third, None).leaves_demonstration


def test_undo_of_the_only_load_where_no_demonstration_was(any_engine: Engine) -> None:
    number = save(any_engine, file_of(KEYS, 1)).load_id
    assert not undo(any_engine, number, None).leaves_demonstration


# The history.


def offered(engine: Engine, name: str, who: str | None = "Bob") -> int:
    return jobs.offer(engine, name, 10, name * 2, who)


REFUSALS = pd.DataFrame(
    {
        "row": pd.array([3, None], dtype="Int64"),
        "column": pd.array(["age", None], dtype="str"),
        "rule": pd.array(["expected a whole number", "too many bad rows"], dtype="str"),
        "found": pd.array(["'ab…' (7 characters)", None], dtype="str"),
    }
)


@pytest.fixture
def told(any_engine: Engine) -> Engine:
    """One of everything: replaced, loaded, undone, refused, unchanged, dropped, under way."""
    save(any_engine, file_of(("two",), 3), is_demonstration=True)
    save(any_engine, file_of(("one", "two"), 1), loaded_by="Ann")
    clean = replace(
        b.services(b.SERVICES), rows_refused=1, notes=("a note", "another"), vintage="June"
    )
    job_id = offered(any_engine, "services.csv")
    jobs.checked(any_engine, job_id, "services", "{}", REFUSALS)
    assert jobs.queue(any_engine, job_id)
    assert jobs.take_next(any_engine) == job_id

    def note(connection, clean, record) -> None:  # type: ignore[no-untyped-def]
        jobs.loaded(connection, job_id, record.load_id)

    save(any_engine, clean, loaded_by="Bob", finish=note)
    save(any_engine, replace(file_of(("one",), 2), file_name="june.csv"), loaded_by="Cy")
    undone = save(any_engine, b.scheme_areas(b.SCHEMES), loaded_by="Di")
    undo(any_engine, undone.load_id, "Eve")
    jobs.refused(any_engine, offered(any_engine, "odd.csv"), "odd.csv was refused", REFUSALS[1:])
    jobs.ended(any_engine, offered(any_engine, "same.csv"), "unchanged", "Already loaded")
    dropped = offered(any_engine, "not.csv", None)
    jobs.checked(any_engine, dropped, "referrals", "{}", REFUSALS[:0])
    assert jobs.drop(any_engine, dropped)
    published = offered(any_engine, "later.csv")
    jobs.checked(any_engine, published, "practices", "{}", REFUSALS[:0])
    jobs.ended(any_engine, published, "failed", "Try again")
    jobs.checked(any_engine, offered(any_engine, "waits.csv"), "practices", "{}", REFUSALS[:0])
    offered(any_engine, "being checked.csv")
    return any_engine


# load, job, who, file, dataset, state, vintage, rows in, rows out, refused, parts, message
_DROPPED = "Not loaded: taken away before it was confirmed."
ROWS = [
    (None, 5, "Bob", "later.csv", "practices", "failed", *[None] * 5, "Try again"),
    (None, 4, None, "not.csv", "referrals", "dropped", *[None] * 5, _DROPPED),
    (None, 3, "Bob", "same.csv", None, "unchanged", *[None] * 5, "Already loaded"),
    (None, 2, "Bob", "odd.csv", None, "refused", *[None] * 5, "odd.csv was refused"),
    (4, None, "Di", "scheme_areas.csv", "scheme_areas", "loaded", None, 2, 2, 0, 0, None),
    (3, None, "Cy", "june.csv", "list_sizes", "loaded", None, 2, 2, 0, 1, None),
    (2, 1, "Bob", "services.csv", "services", "loaded", "June", 13, 13, 1, 1, "a note\nanother"),
    (1, None, "Ann", "list_sizes.csv", "list_sizes", "loaded", None, 4, 4, 0, 1, None),
]
SHOWN = [
    "load_id", "job_id", "who", "file_name", "dataset", "state", "vintage", "rows_in", "rows_out",
    "rows_refused", "parts_in_force", "message",
]  # fmt: skip


def plain_rows(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    plain = frame.astype(object).where(frame.notna(), None)
    return list(plain.itertuples(index=False, name=None))


def numbered_from_one(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers of loads as if there had been no demonstration, which each database counts its way."""
    first = frame["load_id"].min()
    return frame.assign(load_id=frame["load_id"] - first + 1)


def test_the_history_tells_of_every_file_that_ended(told: Engine) -> None:
    found = history.history(told, EVERYTHING)
    assert plain_rows(numbered_from_one(found)[SHOWN]) == ROWS
    assert [name for name in found.columns if name not in SHOWN] == ["at", "sha256", "undone_at"]
    now = datetime.now(UTC)
    assert all(now - timedelta(minutes=10) < at <= now for at in found["at"])
    assert found["at"].is_monotonic_decreasing
    undone = found[found["undone_at"].notna()]
    assert list(undone["file_name"]) == ["scheme_areas.csv"]
    assert undone["undone_at"].iloc[0].tzinfo == UTC
    hashes = found.set_index("file_name")["sha256"]
    assert hashes["odd.csv"] == "odd.csvodd.csv"
    assert hashes["services.csv"] == b.services(b.SERVICES).sha256


@pytest.mark.parametrize("scope", [ONE_BOARD, Scope(frozenset())])
def test_a_reader_of_some_boards_is_told_of_published_files_only(
    told: Engine, scope: Scope
) -> None:
    """A refused file may be anybody's: it has no dataset yet."""
    found = history.history(told, scope)
    assert list(found["file_name"]) == ["later.csv", "june.csv", "list_sizes.csv"]
    assert len(history.problems(told, scope, 1)) == len(history.problems(told, scope, 2)) == 0
    assert set(history.periods_in_force(told, scope)["dataset"]) == {"list_sizes"}
    assert set(history.periods_in_force(told, EVERYTHING)["dataset"]) == {"list_sizes", "services"}
    assert not set(found["dataset"]) & set(loads.LOCAL_RETURNS)


def test_the_problems_of_a_file(told: Engine) -> None:
    pd.testing.assert_frame_equal(history.problems(told, EVERYTHING, 1), REFUSALS)
    only = REFUSALS[1:].reset_index(drop=True)
    pd.testing.assert_frame_equal(history.problems(told, EVERYTHING, 2), only)
    assert len(history.problems(told, EVERYTHING, 3)) == 0


def test_a_history_of_nothing_has_its_columns(any_engine: Engine) -> None:
    found = history.history(any_engine, EVERYTHING)
    assert (len(found), str(found["load_id"].dtype)) == (0, "Int64")
    assert set(SHOWN) < set(found.columns)


def test_the_periods_in_force(any_engine: Engine) -> None:
    b.Board().save(any_engine)
    # Its newest month is sent again: five months of two PCNs stay as they were.
    sent = b.Board(referrals=b.REFERRALS[:1], before_window=0).referral_return()
    save(any_engine, sent)
    found = history.periods_in_force(any_engine, EVERYTHING)
    mine = found[found["dataset"].isin(["referrals", "services", "list_sizes"])]
    first, newest = date(2025, 7, 1), date(2026, 6, 1)
    assert plain_rows(mine.drop(columns="loaded_at")) == [
        ("list_sizes", newest, newest, 1),
        ("referrals", date(2025, 6, 1), date(2025, 6, 30), 1),
        ("referrals", first, date(2025, 7, 31), 2),
        ("referrals", newest, date(2026, 6, 30), 2),
        ("services", None, None, 1),
    ]
    moments = mine[mine["dataset"] == "referrals"]["loaded_at"].tolist()
    assert moments[0] < moments[1] == moments[2]
    assert all(moment.tzinfo == UTC for moment in found["loaded_at"])
    assert list(found["dataset"]) == sorted(found["dataset"])


def test_what_a_load_would_replace(any_engine: Engine) -> None:
    many = [f"part {number}" for number in range(1_201)]
    save(any_engine, file_of((*many, "gone"), 1))
    save(any_engine, file_of(("gone",), 2))
    found = history.replaced_by_parts(any_engine, "list_sizes", [*many, "new"])
    assert Counter(found["row_count"]) == {ROWS_A_PART: 1_201}
    assert sorted(found["part_key"]) == sorted(many)
    assert len(history.replaced_by_parts(any_engine, "list_sizes", ["gone"])) == 1
    assert len(history.replaced_by_parts(any_engine, "practices", many)) == 0
    nothing = history.replaced_by_parts(any_engine, "list_sizes", [])
    assert (len(nothing), str(nothing["row_count"].dtype)) == (0, "int64")


def test_the_demonstration_is_not_replaced_part_by_part(any_engine: Engine) -> None:
    save(any_engine, file_of(KEYS, 1), is_demonstration=True)
    assert len(history.replaced_by_parts(any_engine, "list_sizes", list(KEYS))) == 0


def returns(engine: Engine, scope: Scope, since: date) -> set[tuple[str, str, date]]:
    found = history.pcn_returns(engine, scope, b.BOARD, since)
    rows = list(found[["dataset", "pcn_code", "month"]].itertuples(index=False, name=None))
    assert len(rows) == len(set(rows))
    return set(rows)


def test_what_each_pcn_returned(small_board_engine: Engine) -> None:
    june, newest = date(2025, 6, 1), date(2026, 6, 1)
    staff = {
        ("workforce", pcn, clean.parts["period_end"][0].replace(day=1))
        for clean in b.Board().censuses()
        for pcn, board in zip(
            clean.rows["workforce_return"]["pcn_code"],
            clean.rows["workforce_return"]["icb_code"],
            strict=True,
        )
        if board == b.BOARD
    }
    referred = {
        ("referrals", pcn, month)
        for pcn in (b.NORTH, b.SOUTH)
        for month in (date(2025, 7, 1), newest)
    }
    before = {("referrals", b.NORTH, june)}
    assert returns(small_board_engine, EVERYTHING, june) == staff | referred | before
    assert returns(small_board_engine, ONE_BOARD, june) == staff | referred | before
    since_july = {row for row in staff | referred if row[2] >= date(2025, 7, 1)}
    assert returns(small_board_engine, EVERYTHING, date(2025, 7, 1)) == since_july
    of_june = {row for row in staff | referred if row[2] == newest}
    assert returns(small_board_engine, EVERYTHING, newest) == of_june
    assert returns(small_board_engine, Scope(frozenset({b.NEIGHBOUR})), june) == set()


def test_a_return_that_was_undone_is_none(sqlite_engine: Engine) -> None:
    records = b.Board().save(sqlite_engine)
    since = date(2025, 6, 1)
    assert returns(sqlite_engine, EVERYTHING, since)
    for record in records:
        if record.dataset in ("workforce", "referrals"):
            undo(sqlite_engine, record.load_id, None)
    assert returns(sqlite_engine, EVERYTHING, since) == set()
