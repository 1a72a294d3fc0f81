"""What a board showed, as it is kept with a meeting: the same when it is read again, whatever its
names, and nothing hidden in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from dashboard import data
from dashboard.rules.changes import return_changes, service_changes, target_changes, ward_changes
from dashboard.rules.coverage import Status
from dashboard.rules.freshness import Freshness
from dashboard.rules.returns import ReturnState
from dashboard.seen import FORMS, Seen, seen
from dashboard.services import board_services
from dashboard.settings import settings
from dashboard.this_week_words import looked_at
from queries.scope import EVERYTHING, Scope
from tests import small_board as b
from tests.small_board import AS_AT, BOARD, Referrals
from tests.test_this_week import NOW, Use, changed, chosen, meet, use, week_one

__all__ = ["use"]  # a fixture

MOMENT = datetime(2026, 7, 7, 9, 30, 15, 123_456, tzinfo=UTC)
COMPARED = {"wards": ward_changes, "networks": target_changes, "services": service_changes,
            "returns": return_changes}  # fmt: skip
CHOSEN = {"status": Status, "freshness": Freshness, "state": ReturnState}

names = st.text(max_size=12) | st.sampled_from(
    ("nan", "None", "null", "<b>&\"'", "{}", "A\u2028B", "St. Mary’s", "-0", "1e5", "NaN", "é")
)


@st.composite
def tables(draw: st.DrawFn) -> dict[str, pd.DataFrame]:
    """Any names, any number missing; keys once each."""
    made = {}
    for name, types in FORMS.items():
        count = draw(st.integers(0, 4))
        columns: dict[str, Any] = {}
        for column, dtype in types.items():
            values: st.SearchStrategy[Any] = {
                "Int64": st.none() | st.integers(0, 10**9),
                "Float64": st.none() | st.floats(0, 1e6),
                "boolean": st.none() | st.booleans(),
                "str": st.none() | names,
            }[dtype]
            if column in CHOSEN:
                values = st.sampled_from([each.value for each in CHOSEN[column]])
            cells = draw(st.lists(values, min_size=count, max_size=count))
            if column in ("ward_code", "pcn_code", "service_key"):
                cells = [f"{place} {cell}" for place, cell in enumerate(cells)]
            columns[column] = pd.Series(cells, dtype=object).astype(dtype)
        made[name] = pd.DataFrame(columns, columns=list(types))
    return made


def kept(made: dict[str, pd.DataFrame]) -> Seen:
    return Seen(AS_AT, MOMENT, "nhs", False, made, {"workforce": date(2026, 6, 30)})


def assert_same(one: Seen, other: Seen) -> None:
    assert replace(one, tables={}) == replace(other, tables={})
    assert list(one.tables) == list(other.tables) == list(FORMS)
    for name in FORMS:
        pd.testing.assert_frame_equal(one.tables[name], other.tables[name])


@given(tables())
def test_what_is_kept_is_read_again(made: dict[str, pd.DataFrame]) -> None:
    text = kept(made).to_json()
    # Strict JSON: no NaN, which a database or another reader may refuse.
    json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert_same(Seen.from_json(text), kept(made))
    assert Seen.from_json(text).to_json() == text


@given(tables())
def test_compared_with_itself_nothing_changed(made: dict[str, pd.DataFrame]) -> None:
    before = Seen.from_json(kept(made).to_json())
    for name, compare in COMPARED.items():
        assert compare(before.tables[name], made[name]) == []


def whole() -> dict[str, pd.DataFrame]:
    """One row of each table, with nothing missing."""
    values = {
        "wards": ("E1", "Abbey", "E7", "Northam", Status.LOW, 5_000, 80.5),
        "networks": ("U1", "North", "E7", 4.0, 5.0, 8_000),
        "services": ("k", "Garden", "Together", False, Freshness.FRESH, 10, ""),
        "returns": ("referrals", "Referrals", "U1", "North", 8_000, "May 2026", "received"),
    }
    return {
        name: pd.DataFrame([values[name]], columns=list(types)).astype(dict(types))
        for name, types in FORMS.items()
    }


def of_an_older_version(left_out: str) -> Seen:
    """What a version kept that did not know this column of this table yet."""
    table, column = left_out.split(".")
    said = json.loads(kept(whole()).to_json())
    place = said["tables"][table]["columns"].index(column)
    del said["tables"][table]["columns"][place]
    for row in said["tables"][table]["data"]:
        del row[place]
    return Seen.from_json(json.dumps(said))


KEYS = {"wards": "ward_code", "networks": "pcn_code", "services": "service_key"}
# Without these there is nothing to compare: they were kept from the first.
NEVER_NEW = (
    "wards.status",
    "returns.state",
    "returns.dataset",
    "returns.pcn_code",
    "returns.month",
)
COLUMNS = [
    f"{name}.{column}"
    for name, types in FORMS.items()
    for column in types
    if column != KEYS.get(name) and f"{name}.{column}" not in NEVER_NEW
]


@pytest.mark.parametrize("left_out", COLUMNS)
def test_a_column_that_an_older_version_did_not_keep_is_no_change(left_out: str) -> None:
    """What was not kept is not known: it is missing, and nothing can be told to have changed."""
    table, column = left_out.split(".")
    before = of_an_older_version(left_out)
    assert list(before.tables[table].columns) == list(FORMS[table])
    assert before.tables[table][column].isna().all()
    full = {name: frame.assign(is_full=True) if name == "services" else frame
            for name, frame in whole().items()}  # fmt: skip
    for now in (whole(), full if left_out == "services.is_full" else whole()):
        assert COMPARED[table](before.tables[table], now[table]) == []


# Of a real board.


@pytest.mark.slow
def test_a_board_as_it_is_shown(use: Use) -> None:
    engine = use(lambda engine: b.Board().save(engine))
    found = seen(engine, EVERYTHING, BOARD, AS_AT, False)
    assert_same(Seen.from_json(found.to_json()), found)
    assert (found.as_at, found.profile) == (AS_AT, "nhs")
    assert found.told_to == {"workforce": AS_AT, "referrals": date(2026, 6, 1)}
    assert 0 <= (datetime.now(UTC) - found.taken_at).total_seconds() < 60
    wards = found.tables["wards"].set_index("ward_code")
    assert wards["status"].to_dict() == {
        b.ABBEY: "High take-up", b.BROOK: "As expected", b.CASTLE: "No provision",
        b.DALE: "Provided, take-up hidden", b.ELM: "No provision", b.FORD: "No return",
    }  # fmt: skip
    assert (
        wards["people"].drop(b.FORD).tolist() == wards.loc[wards.index != b.FORD, "people"].tolist()
    )
    assert pd.isna(wards.loc[b.FORD, "people"])
    networks = found.tables["networks"].set_index("pcn_code")
    assert networks.loc[b.NORTH, ["fte", "aim_fte", "people"]].tolist() == [4.0, 5.0, 8_000]
    assert pd.isna(networks.loc[b.EAST, "fte"])
    services = found.tables["services"].set_index("service_name")
    assert services["is_full"].to_dict() == {
        "Garden": False, "Choir": True, "Helpline": False, "Old List": False
    }  # fmt: skip
    assert services.loc["Choir", "ends_soon"] == "ends on 30 September 2026"
    returns = found.tables["returns"]
    assert (len(returns), returns["month"].nunique()) == (2 * 3 * 6, 6)


@pytest.mark.slow
def test_a_service_that_is_placed_nowhere_is_not_kept(use: Use) -> None:
    """It may be another area's: what becomes of it is no news here."""
    nowhere = b.Service("nowhere", ())
    board = b.Board(services=(*b.SERVICES, nowhere))
    engine = use(lambda engine: board.save(engine))
    listed = board_services(engine, EVERYTHING, BOARD, AS_AT).listed
    assert "Nowhere" in set(listed["service_name"])
    kept = seen(engine, EVERYTHING, BOARD, AS_AT, False).tables["services"]
    assert sorted(kept["service_name"]) == ["Choir", "Garden", "Helpline", "Old List"]


