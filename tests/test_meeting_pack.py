"""The pack for a meeting: every table by hand, marks in place of numbers, and for whom."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from dashboard import __version__
from dashboard.filters import Area
from dashboard.meeting_pack import NO_PACK, asked_by, changed_since, choices_of, meeting_pack
from dashboard.pack.content import (
    HIDDEN,
    MISSING,
    NOT_APPLICABLE,
    Pack,
    Page,
    Table,
    Value,
    from_json,
    to_json,
)
from dashboard.pack_page import LONGEST_FINDING, MOST_FILES, Asked, headline, page, told
from dashboard.settings import settings
from queries.database import make_engine
from queries.scope import EVERYTHING, Scope
from tests.outcome_board import loaded
from tests.small_board import (
    AS_AT,
    BOARD,
    GORSE_PCN,
    NEIGHBOUR,
    NORTH,
    NORTHAM,
    OUTSIDER_ICB,
    SOUTH,
    SOUTHAM,
    Board,
)
from tests.test_take_up import BOARD as TOLD

pytestmark = pytest.mark.usefixtures("settings_as_shipped")

AREA = Area(BOARD, AS_AT)
NO_PEOPLE = "no population for this ward's code"
NOTHING = Board(
    populations=False, registered=False, practices=False, workforce=False, deprivation=False,
    schemes=(), services=(), needs={}, referrals=(), posts=(), targets=(), plans=(), budgets=False,
    times={},
)  # fmt: skip


@pytest.fixture(scope="module")
def small_path(tmp_path_factory: pytest.TempPathFactory, upgraded_file: Path) -> Path:
    """The small board as it is: read it only."""
    return _filled(upgraded_file, tmp_path_factory.mktemp("pack"), Board())


def _filled(upgraded_file: Path, folder: Path, board: Board) -> Path:
    path = Path(shutil.copy(upgraded_file, folder / f"board-{len(list(folder.iterdir()))}.db"))
    engine = make_engine(f"sqlite:///{path.as_posix()}")
    board.save(engine)
    engine.dispose()
    return path


@pytest.fixture
def small(use_database: Callable[[Path], Engine], small_path: Path) -> Engine:
    return use_database(small_path)


def pack_of(engine: Engine, area: Area = AREA, since: str = "2026-05-31") -> Pack:
    made = meeting_pack(engine, EVERYTHING, area, since)
    assert made is not None
    return made


def the(pack: Pack, subject: str) -> Page:
    (found,) = (page for page in pack.pages if page.subject == subject)
    return found


def rows_of(table: Table) -> dict[Value, tuple[Value, ...]]:
    """The rows by their names, without them."""
    return {row[0]: row[1:] for row in table.rows}


# Every page by hand; `tests.small_board` has the sums.


def test_coverage_by_hand(small: Engine) -> None:
    """Dale's 3 referrals are hidden; of Ford nobody told anything."""
    found = the(pack_of(small), "Coverage")
    assert found.finding == (
        "2 of 6 wards have no provision; 7,500 people live there. 1 of them by a scheme return, 1 "
        "inferred from the workforce"
    )
    assert found.period == "Workforce census 30 June 2026; referrals Jul 2025 to Jun 2026"
    (table,) = found.tables
    assert [column.title for column in table.columns] == [
        "Ward", "Locality", "Status", "Reason", "People", "FTE per 10,000", "Referrals, 12 months",
        "Take-up ratio", "Not known because",
    ]  # fmt: skip
    unknown = f"{NO_PEOPLE}; no workforce return from East PCN; no referral return from East PCN"
    assert {name: (row[1], *row[3:]) for name, row in rows_of(table).items()} == {
        "Abbey": ("High take-up", 5000, 2.0, 40, 200.0, ""),
        "Brook": ("As expected", 10000, 1.0, 40, 100.0, ""),
        "Castle": ("No provision", 5000, 1.0, 15, 75.0, ""),
        "Dale": ("Provided, take-up hidden", 2500, 2.0, HIDDEN, HIDDEN, ""),
        "Elm": ("No provision", 2500, 0.0, 0, 0.0, ""),
        "Ford": ("No return", MISSING, MISSING, MISSING, MISSING, unknown),
    }


