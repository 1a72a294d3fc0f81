"""Every board of the small database, put together, against numbers worked out by hand (see `small_board`)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, text

from dashboard import all_boards_words as words
from dashboard import data
from dashboard.all_boards import AllBoards, all_boards, by_board, telling
from dashboard.all_boards_view import all_boards_map, board_list, ward_list
from dashboard.coverage import Basis, ward_coverage
from dashboard.coverage_words import LAYERS
from dashboard.errors import NotThereError
from dashboard.filters import Area, Choices
from dashboard.rules.coverage import Status
from dashboard.rules.disclosure import PROFILES, Released
from dashboard.show import Cell, Chip
from queries.database import make_engine
from queries.load import CleanLoad, save
from queries.scope import EVERYTHING, Scope
from tests import small_board as b
from tests.small_board import ABBEY, BROOK, CASTLE, DALE, ELM, FORD, GORSE

pytestmark = pytest.mark.usefixtures("settings_as_shipped")

Load = Callable[..., Engine]
MINE, THEIRS = Scope(frozenset({b.BOARD})), Scope(frozenset({b.NEIGHBOUR}))
# A return that says that nothing serves the neighbour's only ward, and one that all of ours is served.
NOBODY_IN_GORSE = b.Scheme("None", b.EASTHAM, None)
ALL_OF_OURS = b.Scheme("Wide", b.BOARD, b.BOARD)


@pytest.fixture(scope="module")
def usual_path(tmp_path_factory: pytest.TempPathFactory, upgraded_file: Path) -> Path:
    """The small board without a change to its knobs: read it only."""
    return filled(upgraded_file, tmp_path_factory.mktemp("usual") / "board.db", b.Board())


@pytest.fixture
def usual(use_database: Callable[[Path], Engine], usual_path: Path) -> Engine:
    """The dashboard reads the small board: what is worked out of it is kept from test to test."""
    return use_database(usual_path)


@pytest.fixture
def load(use_database: Callable[[Path], Engine], upgraded_file: Path, tmp_path: Path) -> Load:
    """Makes the dashboard read a new database with a board of one's own, and further loads."""

    def read(board: b.Board, *more: CleanLoad) -> Engine:
        return use_database(filled(upgraded_file, tmp_path / "board.db", board, *more))

    return read


def filled(empty: Path, path: Path, board: b.Board, *more: CleanLoad) -> Path:
    made = make_engine(f"sqlite:///{Path(shutil.copy(empty, path)).as_posix()}")
    board.save(made)
    for each in more:
        save(made, each)
    made.dispose()
    return path


def found_in(engine: Engine, scope: Scope = EVERYTHING, **how: Any) -> AllBoards:
    return all_boards(engine, scope, b.AS_AT, **how)


def rows(found: AllBoards) -> dict[str, dict[str, Any]]:
    """One dictionary a board by its code; what is missing is `None`."""
    frame = found.boards.frame.set_index("icb_code").astype(object)
    told = frame.where(frame.notna(), None).to_dict("index")
    return {
        str(code): {str(name): value for name, value in row.items()} for code, row in told.items()
    }


def said(found: AllBoards) -> str:
    return " ".join(words.finding(found)).replace("**", "")