@pytest.mark.slow
def test_another_boards_reader_sees_nothing(use: Use) -> None:
    engine = use(lambda engine: b.Board().save(engine))
    found = seen(engine, Scope(frozenset({b.NEIGHBOUR})), BOARD, AS_AT, False)
    assert [len(found.tables[name]) for name in ("wards", "networks", "returns")] == [0, 0, 0]


@pytest.mark.slow
def test_no_hidden_number_is_kept(use: Use) -> None:
    """Dale has 3 referrals, of South's 3: in no table and under no name, and what is there does not
    differ by how many there are."""

    def board(few: int) -> b.Board:
        sent = (*b.REFERRALS[:2], Referrals(b.DALE, b.SOUTH, (0, 0, 0, few)))
        return b.Board(referrals=sent, needs={}, budgets=False)

    texts = []
    for few in (3, 5):
        engine = use(lambda engine, few=few: board(few).save(engine))
        found = seen(engine, EVERYTHING, BOARD, AS_AT, False)
        dale = found.tables["wards"].set_index("ward_code").loc[b.DALE]
        assert (dale["status"], pd.isna(dale["smoothed"])) == ("Provided, take-up hidden", True)
        texts.append(re.sub(r'"taken_at": "[^"]*"', "", found.to_json()))
    assert texts[0] == texts[1]
    said = json.loads(texts[0].replace("{, ", "{").replace(", ,", ","))
    assert not [
        column
        for frame in said["tables"].values()
        for column in frame["columns"]
        if "referral" in column or "expected" in column or "observed" in column
    ]


@pytest.mark.slow
def test_another_disclosure_profile_is_said(use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = use(week_one)
    since = meet(engine, NOW)
    words = "The disclosure profile was another one then: numbers are not comparable."
    assert words not in looked_at(changed(engine, since, chosen(NOW)), "")
    monkeypatch.setenv("DASHBOARD_DISCLOSURE_PROFILE", "lt6")
    settings.cache_clear()
    # Kept answers are of the profile of a process, which does not change.
    data._shared.cache_clear()
    found = changed(engine, since, chosen(NOW))
    assert (found.before.profile, found.now.profile) == ("nhs", "lt6")
    assert words in looked_at(found, "")
    data._shared.cache_clear()


@pytest.mark.slow
@pytest.mark.parametrize("day", [1, 15, 31])
def test_returns_that_had_come_by_a_day(
    use: Use, day: int, loaded: Callable[[Engine, dict[str, int]], None]
) -> None:
    """The census of May came on 15 July: before, nothing of it was there."""
    engine = use(week_one)
    loaded(engine, {"census May.csv": 15, "to may.csv": 1})
    known_by = datetime(2026, 7, day, 23, 59, tzinfo=UTC)
    found = seen(engine, EVERYTHING, BOARD, date(2026, 7, 31), False, known_by)
    rows = found.tables["returns"]
    may = rows[(rows["month"] == "May 2026") & (rows["pcn_code"] == b.NORTH)]
    assert dict(zip(may["dataset"], may["state"], strict=True)) == {
        "workforce": "received" if day >= 15 else "never loaded", "referrals": "received"
    }  # fmt: skip


@pytest.fixture
def loaded() -> Callable[[Engine, dict[str, int]], None]:
    from tests.test_this_week import loaded_on

    return loaded_on