def test_statuses_add_up_to_the_wards(small: Engine) -> None:
    found = the(pack_of(small), "Wards by status")
    assert found.finding == (
        "2 of 6 wards lack a route in, a link worker or something to refer to; 1 could not be judged"
    )
    assert rows_of(found.tables[0]) == {
        "No provision": (2, 7500, 0),
        "No return": (1, MISSING, 1),
        "Provided, take-up hidden": (1, 2500, 0),
        "As expected": (1, 10000, 0),
        "High take-up": (1, 5000, 0),
    }
    assert found.chart is not None
    assert found.chart.categories == tuple(rows_of(found.tables[0]))
    assert found.chart.series[0].values == (2.0, 1.0, 1.0, 1.0, 1.0)


def test_the_map_never_tells_by_colour_alone(small: Engine) -> None:
    """Six wards and one of the neighbour, without a colour; Ford hatched, Dale dotted."""
    found = the(pack_of(small), "Coverage").map
    assert found is not None
    assert found.key == (
        ("#5B1A2E", "No provision", 2),
        ("#FFFFFF", "No return (hatched)", 1),
        ("#BFC5CA", "Provided, take-up hidden (dotted)", 1),
        ("#9DC3E6", "As expected", 1),
        ("#2E75B6", "High take-up", 1),
    )
    assert found.svg.count('fill="#5B1A2E"') == 2
    for texture in ("hatched", "dotted"):
        assert found.svg.count(f'fill="url(#{texture})"') == 1
        assert found.svg.count(f'<pattern id="{texture}"') == 1
    assert found.alt == (
        "Map of Small board · as at 30 June 2026: 6 wards by provision status. No provision: 2; No "
        "return (hatched): 1; Provided, take-up hidden (dotted): 1; As expected: 1; High take-up: 1. "
        "The table has every ward."
    )


def test_the_map_of_a_locality_colours_its_wards_alone(small: Engine) -> None:
    found = the(pack_of(small, replace(AREA, lad_code=NORTHAM)), "Coverage").map
    assert found is not None
    assert [(label, number) for _, label, number in found.key] == [
        ("No provision", 1), ("As expected", 1), ("High take-up", 1),
    ]  # fmt: skip
    assert "url(#hatched)" not in found.svg


def test_link_workers_by_hand(small: Engine) -> None:
    """East returned nothing: it has no 0. North's mean needs 6 months of the 12."""
    found = the(pack_of(small), "Link workers")
    assert found.finding == (
        "4.0 FTE in post in 2 networks; 2 of 2 with a target or a plan are short of it, by 2.0 FTE "
        "together"
    )
    assert rows_of(found.tables[0]) == {
        "South PCN": ("Southam", 0.0, 1.0, 1.0, 0.0, 0.0, 20, NOT_APPLICABLE, ""),
        "North PCN": ("Northam", 4.0, 5.0, 1.0, 1.5, 5.0, 80, MISSING,
                      "its workforce was not returned in most of these months"),
        "East PCN": ("Southam", *[MISSING] * 7,
                     "no workforce return; no target and no plan; posts not returned; no referral "
                     "return"),
    }  # fmt: skip
    assert found.chart is not None
    assert {series.name: (series.role, series.values) for series in found.chart.series} == {
        "FTE in post": ("value", (0.0, 4.0, None)),
        "Target or plan": ("target", (1.0, 5.0, None)),
    }


def test_months_that_nobody_told_are_gaps(small: Engine) -> None:
    """North returned in November (1.0) and June (4.0); in July 2 and 1 people came: hidden."""
    pack = pack_of(small)
    fte, referred = the(pack, "FTE in post by month"), the(pack, "New referrals by month")
    assert fte.chart is not None
    assert referred.chart is not None
    assert len(fte.chart.categories) == len(referred.chart.categories) == 24
    known = dict(zip(fte.chart.categories, fte.chart.series[0].values, strict=True))
    assert {month: value for month, value in known.items() if value is not None} == {
        "Nov 2025": 1.0, "Jun 2026": 4.0,
    }  # fmt: skip
    # With two points there are no limits; the target is North's.
    assert [series.role for series in fte.chart.series] == ["value", "mean", "target"]
    assert fte.chart.series[1].values[-1] == 2.5
    came = dict(zip(referred.chart.categories, referred.chart.series[0].values, strict=True))
    assert [came[month] for month in ("Jun 2025", "Jul 2025", "Aug 2025", "Jun 2026")] == [
        None, None, 0.0, 100.0,
    ]  # fmt: skip
    months = rows_of(referred.tables[0])
    assert months["Jul 2025"][0] == HIDDEN
    assert months["Jun 2025"] == (MISSING, MISSING, "no return")
    assert next(iter(months)) == "Jun 2026"