class TestTheWards:
    def test_each_as_on_the_page_of_its_board(self, usual: Engine) -> None:
        together = found_in(usual).wards
        assert set(together.frame["icb_code"]) == {b.BOARD, b.NEIGHBOUR}
        for code, name in ((b.BOARD, "Small board"), (b.NEIGHBOUR, "Neighbour board")):
            part = together.frame[together.frame["icb_code"] == code]
            alone = ward_coverage(usual, EVERYTHING, code, b.AS_AT).wards
            assert set(part["icb_name"]) == {name}
            pd.testing.assert_frame_equal(
                part[alone.frame.columns].set_index("ward_code").sort_index(),
                alone.frame.set_index("ward_code").sort_index(),
                check_dtype=False,
            )
            assert (together.profile, together.people) == (alone.profile, alone.people)

    def test_every_ward_once_the_worst_first(self, usual: Engine) -> None:
        frame = found_in(usual).wards.frame
        assert frame["ward_code"].tolist() == [CASTLE, ELM, FORD, GORSE, DALE, BROOK, ABBEY]
        order = [status.value for status in Status]
        places = [order.index(status) for status in frame["status"]]
        assert places == sorted(places)
        assert frame.index.tolist() == list(range(7))

    def test_what_is_hidden_there_is_hidden_here(self, usual: Engine) -> None:
        frame = found_in(usual).wards.frame.set_index("ward_code")
        assert frame.index[frame["referrals_12_months_hidden"]].tolist() == [DALE]
        assert frame["referrals_12_months"].isna()[DALE]
        # Castle's 17 go to 15, as everywhere.
        assert frame.loc[CASTLE, "referrals_12_months"] == 15

    @pytest.mark.slow
    def test_stale_entries_count_where_that_is_chosen(self, load: Load) -> None:
        only_old = b.Board(services=(b.OLD_LIST,))
        engine = load(only_old)
        status = {
            stale: found_in(engine, with_stale=stale).wards.frame.set_index("ward_code")["services"]
            for stale in (False, True)
        }
        assert status[False][ELM] == "stale"
        assert status[True][ELM] == "present"

    def test_at_another_date(self, usual: Engine) -> None:
        found = all_boards(usual, EVERYTHING, date(2026, 6, 29))
        assert found.bases[b.BOARD].as_at == date(2026, 6, 29)
        # In November North had 1.0 FTE, of which a quarter each is here and at the neighbour's.
        fte = found.wards.frame.set_index("ward_code")["fte"].dropna()
        assert fte.to_dict() == {ABBEY: 0.25, BROOK: 0.25, GORSE: 0.25}

    def test_who_waits_hears_how_far_it_is(self, usual: Engine) -> None:
        heard: list[tuple[int, int]] = []
        with telling(lambda done, of: heard.append((done, of))):
            found_in(usual)
        assert heard == [(0, 2), (1, 2)]
        # Nobody hears of what comes after.
        found_in(usual)
        assert len(heard) == 2

    def test_who_they_belong_to(self, usual: Engine) -> None:
        found = found_in(usual)
        assert (found.board_of(ABBEY), found.board_of(GORSE)) == (b.BOARD, b.NEIGHBOUR)
        assert (found.name_of(GORSE), found.name_of(b.NEIGHBOUR)) == ("Gorse", "Neighbour board")
        for code in ("", "E05999999", b.OUTSIDER_ICB, "' OR 1=1"):
            assert (found.board_of(code), found.name_of(code), found.known(code)) == ("", "", "")
        assert found.known(GORSE) == GORSE


class TestForWhom:
    def test_one_board(self, usual: Engine) -> None:
        assert list(rows(found_in(usual, MINE))) == [b.BOARD]
        theirs = found_in(usual, THEIRS)
        assert theirs.wards.frame["ward_code"].tolist() == [GORSE]
        assert list(rows(theirs)) == list(theirs.bases) == [b.NEIGHBOUR]
        assert theirs.board_of(ABBEY) == theirs.name_of(b.BOARD) == ""

    def test_who_leads_a_network_sees_every_ward_and_no_other_network(self, usual: Engine) -> None:
        scope = Scope(frozenset({b.BOARD}), frozenset({(b.BOARD, b.SOUTH)}))
        found = found_in(usual, scope)
        assert len(found.wards.frame) == 6
        assert "East PCN" not in found.wards.frame.to_csv()
        assert "East PCN" in found_in(usual, MINE).wards.frame.to_csv()

    @pytest.mark.parametrize("codes", [frozenset(), frozenset({b.OUTSIDER_ICB})])
    def test_no_board_is_not_there(self, usual: Engine, codes: frozenset[str]) -> None:
        with pytest.raises(NotThereError, match="no board is in scope"):
            found_in(usual, Scope(codes))

    def test_nothing_is_loaded(self, sqlite_engine: Engine) -> None:
        with pytest.raises(LookupError):
            found_in(sqlite_engine)

    def test_a_board_without_a_name_is_called_by_its_code(self, load: Load) -> None:
        engine = load(b.Board())
        with engine.begin() as connection:
            connection.execute(text("delete from area where area_code = 'QZ2'"))
        found = found_in(engine)
        assert rows(found)["QZ2"]["icb_name"] == "QZ2"
        assert found.name_of("QZ2") == "QZ2"


