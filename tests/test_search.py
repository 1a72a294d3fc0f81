"""Search on the small board: each kind, old codes where the LSOAs or the name say it, and scope."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pandas as pd
import pytest
from sqlalchemy import Engine

from dashboard import page_list, search
from dashboard.filters import Choices
from dashboard.rules.search import Hit, find
from queries import search as searched
from queries.database import make_engine
from queries.load import CleanLoad, save
from queries.scope import EVERYTHING, Scope
from tests import small_board as b
from tests.app.reading import Markup

OLD = "E0580001"
CHOICES = Choices(b.BOARD, "Small board", "", "", "", "", b.AS_AT, 24)
HOSTILE = "<img src=x onerror=alert(1)> \"quoted' &amp;"


def old_boundaries() -> CleanLoad:
    """Wards of 2019: Abbey is Abbey; Bridge became half Brook, half Castle; Dale has no LSOAs
    told; Fen has none and no name that is left."""
    rows = pd.DataFrame(
        [
            (f"2019 {lad}", "ward", f"{OLD}{n}", name, 2019, lad)
            for n, (name, lad) in enumerate(
                (
                    ("Abbey", b.NORTHAM), ("Bridge", b.NORTHAM), ("Dale", b.SOUTHAM),
                    ("Fen", b.SOUTHAM), ("Abbey", b.SOUTHAM), ("Gorse", b.EASTHAM),
                ),
                start=1,
            )
        ],
        columns=["part_key", "kind", "area_code", "area_name", "vintage", "parent_code"],
    )  # fmt: skip
    return b.made_of("ward_boundaries", rows["part_key"].unique(), {"area": rows})


def old_lookup() -> CleanLoad:
    rows = pd.DataFrame(
        [
            ("2011 2019 " + b.NORTHAM, "E01000001", f"{OLD}1", b.NORTHAM),
            ("2011 2019 " + b.NORTHAM, "E01000002", f"{OLD}1", b.NORTHAM),
            ("2011 2019 " + b.NORTHAM, "E01000003", f"{OLD}2", b.NORTHAM),
            ("2011 2019 " + b.NORTHAM, "E01000005", f"{OLD}2", b.NORTHAM),
        ],
        columns=["part_key", "lsoa_code", "ward_code", "lad_code"],
    )
    return b.made_of("lsoa_ward", rows["part_key"].unique(), {"lsoa_ward": rows})


def earlier_practices() -> CleanLoad:
    """A year before, South's practice was in a network that is no more, and North was called so."""
    rows = b.practices().rows["practice"].assign(part_key="2025-06-01")
    rows["pcn_code"] = rows["pcn_code"].replace(b.SOUTH, "U80002")
    names = pd.DataFrame(
        [("U80002", "Old South PCN"), (b.NORTH, "Far North PCN")],
        columns=["area_code", "area_name"],
    ).assign(part_key="2025-06-01", kind="pcn")
    day = date(2025, 6, 1)
    return b.made_of(
        "practices", [f"{day}"], {"practice": rows, "area": names}, starts=[day], ends=[day]
    )


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, upgraded_file: Path) -> Engine:
    path = tmp_path_factory.mktemp("search") / "board.db"
    shutil.copy(upgraded_file, path)
    made = make_engine(f"sqlite:///{path.as_posix()}")
    b.Board().save(made)
    for load in (old_boundaries(), old_lookup(), earlier_practices()):
        save(made, load)
    return made


def hits(engine: Engine, words: str, scope: Scope = EVERYTHING) -> list[Hit]:
    return find(search.index(engine, scope, b.BOARD, b.AS_AT).entries, words)


def found(engine: Engine, words: str) -> list[tuple[str, str, str, str | None]]:
    return [(hit.kind, hit.title, hit.detail, hit.page) for hit in hits(engine, words)]


def test_a_ward_by_name_and_code(engine: Engine) -> None:
    brook = [("Ward", "Brook", f"Northam, {b.BROOK}", "coverage")]
    assert found(engine, "brook") == found(engine, b.BROOK.lower()) == brook
    assert hits(engine, "brook")[0].choices == (("ward", b.BROOK),)


def test_all_its_lsoas_say_which_ward_an_old_code_is(engine: Engine) -> None:
    said = f"Northam, {b.ABBEY}; was {OLD}1, Abbey: all 2 of its LSOAs are here"
    assert found(engine, f"{OLD}1") == [("Ward", "Abbey", said, "coverage")]


def test_a_ward_that_was_split_is_each_of_its_parts(engine: Engine) -> None:
    said = f"was {OLD}2, Bridge: 1 of 2 of its LSOAs are here"
    both = [
        ("Ward", "Brook", f"Northam, {b.BROOK}; {said}", "coverage"),
        ("Ward", "Castle", f"Northam, {b.CASTLE}; {said}", "coverage"),
    ]
    assert found(engine, f"{OLD}2") == found(engine, "bridge") == both


def test_without_lsoas_the_name_in_the_same_district_says_it(engine: Engine) -> None:
    said = f"Southam, {b.DALE}; was {OLD}3, Dale: same name, same district"
    assert found(engine, f"{OLD}3") == [("Ward", "Dale", said, "coverage")]


