"""A checked file as messages: what was read comes back as it was, and a lying message runs nothing."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import intake
from dashboard.intake import staged
from dashboard.intake.dataset import refusals
from dashboard.intake.problems import Problem, RefusedError, UnknownFileError
from dashboard.intake.source import Source
from dashboard.intake.staged import LaterError, decode, encode, encode_refusal, later
from queries import load
from queries.load import CleanLoad, Reading, at_once
from tests.intake import files, more_files
from tests.intake.files import Lookups, whole

ROWS = pd.DataFrame(
    {
        "part_key": pd.array(["one", "two", "two"], dtype="str"),
        "text": pd.array(["", None, 'Ünï\t"quoted"\n'], dtype="str"),
        "whole": pd.array([1, None, -(2**60)], dtype="Int64"),
        "number": pd.array([0.1, None, 1e300], dtype="Float64"),
        "plain_whole": [1, 2, 3],
        "plain_number": [0.1, float("nan"), -0.0],
        "flag": [True, False, True],
        "said": pd.array([True, None, False], dtype="boolean"),
        "day": pd.Series([date(2020, 2, 29), None, date(2100, 12, 31)], dtype="object"),
        "shape": pd.Series([b"\x00\x01", b"", b"\xff" * 1000], dtype="object"),
        "nothing": pd.Series([None, None, None], dtype="object"),
    }
)
PARTS = pd.DataFrame(
    {
        "part_key": pd.array(["one", "two"], dtype="str"),
        "period_start": pd.Series([date(2026, 6, 1), None], dtype="object"),
        "period_end": pd.Series([date(2026, 6, 30), None], dtype="object"),
    }
)
PROBLEMS = (
    Problem("expected a number", 4, "age", "'ab…' (7 characters)"),
    Problem("the whole file"),
    Problem("a heading", None, "Ünï"),
)
CLEAN = CleanLoad(
    dataset="services",
    file_name="Ünï.csv",
    sha256="0" * 64,
    rows_read=3,
    parts=PARTS,
    rows={"service": ROWS, "service_area": ROWS[:0]},
    vintage="June",
    notes=("one", "Ünï"),
    refused=refusals(PROBLEMS),
    rows_refused=2,
)


def blocks(reading: Reading) -> tuple[list[tuple[str, pd.DataFrame]], CleanLoad]:
    """The blocks of a reading in their order, and its end."""
    found: list[tuple[str, pd.DataFrame]] = []
    while True:
        try:
            found += next(reading).items()
        except StopIteration as end:
            return found, end.value


def assert_same(found: pd.DataFrame | None, expected: pd.DataFrame | None) -> None:
    """The same values with the same types, under row numbers of its own."""
    assert found is not None
    assert expected is not None
    pd.testing.assert_frame_equal(found, expected.reset_index(drop=True))


def test_every_type_comes_back() -> None:
    found, clean = blocks(decode(encode(at_once(CLEAN))))
    assert [table for table, _ in found] == ["service", "service_area"]
    for _, frame in found[:1]:
        assert_same(frame, ROWS)
        assert [type(day) for day in frame["day"]] == [date, type(None), date]
        assert [type(shape) for shape in frame["shape"]] == [bytes] * 3
    empty = found[1][1]
    assert (list(empty.columns), len(empty)) == (list(ROWS.columns), 0)
    typed = [name for name in ROWS if ROWS[name].dtype != object]
    assert empty[typed].dtypes.to_dict() == ROWS[typed].dtypes.to_dict()
    assert_same(clean.parts, PARTS)
    assert_same(clean.refused, refusals(PROBLEMS))
    same = {"parts": PARTS, "rows": {}, "refused": None}
    assert replace(clean, **same) == replace(CLEAN, **same)


def test_blocks_stay_apart_and_in_order() -> None:
    def reading() -> Reading:
        yield {"service": ROWS[2:], "service_area": ROWS[:1]}
        yield {"service": ROWS[:2]}
        return replace(CLEAN, rows={"service_theme": ROWS}, refused=None, rows_refused=0)

    found, clean = blocks(decode(encode(reading())))
    assert [(table, len(frame)) for table, frame in found] == [
        ("service", 1), ("service_area", 1), ("service", 2), ("service_theme", 3),
    ]  # fmt: skip
    assert_same(found[0][1], ROWS[2:])
    assert (len(clean.refused), clean.rows_refused) == (0, 0)


def as_kept(frame: pd.DataFrame) -> dict[str, list[object]]:
    """The values as the database takes them, to whom NaN and None are the same."""
    return {str(name): load._values(frame[name]) for name in frame}


def one_of_each_file() -> Iterable[str]:
    return [
        getattr(module, name)
        for module in (files, more_files)
        for name in sorted(vars(module))
        if name.isupper() and isinstance(getattr(module, name), str)
    ]


@pytest.mark.usefixtures("one_postcode")
@pytest.mark.parametrize("text", one_of_each_file(), ids=lambda text: text[:20].strip())
def test_every_known_file_comes_back(text: str) -> None:
    """What the readers make, whatever types they make it of."""
    source = Source.of("file.csv", text.encode())
    try:
        expected = whole(intake.read(source, Lookups()))
    except RefusedError:
        pytest.skip("a piece of a file")
    found = whole(decode(encode(intake.read(source, Lookups()))))
    assert list(found.rows) == list(expected.rows)
    for table, rows in [*expected.rows.items(), ("", expected.parts)]:
        came = found.rows[table] if table else found.parts
        assert as_kept(came) == as_kept(rows)
    same = {"parts": PARTS, "rows": {}, "refused": None}
    assert replace(found, **same) == replace(expected, **same)


@given(
    st.lists(
        st.builds(
            Problem,
            st.text(max_size=20),
            st.none() | st.integers(1, 2**40),
            st.none() | st.text(max_size=20),
            st.none() | st.text(max_size=20),
        ),
        max_size=5,
    ),
    st.text(max_size=20),
)
def test_a_refusal_comes_back(problems: list[Problem], name: str) -> None:
    with pytest.raises(RefusedError) as caught:
        next(decode([encode_refusal(RefusedError(name, problems))]))
    assert caught.value.file_name == name
    assert caught.value.problems == tuple(problems)
    assert type(caught.value) is RefusedError


def test_a_refusal_of_an_unknown_file_brings_its_columns() -> None:
    unknown = Source.of("odd.csv", b"colour,weight\nred,2\n")
    with pytest.raises(UnknownFileError) as expected:
        intake.read(unknown, Lookups())
    with pytest.raises(UnknownFileError) as caught:
        next(decode([encode_refusal(expected.value)]))
    assert (caught.value.problems, caught.value.columns) == (
        expected.value.problems,
        expected.value.columns,
    )
    assert caught.value.columns


def test_a_refusal_after_some_rows_is_a_refusal() -> None:
    messages = [*list(encode(at_once(CLEAN)))[:1], encode_refusal(RefusedError("a", PROBLEMS))]
    reading = decode(messages)
    next(reading)
    with pytest.raises(RefusedError):
        next(reading)


def test_a_file_to_be_read_later() -> None:
    with pytest.raises(LaterError):
        next(decode([later()]))


@pytest.mark.parametrize("kept", range(4))
def test_messages_that_end_before_their_end(kept: int) -> None:
    messages = list(encode(at_once(CLEAN)))
    assert len(messages) == 4
    with pytest.raises(ValueError, match="ends in the middle: check it again"):
        blocks(decode(messages[:kept]))


def test_a_message_is_much_the_same_after_it_was_kept() -> None:
    """What is kept of a file is this, so it must not grow or name where it was made."""
    messages = list(encode(at_once(CLEAN)))
    assert messages == list(encode(at_once(CLEAN)))
    assert all(str(Path.cwd()).encode() not in message for message in messages)


# Messages of somebody who lies.


class _Trap:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):  # type: ignore[no-untyped-def]
        return Path.touch, (self.path,)


def message(kind: str | None, said: object, frame: pd.DataFrame = ROWS) -> bytes:
    """A message as anybody could write it."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    told = {} if kind is None else {b"kind": kind, b"said": json.dumps(said)}
    out = io.BytesIO()
    schema = table.schema.with_metadata({**(table.schema.metadata or {}), **told})
    with pa.ipc.new_stream(out, schema) as sink:
        sink.write_table(table)
    return out.getvalue()