class TestTheBoards:
    def test_by_hand(self, usual: Engine) -> None:
        """Ours: Castle and Elm without provision, Ford not judged; 3.0 FTE over 25,000 people;
        40 + 40 + 15 + 0 referrals, for Dale's are hidden and Ford's are not returned."""
        assert rows(found_in(usual)) == {
            b.BOARD: {
                "icb_name": "Small board", "wards": 6, "no_provision": 2, "other_gap": 0, "low": 0,
                "not_judged": 1, "take_up_known": 2, "adults_without": 7500, "adults_unknown": 0, "fte": 3.0,
                "people_covered": 25_000, "referrals": 95, "referrals_hidden": 1,
                "fte_per_10k": pytest.approx(1.2),
            },
            # North's 1.0 over 4,000 people; nobody returned a service or a referral.
            b.NEIGHBOUR: {
                "icb_name": "Neighbour board", "wards": 1, "no_provision": 0, "other_gap": 0,
                "low": 0, "not_judged": 1, "take_up_known": 0, "adults_without": None,
                "adults_unknown": 0, "fte": 1.0, "people_covered": 4000, "referrals": None,
                "referrals_hidden": 0,
                "fte_per_10k": pytest.approx(2.5),
            },
        }  # fmt: skip

    def test_adults_where_ages_are_known(self, load: Load) -> None:
        """Four in five of Castle's 5,000 and Elm's 2,500."""
        assert rows(found_in(load(b.Board(ages=True))))[b.BOARD]["adults_without"] == 6000

    def test_a_board_whose_population_has_no_ages_counts_people(self, load: Load) -> None:
        """Of the neighbour only "all ages" is loaded: its 4,000 stand beside our 6,000 adults."""
        board = b.Board(ages=True, populations=False, schemes=(*b.SCHEMES, NOBODY_IN_GORSE))
        population = b.Board(ages=True).population()
        bands = population.rows["ward_population"]
        told = bands[(bands["ward_code"] != GORSE) | (bands["age_band"] == "all ages")]
        found = found_in(load(board, replace(population, rows={"ward_population": told})))
        by_code = rows(found)
        assert by_code[b.BOARD]["adults_without"] == 6000
        assert by_code[b.NEIGHBOUR]["adults_without"] == 4000
        assert "10,000 adults or people live there" in said(found)
        assert words.board_columns(found)[3].title == "Adults or people who live there"

    def test_a_ward_without_a_population_is_unknown_and_not_nought(self, load: Load) -> None:
        """Southam's return names Dale alone: Elm and Ford are not served, Ford's people unknown."""
        schemes = (*b.SCHEMES, b.Scheme("Bridges", b.SOUTHAM, DALE))
        found = found_in(load(b.Board(schemes=schemes)))
        mine = rows(found)[b.BOARD]
        assert (mine["no_provision"], mine["adults_without"], mine["adults_unknown"]) == (
            3,
            7500,
            1,
        )
        assert "at least 7,500 people live there" in said(found)

    @pytest.mark.slow
    def test_without_any_population_none_is_made_up(self, load: Load) -> None:
        found = found_in(load(b.Board(populations=False)))
        mine = rows(found)[b.BOARD]
        assert (mine["adults_without"], mine["adults_unknown"]) == (None, 2)
        assert (mine["fte"], mine["people_covered"], mine["fte_per_10k"]) == (None, None, None)
        assert "no population is known for those who live there" in said(found)
        assert words.tiles(found)[1].value == "–"

    @pytest.mark.slow
    def test_without_a_workforce_return_there_is_no_rate(self, load: Load) -> None:
        mine = rows(found_in(load(b.Board(workforce=False))))[b.BOARD]
        assert (mine["fte"], mine["fte_per_10k"]) == (None, None)

    @pytest.mark.slow
    def test_another_gap(self, load: Load) -> None:
        """Elm has a route in and no worker; Dale and Ford are not named, and not served."""
        schemes = (*b.SCHEMES, b.Scheme("Links", b.SOUTHAM, ELM))
        mine = rows(found_in(load(b.Board(schemes=schemes))))[b.BOARD]
        assert (mine["no_provision"], mine["other_gap"], mine["not_judged"]) == (3, 1, 0)


# The columns that a board's line is made of.
COLUMNS = {
    "icb_code": "str", "icb_name": "str", "ward_code": "str", "status": "str", "population": "Int64",
    "adults": "Int64", "fte": "Float64", "referrals_12_months": "Int64",
    "referrals_12_months_hidden": "bool",
}  # fmt: skip
BASIS = Basis(
    as_at=b.AS_AT, people="adults", population_vintages=("2023 wards",), shares="registered",
    strata="", window=(date(2025, 7, 1), date(2026, 6, 1)), no_window="", census=b.AS_AT,
    index_year="2025", services_returned=True, reach="",
)  # fmt: skip