def test_limits_of_a_whole_series(
    use_database: Callable[[Path], Engine], upgraded_file: Path, tmp_path: Path
) -> None:
    """One FTE up and down for 24 months: the mean 1.5, 2.66 times a range of 1 around it."""
    board = Board(monthly={NORTH: (1.0, 2.0) * 12, SOUTH: (0.0,) * 24}, targets=(), plans=())
    found = the(
        pack_of(use_database(_filled(upgraded_file, tmp_path, board))), "FTE in post by month"
    )
    assert found.chart is not None
    lines = {series.name: series for series in found.chart.series}
    assert {name: (line.role, line.values[0]) for name, line in lines.items()} == {
        "FTE in post": ("value", 1.0),
        "Mean": ("mean", 1.5),
        "Lower limit": ("limit", pytest.approx(1.5 - 2.66)),
        "Upper limit": ("limit", pytest.approx(1.5 + 2.66)),
    }


def test_gaps_by_hand(small: Engine) -> None:
    """Brook and Castle have the choir, which is full; of Dale 3 were referred, 1 without a service."""
    found = the(pack_of(small), "Gaps by need")
    by_need, every = found.tables
    assert rows_of(by_need)["Loneliness"] == (0, 2, 3, 1)
    assert rows_of(by_need)["Housing"] == (6, 0, 0, 0)
    assert found.chart is not None
    assert (found.chart.kind, len(found.chart.categories)) == ("stacked", 14)
    # In each need each of the six wards is in one state.
    assert {
        sum(values) for values in zip(*(s.values for s in found.chart.series), strict=True)
    } == {6.0}
    assert len(every.rows) == 6 * 14
    cells = {(row[0], row[2]): row[3:] for row in every.rows}
    assert cells["Brook", "loneliness"] == ("full", 1, 1, 0, 30, 0)
    assert cells["Dale", "loneliness"][-2:] == (HIDDEN, HIDDEN)
    assert cells["Ford", "loneliness"][-2:] == (MISSING, MISSING)
    assert cells["Abbey", "money and debt"][-2:] == (10, 10)
    assert every.rows[0][:3] == ("Brook", "Northam", "loneliness")


def test_funding_by_hand(small: Engine) -> None:
    found = the(pack_of(small), "Funding that ends")
    assert found.finding == "Funding of 1 service in 3 wards ends by September 2026: 8 places"
    ending, months = found.tables
    assert rows_of(ending) == {
        "Choir": ("Together CIC", "loneliness", "30 September 2026", 3, 8)
    }  # fmt: skip
    assert rows_of(months) == {"Sep 2026": (1, 1, 3, 8, 0)}


def test_where_to_fund_by_hand(small: Engine) -> None:
    """Of Elm 10 were expected and none came, of Castle 20 and 15; Dale's count is a range."""
    found = the(pack_of(small), "Where to fund next")
    wards, sites = found.tables
    need = {name: (row[2], row[-1]) for name, row in rows_of(wards).items()}
    assert need == {
        "Elm": (10.0, ""),
        "Dale": (6.0, "about: the count is hidden, and counts as the middle of its range"),
        "Castle": (5.0, ""),
        "Abbey": (0.0, ""),
        "Brook": (0.0, ""),
        "Ford": (MISSING, "not known: nobody told us enough"),
    }
    assert found.chart is not None
    assert found.chart.categories == ("Elm", "Dale", "Castle")
    assert rows_of(sites) == {
        "Elm": ("new place", 10.0, 50000.0, 5000.0),
        "Castle": ("new place", 5.0, 50000.0, 10000.0),
    }


def test_commitments_by_hand(small: Engine) -> None:
    """Of two groups of budgets one is hidden in the return: so are both together."""
    (table,) = the(pack_of(small), "National commitments").tables
    found = {name: row[3:5] for name, row in rows_of(table).items()}
    assert found["1,000 link workers"] == (pytest.approx(1000 * 14_500 / 63_919_527, abs=1e-6), 2.0)
    assert found["A link worker in every network"] == (2.0, 1.0)
    assert found["100,000 personal health budgets"][1] == HIDDEN
    assert found["2.5 million people with personalised care"] == (NOT_APPLICABLE, MISSING)