def assert_refused(lie: bytes) -> None:
    with pytest.raises(ValueError, match=r"^the checked file can't be read: check it again$"):
        blocks(decode([lie]))


@pytest.mark.parametrize("as_is", [True, False])
def test_a_pickle_is_not_run(tmp_path: Path, as_is: bool) -> None:
    trap = pickle.dumps(_Trap(tmp_path / "touched"))
    pickle.loads(trap)  # the trap works
    assert (tmp_path / "touched").exists()
    (tmp_path / "touched").unlink()
    good = next(encode(at_once(CLEAN)))
    assert_refused(trap if as_is else good[:8] + trap)
    # As the value of a cell it stays bytes.
    cells = pd.DataFrame({"part_key": ["one"], "shape": [trap]})
    found = next(decode([message("rows", {"table": "service"}, cells)]))
    assert found["service"]["shape"].tolist() == [trap]
    assert not (tmp_path / "touched").exists()


def test_a_pickle_in_what_a_message_says_of_its_columns_is_not_run(tmp_path: Path) -> None:
    """Arrow lets a column name a type of its own: one it does not know is left as it is stored."""
    trap = pickle.dumps(_Trap(tmp_path / "touched"))
    field = pa.field(
        "shape",
        pa.binary(),
        metadata={
            b"ARROW:extension:name": b"arrow.py_extension_type",
            b"ARROW:extension:metadata": trap,
        },
    )
    schema = pa.schema([field], metadata={b"kind": b"rows", b"said": b'{"table": "service"}'})
    out = io.BytesIO()
    with pa.ipc.new_stream(out, schema) as sink:
        sink.write_table(pa.table([[b"x"]], schema=schema))
    # Whether it is refused or read as bytes: nothing runs.
    with suppress(ValueError):
        list(decode([out.getvalue()]))
    assert not (tmp_path / "touched").exists()