def ward(board: str, status: Status = Status.AS_EXPECTED, **told: Any) -> dict[str, Any]:
    """A ward of a board of 1,000 people, 800 of them adults, with 1 FTE and 20 referrals."""
    usual = {
        "population": 1000, "adults": 800, "fte": 1.0, "referrals_12_months": 20,
        "referrals_12_months_hidden": False, "route_in_inferred": False,
    }  # fmt: skip
    name = f"Board {board}"
    return {"icb_code": board, "icb_name": name, "ward_code": "", "status": status} | usual | told


def together(*wards: dict[str, Any], **bases: Basis) -> AllBoards:
    frame = pd.DataFrame(list(wards)).astype(COLUMNS)
    profile = PROFILES["nhs"]
    known = {code: bases.get(code, BASIS) for code in frame["icb_code"].unique()}
    return AllBoards(
        Released(frame, ("referrals_12_months",), profile),
        Released(by_board(frame), (), profile),
        known,
    )


HIDDEN: dict[str, Any] = {"referrals_12_months": pd.NA, "referrals_12_months_hidden": True}


class TestSums:
    def test_each_status_in_its_column(self) -> None:
        (row,) = rows(together(*(ward("A", status) for status in Status))).values()
        assert (row["wards"], row["no_provision"], row["other_gap"]) == (10, 1, 2)
        assert (row["low"], row["not_judged"]) == (1, 1)

    def test_what_is_missing_is_left_out_of_both_sides_of_a_rate(self) -> None:
        """2 FTE over 2,000 people: neither 3 over 2,000, nor 2 over 3,000."""
        found = together(
            ward("A"), ward("A"), ward("A", fte=pd.NA), ward("A", population=pd.NA, adults=pd.NA)
        )
        assert rows(found)["A"]["fte_per_10k"] == pytest.approx(10.0)
        assert (rows(found)["A"]["fte"], rows(found)["A"]["people_covered"]) == (2.0, 2000)
        assert words.tiles(found)[1].value == "10.00"
        assert words.tiles(found)[1].note == "2 of 4 wards with a figure"

    def test_nobody_lives_there(self) -> None:
        found = together(ward("A", population=0, adults=0))
        assert rows(found)["A"]["fte_per_10k"] is None
        assert words.tiles(found)[1].value == "–"

    def test_hidden_and_missing_referrals_are_not_added(self) -> None:
        found = together(ward("A"), ward("A", **HIDDEN), ward("A", referrals_12_months=pd.NA))
        assert (rows(found)["A"]["referrals"], rows(found)["A"]["referrals_hidden"]) == (20, 1)
        assert words.tiles(found)[2].value == "20"
        assert words.tiles(found)[2].note == "1 ward not returned, 1 hidden"

    def test_all_hidden_is_not_nought(self) -> None:
        found = together(ward("A", **HIDDEN), ward("B", referrals_12_months=0))
        assert rows(found)["A"]["referrals"] is None
        assert rows(found)["B"]["referrals"] == 0

    def test_only_who_is_without_is_counted(self) -> None:
        found = together(
            ward("A", Status.NO_PROVISION), ward("A", Status.NO_LINK_WORKER), ward("A"),
            ward("B", Status.NO_PROVISION, adults=pd.NA), ward("B"),
        )  # fmt: skip
        assert rows(found)["A"]["adults_without"] == 800
        # One of B's wards has ages: its own is unknown, and not 1,000 people.
        assert (rows(found)["B"]["adults_without"], rows(found)["B"]["adults_unknown"]) == (None, 1)

    def test_most_wards_without_provision_first(self) -> None:
        none, other = Status.NO_PROVISION, Status.NOTHING_TO_REFER_TO
        found = together(
            ward("D"),
            ward("B"), ward("B"),
            ward("C", other),
            ward("A", none), ward("A"),
            ward("F", none), ward("F", none),
            ward("E"), ward("E"),
        )  # fmt: skip
        assert list(rows(found)) == ["F", "A", "C", "B", "E", "D"]