@pytest.mark.slow
def test_pathway_and_take_up_by_hand(
    use_database: Callable[[Path], Engine], tmp_path: Path, upgraded_file: Path
) -> None:
    """The board of `tests.test_take_up`: 200 referred, 185 contacted; Castle and Elm are low."""
    loaded(upgraded_file, tmp_path, TOLD).dispose()
    pack = pack_of(use_database(tmp_path / "outcomes.db"))
    pathway, take_up = the(pack, "From referral to benefit"), the(pack, "Take-up")
    steps = rows_of(pathway.tables[0])
    assert steps["Referred"] == (200, *[NOT_APPLICABLE] * 5, "")
    assert steps["Contacted"][:4] == (185, 200, 0, 92.5)
    assert pathway.chart is not None
    assert pathway.chart.series[0].values == (200.0, 200.0, *[185.0] * 5)
    wards = rows_of(take_up.tables[0])
    assert wards["Castle"][1:] == (
        "below the 95% limit", 25, 40.0, 62.5, "not offered", 13.875, "no named lead", "",
    )  # fmt: skip
    assert wards["Abbey"][1:] == (
        "above the 95% limit", 60, 40.0, 150.0, NOT_APPLICABLE, NOT_APPLICABLE, "no named lead", "",
    )  # fmt: skip
    assert wards["Ford"][1:4] == ("set apart", MISSING, MISSING)
    lost = rows_of(take_up.tables[1])
    assert take_up.chart is not None
    assert take_up.chart.categories == tuple(lost)
    assert lost["no link worker"][1] == pytest.approx(20)


# What every page has, and nothing that is hidden.


def test_every_page_says_what_it_means_and_rests_on(small: Engine) -> None:
    pack = pack_of(small)
    files = {name for _, name, _ in pack.sources}
    for each in pack.pages:
        # What was decided rests on no file.
        is_ours = each.subject == "Actions"
        assert bool(each.definitions) == bool(each.sources) == (not is_ours), each.subject
        assert set(each.sources) <= files
        assert each.link.startswith(f"/{each.key}?icb={BOARD}&as_at={AS_AT}")
        assert each.finding, each.subject
        assert "**" not in " ".join((each.finding, *each.sentences))
        assert each.period, each.subject
        for table in each.tables:
            assert {len(row) for row in table.rows} == {len(table.columns)}
    assert {(d, len(sha256)) for d, _, sha256 in pack.sources if d == "referrals"} == {
        ("referrals", 64)
    }
    assert from_json(to_json(pack)) == pack


def test_a_hidden_count_is_a_mark_in_every_table(small: Engine) -> None:
    """Dale is the only ward with so few: of its referrals there is a mark, never a number."""
    marked = [
        (each.subject, column.title)
        for each in pack_of(small).pages
        for table in each.tables
        for row in table.rows
        for column, value in zip(table.columns, row, strict=True)
        if row[0] == "Dale" and value == HIDDEN
    ]
    assert marked == [
        ("Coverage", "Referrals, 12 months"),
        ("Coverage", "Take-up ratio"),
        ("Gaps by need", "Referred, 12 months"),
        ("Gaps by need", "Closed without a service"),
        ("Take-up", "Referrals, 12 months"),
        ("Take-up", "Expected"),
        ("Take-up", "Ratio"),
    ]


def test_a_part_nobody_returned_says_so(
    use_database: Callable[[Path], Engine], upgraded_file: Path, tmp_path: Path
) -> None:
    pack = pack_of(use_database(_filled(upgraded_file, tmp_path, NOTHING)))
    assert {each.subject: each.finding for each in pack.pages} == {
        "Coverage": "6 wards could not be judged: no scheme return to say so for 6 wards, workforce "
        "not returned for 6 wards, services not returned for 6 wards",
        "Wards by status": "0 of 6 wards lack a route in, a link worker or something to refer to; 6 "
        "could not be judged",
        "Link workers": "No workforce return is loaded for this board: nothing is known of its "
        "networks",
        "FTE in post by month": "No workforce return of these networks is loaded for these months",
        "New referrals by month": "No referrals by month: no referral return",
        "Gaps by need": "Nobody has returned services for this board: what needs can be met is not "
        "known",
        "Funding that ends": "No services return: whose funding ends is not known",
        "From referral to benefit": "No pathway to show: no referral return for the period",
        "Take-up": "Take-up can't be judged: no referral return for the period",
        "Where to fund next": "No plan: this area has no ward whose need and provision are known",
        "National commitments": "1 of 9 commitments is still in force; 6 expired, 1 retired and 1 "
        "superseded",
        "This week": "Nothing unusual since 31 May 2026, of 6 things looked at",
        "Actions": "Nothing is written down: 0 actions, 0 decisions",
    }
    drawn = [each.subject for each in pack.pages if each.chart is not None]
    assert drawn == ["Wards by status"]
    numbers = [
        value
        for each in pack.pages
        if each.subject not in ("Wards by status", "National commitments")
        for table in each.tables
        for row in table.rows
        for value in row
        if not isinstance(value, str)
    ]
    assert numbers == []
    assert pack.data_as_of == "no dated file"