@pytest.mark.parametrize(
    ("words", "title"),
    [
        # No such name; the name in another district; a population without a name.
        (f"{OLD}4", "Fen"),
        ("fen", "Fen"),
        (f"{OLD}5", "Abbey"),
        (b.FORD_BEFORE, b.FORD_BEFORE),
    ],
)
def test_what_nothing_says_opens_nothing(engine: Engine, words: str, title: str) -> None:
    (hit,) = hits(engine, words)
    assert (hit.title, hit.page, hit.choices) == (title, None, ())
    assert "in use no more, and nothing loaded says which ward it is" in hit.detail
    assert "<a" not in search.hits_markup([hit], CHOICES)


def test_another_boards_wards_are_not_found(engine: Engine) -> None:
    assert found(engine, b.GORSE) == found(engine, f"{OLD}6") == found(engine, "gorse") == []


def test_a_network_by_its_names_and_an_old_code_of_it(engine: Engine) -> None:
    (north,) = hits(engine, b.NORTH)
    assert (north.kind, north.page, north.choices) == ("Network", "workforce", (("pcn", b.NORTH),))
    (gone,) = hits(engine, "U80002")
    assert (gone.title, gone.choices) == ("Old South PCN", (("pcn", b.SOUTH),))
    assert gone.detail == "U80002: not here at the date; all its practices are in South PCN"


def test_a_practice_leads_to_its_network(engine: Engine) -> None:
    assert found(engine, "y90001") == [
        ("Practice", "Y90001", "Y90001, in North PCN", "workforce")
    ]  # fmt: skip
    (alone,) = hits(engine, "Y90009")
    assert (alone.detail, alone.page) == ("Y90009, in no network of the board", None)


def test_no_network_is_no_network(engine: Engine) -> None:
    kinds = {"Network", "Practice"}
    assert [hit.title for hit in hits(engine, "U") if hit.kind in kinds] == []


def test_providers_services_localities_pages_and_definitions(engine: Engine) -> None:
    assert [(hit.kind, dict(hit.choices)) for hit in hits(engine, "together cic")] == [
        ("Provider", {"part": "services", "provider": "Together CIC"})
    ]
    choir = hits(engine, "choir")[0]
    assert (choir.kind, choir.page) == ("Service", "providers")
    assert found(engine, "northam")[0][:3] == ("Locality", "Northam", b.NORTHAM)
    assert found(engine, "take up")[0][:2] == ("Page", "Take-up")
    assert [(hit.kind, hit.anchor) for hit in hits(engine, "take-up ratio")] == [
        ("Definition", "take_up_ratio")
    ]
    assert found(engine, "small board")[0][0] == "Board"
    assert found(engine, "nowhere at all") == []


@pytest.mark.parametrize("scope", [Scope(frozenset({b.NEIGHBOUR})), Scope(frozenset())])
def test_who_may_not_see_the_board_finds_pages_and_words_alone(
    engine: Engine, scope: Scope
) -> None:
    kinds = {entry.hit.kind for entry in search.index(engine, scope, b.BOARD, b.AS_AT).entries}
    assert kinds - {"Board"} == {"Page", "Definition"}
    assert hits(engine, b.ABBEY, scope) == hits(engine, f"{OLD}2", scope) == []
    for read in (
        searched.old_wards, searched.old_ward_lsoas, searched.network_names,
        searched.practices_then,
    ):  # fmt: skip
        whole, nothing = (read(engine, s, b.BOARD) for s in (EVERYTHING, scope))
        assert len(whole) > 0
        assert nothing.empty
        assert nothing.dtypes.tolist() == whole.dtypes.tolist()
    assert searched.practices_now(engine, scope, b.BOARD, b.AS_AT).empty


def test_links_lead_to_the_board_and_the_choice(engine: Engine) -> None:
    markup = Markup.of(search.hits_markup(hits(engine, b.ABBEY), CHOICES))
    (address,) = [value for name, value in markup.attributes if name == "href"]
    asked = parse_qs(urlparse(address).query)
    assert (urlparse(address).path, asked) == (
        "/coverage", {"icb": [b.BOARD], "as_at": ["2026-06-30"], "ward": [b.ABBEY]},
    )  # fmt: skip


def test_names_out_of_files_are_text() -> None:
    hit = Hit("Service", HOSTILE, HOSTILE, "providers", (("service", HOSTILE),))
    markup = Markup.of(search.hits_markup([hit], CHOICES))
    assert markup.tags == {"ul", "li", "span", "a"}
    assert {name for name, _ in markup.attributes} == {"class", "href", "target", "aria-label"}
    assert markup.text.count(HOSTILE) == 2
    (address,) = [value for name, value in markup.attributes if name == "href"]
    assert parse_qs(urlparse(address).query)["service"] == [HOSTILE]


def test_every_page_can_be_found() -> None:
    """The pages of the app and those of the search are the same, in the same order."""
    titles = page_list.TITLES
    assert [title for title, _ in search.PAGES.values()] == list(titles.values())
    # The first page is at the root.
    assert list(search.PAGES) == ["", *list(titles)[1:]]


def test_the_small_board_has_no_old_ward_but_fords(small_board_engine: Engine) -> None:
    old = searched.old_wards(small_board_engine, EVERYTHING, b.BOARD)
    assert old["ward_code"].tolist() == [b.FORD_BEFORE]
    assert old["ward_name"].isna().all()
    assert searched.old_ward_lsoas(small_board_engine, EVERYTHING, b.BOARD).empty