class TestFinding:
    def test_how_many_who_and_where(self, usual: Engine) -> None:
        assert words.finding(found_in(usual)) == [
            "**2 of 7 wards** of 2 boards have no provision; **7,500 people** live there. They lie in "
            "1 board.",
            "Of 1 of them it is inferred from the workforce: no scheme return speaks for them.",
            "**2 wards could not be judged**, since nobody told us; among them every ward of Neighbour "
            "board.",
        ]

    def test_none_is_without(self, load: Load) -> None:
        found = found_in(load(b.Board(schemes=(ALL_OF_OURS,))), MINE)
        assert said(found).startswith("None of 6 wards of 1 board is without a route in.")

    def test_one_ward_of_one_board(self, load: Load) -> None:
        found = found_in(load(b.Board(schemes=(NOBODY_IN_GORSE,))), THEIRS)
        assert words.finding(found) == [
            "**1 of 1 ward** of 1 board has no provision; **4,000 people** live there. It lies in 1 "
            "board.",
            "Every ward could be judged.",
        ]

    def test_in_several_boards(self) -> None:
        wards = [ward(board, Status.NO_PROVISION) for board in "AAB"]
        assert said(together(*wards, ward("C"))) == (
            "3 of 4 wards of 3 boards have no provision; 2,400 adults live there. They lie in 2 boards. "
            "Every ward could be judged."
        )

    def test_what_is_inferred_is_told(self) -> None:
        """Of wards without provision: another status may rest on an inferred route, too."""
        none = [
            ward("A", Status.NO_PROVISION, route_in_inferred=guessed) for guessed in (True, False)
        ]
        found = together(*none, ward("A", route_in_inferred=True))
        assert "Of 1 of them it is inferred from the workforce" in said(found)

    def test_where_nobody_told_anything_none_is_no_good_news(self, load: Load) -> None:
        found = found_in(load(b.Board(workforce=False, schemes=())))
        assert words.finding(found) == [
            "**7 wards could not be judged**, since nobody told us; among them every ward of Small board, "
            "Neighbour board."
        ]

    def test_some_of_a_board_is_not_all_of_it(self) -> None:
        found = together(ward("A", Status.NO_RETURN), ward("A"))
        assert said(found).endswith("1 ward could not be judged, since nobody told us.")

    def test_two_boards_are_named_and_the_others_counted(self) -> None:
        found = together(ward("A"), *(ward(board, Status.NO_RETURN) for board in "BCDE"))
        assert "every ward of Board B, Board C and 2 more." in said(found)


class TestTiles:
    def test_by_hand(self, usual: Engine) -> None:
        """4.0 FTE over 29,000 people is 1.38."""
        told = [
            (tile.label, tile.value, tile.unit, tile.note) for tile in words.tiles(found_in(usual))
        ]
        assert told == [
            (
                "Wards with a gap", "2", "of 7",
                "no provision, no link worker, or nothing to refer to; 2 could not be judged",
            ),
            ("Link workers per 10,000", "1.38", "FTE per 10,000 people", "6 of 7 wards with a figure"),
            ("Referrals in 12 months", "95", "received", "2 wards not returned, 1 hidden"),
            (
                "Boards with every ward judged", "0", "of 2",
                "1 without a ward that could be judged",
            ),
        ]  # fmt: skip

    def test_every_kind_of_gap(self) -> None:
        found = together(*(ward("A", status) for status in Status), ward("B"))
        assert (words.tiles(found)[0].value, words.tiles(found)[0].unit) == ("3", "of 11")
        assert (words.tiles(found)[3].value, words.tiles(found)[3].unit) == ("1", "of 2")

    @pytest.mark.parametrize(
        ("judged", "value", "more"),
        [
            (0, "–", "; 2 could not be judged"),
            (1, "0", "; 1 could not be judged"),
            (2, "0", ""),
        ],
    )
    def test_no_gap_is_a_nought_only_where_a_ward_was_judged(
        self, judged: int, value: str, more: str
    ) -> None:
        statuses = [Status.AS_EXPECTED] * judged + [Status.NO_RETURN] * (2 - judged)
        tile = words.tiles(together(*(ward("A", status) for status in statuses)))[0]
        words_of_gap = "no provision, no link worker, or nothing to refer to"
        assert (tile.value, tile.unit, tile.note) == (value, "of 2", words_of_gap + more)

    def test_nothing_returned_is_a_dash(self) -> None:
        found = together(ward("A", fte=pd.NA, referrals_12_months=pd.NA))
        assert [tile.value for tile in words.tiles(found)][1:3] == ["–", "–"]