# For whom, of what, and the same again.


@pytest.mark.parametrize(
    "scope", [Scope(frozenset({NEIGHBOUR})), Scope(frozenset({OUTSIDER_ICB})), Scope(frozenset())]
)
def test_out_of_scope_there_is_none(small: Engine, scope: Scope) -> None:
    assert meeting_pack(small, scope, AREA) is None


@pytest.mark.parametrize(
    "area",
    [
        Area("", AS_AT),
        Area(OUTSIDER_ICB, AS_AT),
        replace(AREA, lad_code="E07000999"),
        replace(AREA, pcn_code=GORSE_PCN),
        replace(AREA, lad_code=NORTHAM, pcn_code="U90003"),  # East serves no ward of Northam
    ],
)
def test_what_is_not_there_has_none(small: Engine, area: Area) -> None:
    assert meeting_pack(small, EVERYTHING, area) is None


def test_a_reader_of_the_board_finds_the_same_figures(small: Engine) -> None:
    """But for the names of local returns: another board's may be among them."""
    mine = meeting_pack(small, Scope(frozenset({BOARD})), AREA, "2026-05-31")
    assert mine is not None
    both = [
        [(p.finding, p.sentences, p.chart, p.map, p.tables) for p in pack.pages]
        for pack in (mine, pack_of(small))
    ]
    assert both[0] == both[1]
    assert "referrals.csv" not in to_json(mine)