@given(st.binary(max_size=200))
def test_random_bytes(lie: bytes) -> None:
    assert_refused(lie)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_message_with_a_changed_byte(place: int, change: int) -> None:
    """It is refused, or one value of it is another: never anything else."""
    good = bytearray(message("rows", {"table": "service"}))
    good[place % len(good)] ^= change
    with suppress(ValueError):
        blocks(decode([bytes(good)]))


@given(st.integers(0, 5_000))
def test_a_message_that_is_cut(at: int) -> None:
    good = message("rows", {"table": "service"})
    assert_refused(good[: at % len(good)])


@pytest.mark.parametrize(
    "lie",
    [
        message(None, None),
        message("nonsense", {}),
        message("rows", {}),
        message("rows", []),
        message("rows", None),
        message("refused", {}),
        message("refused", {"file_name": "a"}),
        message("refused", {"file_name": "a", "columns": 3}, refusals([])),
        message("left out", {}),
        message("end", {}),
        message("end", {"notes": 3}),
        message("end", {"notes": [], "is_demonstration": True}),
        message("end", "text"),
    ],
)
def test_a_message_of_another_kind(lie: bytes) -> None:
    assert_refused(lie)


def test_what_comes_after_the_end_is_not_read() -> None:
    found, _ = blocks(decode([*encode(at_once(CLEAN)), b"nonsense"]))
    assert len(found) == 2


def test_a_message_says_what_it_is() -> None:
    kinds = [staged._read(one)[0] for one in encode(at_once(CLEAN))]
    assert kinds == ["rows", "rows", "left out", "end"]