class TestChips:
    def test_the_oldest_of_each_and_who_sent_none(self, usual: Engine) -> None:
        assert words.chips(found_in(usual)) == [
            Chip("oldest workforce", "30 June 2026", "fresh"),
            # As on Coverage: the last day of the month that was returned last.
            Chip("oldest referrals", "30 June 2026", "fresh"),
            Chip("1 board", "no referral return", "missing"),
            Chip("1 board", "no return of services", "missing"),
        ]

    def test_the_older_of_two(self) -> None:
        older = replace(
            BASIS, census=date(2025, 11, 30), window=(date(2024, 12, 1), date(2025, 11, 1))
        )
        assert words.chips(together(ward("A"), ward("B"), B=older)) == [
            Chip("oldest workforce", "30 November 2025, late", "late"),
            Chip("oldest referrals", "30 November 2025, late", "late"),
        ]

    def test_nobody_sent_anything(self) -> None:
        silent = replace(BASIS, census=None, window=None, services_returned=False)
        assert words.chips(together(ward("A"), ward("B"), A=silent, B=silent)) == [
            Chip("2 boards", "no workforce return", "missing"),
            Chip("2 boards", "no referral return", "missing"),
            Chip("2 boards", "no return of services", "missing"),
        ]


class TestNotes:
    def test_one_period(self) -> None:
        first, second = words.notes(together(ward("A"), ward("B")))
        assert first.startswith("Each board is judged as on its page Coverage, as at 30 June 2026")
        assert "Referrals of 12 months to Jun 2026." in first
        assert "modelled" not in first
        assert second == f"Small numbers: {PROFILES['nhs'].words}."

    def test_several_periods_and_modelled_shares(self) -> None:
        other = replace(BASIS, shares="modelled", window=(date(2025, 5, 1), date(2026, 4, 1)))
        first, _ = words.notes(together(ward("A"), ward("B"), B=other))
        assert "Referrals of 12 months to between Apr 2026 and Jun 2026." in first
        assert "PCN shares of 1 board are modelled." in first

    def test_no_referrals(self) -> None:
        assert (
            "No referral return."
            in words.notes(together(ward("A"), A=replace(BASIS, window=None)))[0]
        )

    @pytest.mark.parametrize("layer", LAYERS)
    def test_each_layer_is_explained(self, layer: str) -> None:
        panel = words.explanation(together(ward("A")), LAYERS[layer])
        assert panel.shows.endswith(".")
        assert "two boards are not compared" in panel.limits[-1]


CHOICES = Choices(b.BOARD, "Small board", "", "", "", "", b.AS_AT, 24)


class TestOtherWords:
    def test_what_is_chosen(self) -> None:
        assert words.chosen(together(ward("A")), CHOICES) == "1 board · as at 30 June 2026"
        counted = words.chosen(together(ward("A"), ward("B")), replace(CHOICES, with_stale=True))
        assert counted == "2 boards · as at 30 June 2026 · stale entries counted"

    def test_the_link_names_what_is_picked(self, usual: Engine) -> None:
        found = found_in(usual)
        at = {"icb": b.BOARD, "as_at": "2026-06-30"}
        assert words.link(found, CHOICES, ABBEY) == ("Open Abbey on Coverage", at | {"ward": ABBEY})
        for code in ("", "E05999999", "<b>"):
            assert words.link(found, CHOICES, code) == ("Open Small board on Coverage", at)


NOT_JUDGED = Cell("–", note="no ward judged")


