"""The words of the Coverage page, on the small board."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from dashboard import coverage_words as words
from dashboard.charts.area_map import HATCHED, SQUARE, STARRED
from dashboard.coverage import Coverage, ward_coverage
from dashboard.rules.coverage import Status
from dashboard.services import board_services
from queries import workforce
from queries.scope import EVERYTHING
from tests import small_board as b

pytestmark = pytest.mark.slow


def judged(engine: Engine, board: b.Board) -> Coverage:
    board.save(engine)
    return ward_coverage(engine, EVERYTHING, b.BOARD, b.AS_AT)


def chips(engine: Engine, found: Coverage) -> dict[str, tuple[str, str]]:
    services = board_services(engine, EVERYTHING, b.BOARD, b.AS_AT).listed
    pcns = workforce.fte_by_pcn(engine, EVERYTHING, b.BOARD, b.AS_AT)
    made = words.chips(found.basis, found.wards, pcns, services)
    return {chip.source: (chip.words, chip.state) for chip in made}


def test_how_fresh_each_source_of_the_board_is(sqlite_engine: Engine) -> None:
    found = judged(sqlite_engine, b.Board())
    assert chips(sqlite_engine, found) == {
        "workforce": ("30 June 2026", "fresh"),
        "East PCN": ("no workforce return", "missing"),
        "referrals": ("30 June 2026", "fresh"),
        "services": ("1 of 4 stale", "late"),
        "scheme areas": ("for 3 of 6 wards", "ageing"),
        "population": ("for 5 of 6 wards", "late"),
    }


def test_what_was_never_sent_is_no_return(sqlite_engine: Engine) -> None:
    """Another board's files say nothing of this one."""
    board = b.Board(services=(), schemes=(), referrals=(), populations=False, workforce=False)
    found = judged(sqlite_engine, board)
    told = chips(sqlite_engine, found)
    for source in ("workforce", "referrals", "services", "scheme areas", "population"):
        assert told[source] == ("no return", "missing")


def test_the_finding_counts_people_and_says_what_is_missing(sqlite_engine: Engine) -> None:
    found = judged(sqlite_engine, b.Board())
    first, *others = words.finding(found.wards, found.basis)
    # Castle by Northam's return and Elm by inference: 5,000 and 2,500 people.
    assert first.startswith("**2 of 6 wards** have no provision; **7,500 people** live there.")
    assert "1 of them by a scheme return, 1 inferred from the workforce." in first
    assert any(s.startswith("**1 ward could not be judged**") for s in others)
    assert any(s.startswith("No population for 1 ward (loaded: 2023 wards)") for s in others)


def test_where_nothing_can_be_judged_no_zero_stands_first(sqlite_engine: Engine) -> None:
    found = judged(sqlite_engine, b.Board(services=(), schemes=(), workforce=False))
    first = words.finding(found.wards, found.basis)[0]
    assert first.startswith("**6 wards could not be judged**")


def test_every_ward_is_in_one_group_of_every_layer(sqlite_engine: Engine) -> None:
    found = judged(sqlite_engine, b.Board())
    for layer in words.LAYERS.values():
        groups = words.map_groups(found.wards, layer)
        drawn = [code for group in groups for code in group.area_codes]
        assert sorted(drawn) == sorted(b.BOARD_WARDS), layer.title
        for group in groups:
            assert group.values is None or len(group.values) == len(group.area_codes)


def test_each_reason_for_a_blank_is_drawn_in_its_own_way(sqlite_engine: Engine) -> None:
    schemes = (b.Scheme("Links", b.BOARD, b.BOARD),)
    found = judged(sqlite_engine, b.Board(schemes=schemes, east_fte=None))
    groups = {g.label: g for g in words.map_groups(found.wards, words.LAYERS["take-up"])}
    assert groups["Hidden: few people"].area_codes == [b.DALE]
    assert groups["Hidden: few people"].texture == STARRED
    assert groups["No population for this ward's code"].area_codes == [b.FORD]
    status = {g.label: g for g in words.map_groups(found.wards, words.LAYERS["status"])}
    assert status[Status.NO_RETURN].texture == HATCHED
    looks = [(g.colour, g.texture) for g in status.values()]
    assert len(set(looks)) == len(looks)


def test_stale_entries_are_marked(sqlite_engine: Engine) -> None:
    stale = b.Service("old", (b.ABBEY,), confirmed_on=b.OLD_LIST.confirmed_on)
    schemes = (b.Scheme("Links", b.BOARD, b.BOARD),)
    found = judged(sqlite_engine, b.Board(services=(stale,), schemes=schemes))
    marks = {
        mark.symbol: mark.area_codes
        for mark in words.map_marks(found.wards, words.LAYERS["status"])
    }
    assert marks[SQUARE] == [b.ABBEY]