def test_no_number_leaves_where_none_is_hidden(
    small: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASHBOARD_DISCLOSURE_PROFILE", "internal")
    monkeypatch.setenv("DASHBOARD_ALLOW_INTERNAL", "true")
    settings.cache_clear()
    with pytest.raises(ValueError, match=f"^{NO_PACK}$"):
        meeting_pack(small, EVERYTHING, AREA)


def test_links_and_words_keep_the_area(small: Engine) -> None:
    area = Area(BOARD, AS_AT, True, SOUTHAM, SOUTH)
    pack = pack_of(small, area, "2026-05-31")
    assert pack.title == "Social prescribing: Small board > Southam > South PCN"
    assert pack.filters == (
        ("Integrated care board", "Small board"), ("Locality", "Southam"),
        ("Primary care network", "South PCN"),
        ("Services not confirmed in time", "counted as provision"), ("Months in trends", "24"),
        ("Since", "31 May 2026"),
    )  # fmt: skip
    query = f"icb={BOARD}&as_at={AS_AT}&stale=counted&locality={SOUTHAM}&pcn={SOUTH}"
    assert the(pack, "Coverage").link == f"/coverage?{query}"
    assert the(pack, "FTE in post by month").link == f"/workforce?{query}&trend=fte"
    assert set(rows_of(the(pack, "Coverage").tables[0])) == {"Dale", "Elm"}
    assert set(rows_of(the(pack, "Link workers").tables[0])) == {"South PCN"}
    assert pack.config == {
        "icb": BOARD, "as_at": "2026-06-30", "since": "2026-05-31", "locality": SOUTHAM,
        "pcn": SOUTH, "stale": "counted", "profile": "nhs", "data_version": pack.config["data_version"],
    }  # fmt: skip


def test_what_changed_comes_first_and_what_was_decided_last(small: Engine) -> None:
    pack = pack_of(small)
    assert (pack.pages[0].subject, pack.pages[-1].subject) == ("This week", "Actions")
    assert pack.since == "31 May 2026"
    week = pack.pages[0]
    assert week.link.endswith("&since=2026-05-31")
    assert re.match(r"\d+ changes? since 31 May 2026, of [\d,]+ things looked at$", week.finding)
    assert pack.pages[-1].finding == "Nothing is written down: 0 actions, 0 decisions"


def test_without_a_day_it_is_since_a_week_ago(small: Engine) -> None:
    assert pack_of(small, since="").config["since"] == "2026-06-23"


@pytest.mark.parametrize("since", ["meeting-999", "some day", "2026-13-01"])
def test_no_pack_since_what_is_not_there(small: Engine, since: str) -> None:
    assert meeting_pack(small, EVERYTHING, AREA, since) is None


def test_made_again_from_its_config(small: Engine) -> None:
    area = Area(BOARD, AS_AT, True, SOUTHAM, SOUTH)
    pack = pack_of(small, area, "2026-05-31")
    config = json.dumps({**pack.config, "version": __version__})
    assert asked_by(config) == (area, "2026-05-31")
    assert pack_of(small, *asked_by(config)) == pack
    assert changed_since(config, pack) == ""
    other = json.dumps({**pack.config, "data_version": "1", "profile": "lt6"})
    assert changed_since(other, pack) == (
        f"the data was 1 and is {pack.config['data_version']}, the disclosure profile was lt6 and is "
        "nhs"
    )


@pytest.mark.parametrize(
    "config",
    [
        "",
        "[]",
        "{}",
        '{"icb": 1}',
        '{"icb": "QZ1", "as_at": "30 June", "since": "", "locality": "", "pcn": "", "stale": ""}',
    ],
)
def test_what_is_no_config(config: str) -> None:
    with pytest.raises(ValueError, match=r"^this is no config\.json of a pack"):
        asked_by(config)


# The parts that every page is made with.


@pytest.mark.parametrize(
    ("found", "is_hidden", "expected"),
    [
        (3, True, HIDDEN),
        (None, True, HIDDEN),
        (pd.NA, False, MISSING),
        (float("nan"), False, MISSING),
        (0, False, 0),
        (0.1 + 0.2, False, 0.3),
        (-0.0, False, 0.0),
        ("words", False, "words"),
        (date(2026, 6, 30), False, "30 June 2026"),
        (pd.Series([7], dtype="Int64")[0], False, 7),
    ],
)
def test_a_value_or_its_mark(found: object, is_hidden: bool, expected: Value) -> None:
    value = told(found, is_hidden=is_hidden)
    assert value == expected
    assert type(value) is type(expected)
    assert str(value) == str(expected)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (["**Two** wards. One more.", "Also."], ("Two wards. One more", ("Also.",))),
        (["x" * 140 + "."], ("x" * 140, ())),
        (["A" + "b" * 138 + ". Also this."], ("A" + "b" * 138, ("Also this.",))),
        (["Of 7.5 each " + "b" * 130 + ". Also this."], ("Of 7.5 each " + "b" * 130, ("Also this.",))),
    ],
)  # fmt: skip
def test_the_first_sentence_is_the_finding(said: list[str], expected: object) -> None:
    assert headline(said) == expected


@given(st.lists(st.text("ab ", min_size=1, max_size=80).map(lambda t: f"A{t}b."), min_size=1))
def test_no_word_is_lost(sentences: list[str]) -> None:
    finding, others = headline([" ".join(sentences)])
    assert [*finding.split(), *" ".join(others).split()] == [
        word.removesuffix(".") if n == len(finding.split()) - 1 else word
        for n, word in enumerate(" ".join(sentences).split())
    ]
    assert len(finding) <= max(LONGEST_FINDING, len(sentences[0]))


@pytest.mark.parametrize(
    ("files", "named"),
    [
        (MOST_FILES, ("month 0", "month 1", "month 2")),
        (MOST_FILES + 1, ("month 3 and 3 more of list sizes",)),
    ],
)
def test_many_files_of_a_dataset_are_counted(
    small: Engine, files: int, named: tuple[str, ...]
) -> None:
    choices = choices_of(small, EVERYTHING, AREA)
    assert choices is not None
    asked = Asked(choices, tuple(("list_sizes", f"month {n}") for n in range(files)))
    made = page(
        asked, "coverage", "Lists", ["Said."], period="", terms=(), datasets=("list_sizes",)
    )
    assert made.sources == named