class TestColumns:
    def cells(self, found: AllBoards, title: str) -> list[Cell]:
        column = next(c for c in words.board_columns(found) if c.title.startswith(title))
        return [column.cell(row) for row in found.boards.frame.itertuples()]

    def test_by_hand(self, usual: Engine) -> None:
        found = found_in(usual)
        assert [column.title for column in words.board_columns(found)] == [
            "Board", "Wards", "No provision", "People who live there", "Other gaps", "Low take-up",
            "Not judged", "FTE per 10,000", "Referrals, 12 months",
        ]  # fmt: skip
        for title, ours, theirs in (
            ("Board", Cell("Small board"), Cell("Neighbour board")),
            ("Wards", Cell("6", 6), Cell("1", 1)),
            ("No provision", Cell("2", 2), NOT_JUDGED),
            ("People", Cell("7,500", 7500.0), NOT_JUDGED),
            ("Other gaps", Cell("0", 0), NOT_JUDGED),
            ("Low take-up", Cell("0", 0), Cell("–", note="take-up not known")),
            ("Not judged", Cell("1", 1), Cell("1", 1)),
            ("FTE per 10,000", Cell("1.20", 1.2), Cell("2.50", 2.5)),
            ("Referrals", Cell("95", 95.0, "1 ward hidden"), Cell("–", note="no return")),
        ):
            assert self.cells(found, title) == [ours, theirs], title

    def test_what_is_not_known_says_why(self) -> None:
        none = Status.NO_PROVISION
        found = together(
            ward("A", none), ward("A", none), ward("A", none, adults=pd.NA),
            ward("B", none, population=pd.NA, adults=pd.NA),
            ward("C", fte=pd.NA, **HIDDEN), ward("C", fte=pd.NA, **HIDDEN),
        )  # fmt: skip
        assert self.cells(found, "Adults") == [
            Cell("1,600", 1600.0, "1 ward not known"),
            Cell("–", note="no population of these codes"),
            Cell("0", 0),
        ]
        assert self.cells(found, "FTE")[2] == Cell("–", note="no return")
        assert self.cells(found, "Referrals")[2] == Cell("–", note="2 wards hidden")

    @pytest.mark.parametrize("title", ["No provision", "Adults", "Other gaps"])
    def test_one_judged_ward_makes_a_nought_and_none_does_not(self, title: str) -> None:
        silent = Status.NO_RETURN
        found = together(ward("A", silent), ward("A", silent), ward("B", silent), ward("B"))
        by_code = dict(zip(found.boards.frame["icb_code"], self.cells(found, title), strict=True))
        assert by_code == {"A": NOT_JUDGED, "B": Cell("0", 0)}

    @pytest.mark.parametrize("status", Status)
    def test_low_is_nought_only_where_take_up_is_known(self, status: Status) -> None:
        found = together(ward("A", status), ward("A", Status.UNKNOWN))
        wanted = {
            Status.LOW: Cell("1", 1), Status.NOT_REACHED: Cell("0", 0),
            Status.AS_EXPECTED: Cell("0", 0), Status.HIGH: Cell("0", 0),
        }.get(status, Cell("–", note="take-up not known"))  # fmt: skip
        assert self.cells(found, "Low take-up") == [wanted]

    def test_wards_have_their_board_beside_them(self, usual: Engine) -> None:
        found = found_in(usual)
        columns = words.ward_columns(found)
        assert [column.title for column in columns[:3]] == ["Ward", "Board", "Status"]
        boards = [columns[1].cell(row).text for row in found.wards.frame.itertuples()]
        assert boards == [
            "Neighbour board" if code == GORSE else "Small board"
            for code in found.wards.frame["ward_code"]
        ]


@pytest.mark.parametrize("made", [board_list, ward_list])
def test_a_list_is_made_once_whichever_board_is_chosen(usual: Engine, made: Any) -> None:
    """And again for another date, for stale entries, and for who sees less."""
    ours = Area(b.BOARD, b.AS_AT, lad_code=b.NORTHAM)
    first = data.fetch_shared(made, EVERYTHING, ours)
    assert data.fetch_shared(made, EVERYTHING, Area(b.NEIGHBOUR, b.AS_AT)) is first
    for area, scope in (
        (replace(ours, as_at=date(2026, 6, 29)), EVERYTHING),
        (replace(ours, with_stale=True), EVERYTHING),
        (ours, MINE),
    ):
        assert data.fetch_shared(made, scope, area) is not first


def test_the_layers_of_the_map_are_those_of_coverage(usual: Engine) -> None:
    """Every ward in one group, in each layer; three marks in that of the status, none in others."""
    for name, layer in LAYERS.items():
        found = all_boards_map(usual, EVERYTHING, b.AS_AT, False, name)
        codes = [code for group in found.groups for code in group.area_codes]
        assert sorted(codes) == sorted(b.WARDS), name
        assert found.title == layer.title
        assert len(found.marks) == (0 if layer.column else 3)
        assert found.canvas.url.startswith("/geo/all/")
        assert found.canvas.alt.startswith(f"Map of wards by {layer.title.lower()}. ")
