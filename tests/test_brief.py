"""The brief of a ward and of a network: every section by hand, for whom, and nothing given away."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pypdf
import pytest
from sqlalchemy import Engine

from dashboard import __version__, access
from dashboard.brief import MOST_SERVICES, network_brief, ward_brief
from dashboard.errors import NotThereError
from dashboard.filters import Area
from dashboard.pack.brief_pdf import Brief
from dashboard.pack.typeset import ZERO_WIDTH_SPACE
from dashboard.settings import settings
from queries.database import make_engine
from queries.load import save
from queries.scope import EVERYTHING, Scope
from tests.app.test_routes import get
from tests.outcome_board import loaded
from tests.small_board import (
    ABBEY,
    AS_AT,
    BOARD,
    BOARD_WARDS,
    CASTLE,
    DALE,
    EAST,
    ELM,
    FORD,
    GORSE,
    GORSE_PCN,
    NEIGHBOUR,
    NORTH,
    SOUTH,
    Board,
    Service,
)
from tests.test_leads import LEADS, posts
from tests.test_take_up import BOARD as TOLD
from tests.test_take_up import COUNTED, NUMBERS, indices, numbers

# A board with a pathway, and the routes; `test_take_up` has what is judged.
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("settings_as_shipped")]

AREA = Area(BOARD, AS_AT)
ADDRESS = f"/brief.pdf?icb={BOARD}&as_at={AS_AT}"
NETWORKS = (NORTH, SOUTH, EAST)
NHS_WORDS = "1 to 7 people are hidden (*), larger numbers go to the nearest 5"
Parts = dict[str, tuple[list[str], list[tuple[str, str]], Any]]


@pytest.fixture(scope="module")
def told_path(tmp_path_factory: pytest.TempPathFactory, upgraded_file: Path) -> Path:
    """The board of `tests.test_take_up`, with leads, supervised posts and an index: read it only."""
    folder = tmp_path_factory.mktemp("brief")
    engine = loaded(upgraded_file, folder, replace(TOLD, places=TOLD.places.but(posts=())))
    for each in (LEADS, posts(), indices(("loneliness", 1, 10.0, 8), ("loneliness", 2, 20.0, 9))):
        save(engine, each)
    engine.dispose()
    return folder / "outcomes.db"


@pytest.fixture
def told(use_database: Callable[[Path], Engine], told_path: Path) -> Engine:
    return use_database(told_path)


@pytest.fixture
def load(
    use_database: Callable[[Path], Engine], upgraded_file: Path, tmp_path: Path
) -> Callable[[Board], Engine]:
    """Makes the dashboard read a new database with a board of one's own."""

    def read(board: Board) -> Engine:
        path = tmp_path / f"board-{len(list(tmp_path.iterdir()))}.db"
        made = make_engine(f"sqlite:///{Path(shutil.copy(upgraded_file, path)).as_posix()}")
        board.save(made)
        made.dispose()
        return use_database(path)

    return read


def parts(brief: Brief | None) -> Parts:
    """Sentences, facts and table by heading."""
    assert brief is not None
    return {
        section.title: (list(section.sentences), list(section.facts), section.table)
        for section in brief.sections
    }


def of_ward(engine: Engine, ward_code: str, area: Area = AREA) -> Parts:
    return parts(ward_brief(engine, EVERYTHING, area, ward_code))


def of_network(engine: Engine, pcn_code: str) -> Parts:
    return parts(network_brief(engine, EVERYTHING, AREA, pcn_code))


# Of a ward.


def test_a_low_ward_by_hand(told: Engine) -> None:
    """Castle: see `tests.test_take_up`. Half of North's 4.0 FTE for every 5,000 people."""
    brief = ward_brief(told, EVERYTHING, AREA, CASTLE)
    assert brief is not None
    assert (brief.title, brief.subtitle) == (
        "Castle, Northam",
        "Social prescribing brief · Small board · as at 30 June 2026",
    )
    assert brief.map_alt == "Castle outlined among the wards around it, by provision status."
    assert brief.map_svg.count('stroke="#10181D"') == 1
    assert not brief.is_simulated
    not_offered = "fewer were referred than expected; whether it was offered is not told"
    assert parts(brief) == {
        "In a sentence": (["Low take-up: 25 referrals, 40 expected."], [], None),
        "Need": (
            [],
            [
                ("People", "5,000"),
                ("Deprivation", "national fifth 3 (1 is most deprived), IMD 2025"),
                ("Loneliness", "–"),
            ],
            None,
        ),
        "Provision": (
            [],
            [
                ("Route in", "present: served by Links"),
                ("Link worker", "present: in post at North PCN; census 30 June 2026"),
                ("Something to refer to", "present: 1 service"),
                ("Link workers", "1.00 FTE per 10,000 people"),
            ],
            None,
        ),
        "Take-up": (
            [
                "Below the 95% limit of what the board's rates lead us to expect. Around it: not "
                "different from what chance gives."
            ],
            [
                (
                    "Referrals, 12 months",
                    "25 referrals; 5.0 (3.2 to 7.4) per 1,000 people; 40 expected",
                )
            ],
            None,
        ),
        "Where it is lost": (
            [
                "27 fewer attended in 12 months than the board's rates and shares would give. 14 of "
                f"what is lost is lost here: {not_offered}."
            ],
            [],
            (
                ("Lost at", "What it says", "People", "Against chance"),
                [
                    ("not offered", not_offered, "13.9", "beyond chance"),
                    ("declined", "referred, and not accepted: declined", "0.0", "within chance"),
                    ("not reached", "accepted, and not reached", "13.1", "beyond chance"),
                    ("full", "every service of the ward's own is full", "0.0", "within chance"),
                    ("not attended", "connected, and did not attend", "0.0", "within chance"),
                    ("Shortfall", "people who would have come as far as: attended", "27.0", ""),
                ],
            ),
        ),
        "Whom to call": (
            [],
            [
                ("Named lead", "none for this locality"),
                ("North PCN", "4.0 FTE of link workers"),
                ("South PCN", "no link worker"),
            ],
            None,
        ),
        "What changed in three months": (
            [
                "Status: Provided, take-up unknown on 31 March 2026, Low take-up now.",
                "Link workers per 10,000: – on 31 March 2026, 1.00 now.",
                "Referrals in 12 months to then: –; to now: 25 (as rounded).",
            ],
            [],
            None,
        ),
        "Services within reach": (
            [],
            [],
            (
                ("Service", "Provider", "For", "Serves"),
                [("Choir", "Together CIC", "loneliness", "names the district")],
            ),
        ),
    }


def test_a_ward_that_is_not_low_and_one_that_is_set_apart(told: Engine) -> None:
    abbey, ford = of_ward(told, ABBEY), of_ward(told, FORD)
    nothing = ["Not below the expected range, or not judged: nothing is told apart."]
    assert abbey["Where it is lost"] == ford["Where it is lost"] == (nothing, [], None)
    assert abbey["Need"][1][-1] == (
        "Loneliness", "15.0; 50% of its LSOAs in the two highest deciles",
    )  # fmt: skip
    assert ford["Take-up"] == (
        ["Set apart, and not called low: Provided, take-up unknown."],
        [("Referrals, 12 months", "no referral return from East PCN")],
        None,
    )
    assert ford["Whom to call"][1] == [
        ("Named lead", "Therapy lead (occupational therapist)"),
        ("East PCN", "1.0 FTE of link workers"),
    ]
    assert ford["Need"][1][0] == ("People", "no population for this ward's code")


def test_a_network_that_did_not_return_and_a_ward_without_a_service(
    load: Callable[[Board], Engine],
) -> None:
    engine = load(COUNTED.but(services=(), directory=(), east_fte=None, posts=()))
    assert of_ward(engine, FORD)["Whom to call"][1][-1] == ("East PCN", "no workforce return")
    assert of_ward(engine, ABBEY)["Services within reach"] == (
        ["No service is returned for this ward."], [], None,
    )  # fmt: skip


@pytest.mark.parametrize("number", [MOST_SERVICES, MOST_SERVICES + 1])
def test_no_more_services_than_a_page_holds(load: Callable[[Board], Engine], number: int) -> None:
    services = tuple(Service(f"club {n}", (ABBEY,)) for n in range(number))
    table = of_ward(load(COUNTED.but(services=services, directory=())), ABBEY)[
        "Services within reach"
    ][2]
    assert [row[0] for row in table[1]] == [f"Club {n}" for n in range(MOST_SERVICES)]


# Of a network.


def test_a_network_by_hand(told: Engine) -> None:
    """South serves Castle (low), Dale (high) and Elm (low, without a link worker)."""
    brief = network_brief(told, EVERYTHING, AREA, SOUTH)
    assert brief is not None
    assert (brief.title, brief.subtitle, brief.map_svg) == (
        "South PCN", "Social prescribing brief · Small board · as at 30 June 2026", "",
    )  # fmt: skip
    found = parts(brief)
    table = found["Wards below the expected range"][2]
    losses = found["Where it is lost"][2]
    assert found == {
        "In a sentence": (
            [
                "2 of 3 wards that could be judged lie below the expected range. 1 of them below the "
                "99.8% limit; 1 stay below when the limits are widened for what wards differ by "
                "anyway."
            ],
            [],
            None,
        ),
        "Need": (
            [],
            [
                ("Wards it serves", "3"),
                ("In the most deprived fifth", "0"),
                (
                    "List",
                    "4,000 patients of 1 practice: 0.00 FTE for every 10,000, inside the 95% limits",
                ),
            ],
            None,
        ),
        "Provision": (
            [],
            [
                (
                    "In post",
                    "no worker: it returned 3 staff, no link worker among them; published national "
                    "workforce series, 30 June 2026",
                ),
                ("In 12 months", "–"),
                (
                    "Target",
                    "none in force; 1.5 FTE ended on 31 May 2026 and is not judged any more",
                ),
                ("No link worker", "1 ward"),
                ("Low take-up", "1 ward"),
                ("High take-up", "1 ward"),
            ],
            None,
        ),
        "Take-up": (
            [],
            [("New referrals", "60 in 12 months; no worker"), ("Open referrals", "0")],
            None,
        ),
        "Where it is lost": ([], [], losses),
        "Whom to call": (
            [],
            [("Northam", "no named lead"), ("Southam", "Therapy lead (occupational therapist)")],
            None,
        ),
        "What changed in three months": (
            [
                "Link workers: – FTE on 31 March 2026, 0.00 now.",
                "Elm: No return on 31 March 2026, No link worker now.",
                "Castle: Provided, take-up unknown on 31 March 2026, Low take-up now.",
                "Dale: Provided, take-up unknown on 31 March 2026, High take-up now.",
            ],
            [],
            None,
        ),
        "Wards below the expected range": ([], [], table),
    }
    assert [row[0] for row in losses[1]][:3] == ["no link worker", "not offered", "not reached"]
    assert table[1] == [
        ("Castle", "Northam", "25", "40", "15", "not offered", "14", "27, attended",
         "no named lead"),
        ("Elm", "Southam", "0", "20", "20", "no link worker", "20", "20, referred",
         "Therapy lead"),
    ]  # fmt: skip


def test_a_network_of_which_no_ward_could_be_judged(told: Engine) -> None:
    east = of_network(told, EAST)
    assert east["In a sentence"][0] == ["None of 1 ward could be judged."]
    assert east["Where it is lost"] == (
        ["No ward it serves is below the expected range."], [], None,
    )  # fmt: skip
    assert east["Wards below the expected range"] == (["None."], [], None)


def test_a_network_whose_localities_nobody_leads(load: Callable[[Board], Engine]) -> None:
    assert of_network(load(COUNTED.but(posts=())), NORTH)["Whom to call"] == (
        [], [("Northam", "no named lead"), ("Southam", "no named lead")], None,
    )  # fmt: skip


# What changed.


@pytest.mark.parametrize(
    ("as_at", "before"),
    [
        (AS_AT, "31 March 2026"),
        (date(2026, 6, 29), "29 March 2026"),
        (date(2026, 5, 15), "15 February 2026"),
        (date(2026, 5, 31), "28 February 2026"),
        (date(2026, 5, 30), "28 February 2026"),
        (date(2026, 2, 28), "30 November 2025"),
    ],
)
def test_the_quarter_before(told: Engine, as_at: date, before: str) -> None:
    said, _, _ = of_ward(told, FORD, Area(BOARD, as_at))["What changed in three months"]
    # Ford's status changed with the census of June; before, nothing did.
    assert f" {before}" in said[0]


def test_nothing_changed(load: Callable[[Board], Engine]) -> None:
    """A year later all of it is as old, and the old list has been stale since."""
    engine = load(COUNTED.but(posts=(), targets=()))
    later = Area(BOARD, date(2027, 9, 30))
    assert of_ward(engine, ELM, later)["What changed in three months"] == (
        ["Nothing since 30 June 2027."], [], None,
    )  # fmt: skip


# For whom, and what it rests on.


@pytest.mark.parametrize("scope", [Scope(frozenset({NEIGHBOUR})), Scope(frozenset())])
def test_out_of_scope_there_is_none(told: Engine, scope: Scope) -> None:
    for brief, code in ((ward_brief, CASTLE), (network_brief, SOUTH)):
        try:
            found = brief(told, scope, AREA, code)
        except NotThereError:
            found = None
        assert found is None


def test_what_is_not_of_the_board_has_none(told: Engine) -> None:
    for code in ("", "E05999999", GORSE, SOUTH):
        assert ward_brief(told, EVERYTHING, AREA, code) is None
    for code in ("", "U99999", GORSE_PCN, CASTLE):
        assert network_brief(told, EVERYTHING, AREA, code) is None
    assert ward_brief(told, EVERYTHING, Area(NEIGHBOUR, AS_AT), CASTLE) is None


def test_a_reader_of_the_board_finds_the_same(told: Engine) -> None:
    mine = Scope(frozenset({BOARD}))
    assert ward_brief(told, mine, AREA, CASTLE) == ward_brief(told, EVERYTHING, AREA, CASTLE)
    assert network_brief(told, mine, AREA, SOUTH) == network_brief(told, EVERYTHING, AREA, SOUTH)


def test_the_footer_names_published_files_alone(told: Engine) -> None:
    """The name of a local return may name another board."""
    brief = ward_brief(told, EVERYTHING, AREA, CASTLE)
    network = network_brief(told, EVERYTHING, AREA, NORTH)
    assert brief is not None
    assert network is not None
    assert list(brief.footer) == [
        "Newest published files: deprivation: deprivation.csv; list_sizes: list_sizes.csv; "
        "registered_patients: registered_patients.csv; ward_population: ward_population.csv; "
        "workforce: workforce.csv. Referrals, services, schemes, posts and leads are the board's own "
        "returns; every file with its SHA-256 is on the page Methods.",
        f"Small numbers: {NHS_WORDS}. Version {__version__}.",
    ]
    assert network.footer == brief.footer


# Hidden numbers.


def everything(engine: Engine) -> list[Brief | None]:
    wards = [ward_brief(engine, EVERYTHING, AREA, code) for code in BOARD_WARDS]
    return [*wards, *(network_brief(engine, EVERYTHING, AREA, code) for code in NETWORKS)]


def test_a_hidden_number_changes_nothing(load: Callable[[Board], Engine]) -> None:
    """Of Dale 5 or 7 of 170 and 172, both 170 rounded; of South 30 or 32, both 30."""
    five, seven = (
        everything(load(COUNTED.but(referrals=numbers(*NUMBERS[:3], (SOUTH, DALE, few)))))
        for few in (5, 7)
    )
    assert None not in five
    assert five == seven
    dale = parts(five[BOARD_WARDS.index(DALE)])
    assert dale["Take-up"] == (
        ["Set apart, and not called low: Provided, take-up hidden."],
        [("Referrals, 12 months", "*")],
        None,
    )
    assert dale["What changed in three months"][0][-1] == (
        "Referrals in 12 months to then: –; to now: * (as rounded)."
    )


# The address.


def words(body: bytes) -> str:
    (page,) = pypdf.PdfReader(io.BytesIO(body)).pages
    return " ".join(page.extract_text().replace(ZERO_WIDTH_SPACE, "").split())


@pytest.mark.parametrize(
    ("asked", "name", "said"),
    [
        (f"ward={CASTLE}", CASTLE, "Castle, Northam"),
        (f"pcn={SOUTH}", SOUTH, "South PCN"),
        # The ward says more.
        (f"ward={CASTLE}&pcn={SOUTH}", CASTLE, "Castle, Northam"),
    ],
)
def test_the_pdf(told: Engine, asked: str, name: str, said: str) -> None:
    answer = get(f"{ADDRESS}&{asked}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["content-disposition"] == (
        f'attachment; filename="brief-{name}-{AS_AT}.pdf"'
    )
    assert answer.headers["cache-control"] == "no-store"
    text = words(answer.content)
    assert text.startswith(f"{said} Social prescribing brief")
    assert f"Small numbers: {NHS_WORDS}." in text


@pytest.mark.parametrize(
    "address",
    [
        ADDRESS,
        f"{ADDRESS}&ward=E05999999",
        f"{ADDRESS}&ward={GORSE}",
        f"{ADDRESS}&pcn=U99999",
        f"/brief.pdf?as_at={AS_AT}&ward={CASTLE}",
        f"/brief.pdf?icb={NEIGHBOUR}&as_at={AS_AT}&ward={CASTLE}",
    ],
)
def test_no_such_brief(told: Engine, address: str) -> None:
    answer = get(address)
    assert (answer.status_code, answer.text) == (404, "not found")


@pytest.mark.parametrize("as_at", ["", "&as_at=", "&as_at=yesterday", "&as_at=2026-06-31"])
def test_a_date_that_is_none(told: Engine, as_at: str) -> None:
    answer = get(f"/brief.pdf?icb={BOARD}&ward={CASTLE}{as_at}")
    assert (answer.status_code, answer.text) == (400, "expected as_at=YYYY-MM-DD")


def test_what_is_for_use_inside_does_not_leave(
    told: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASHBOARD_ALLOW_INTERNAL", "true")
    monkeypatch.setenv("DASHBOARD_DISCLOSURE_PROFILE", "internal")
    settings.cache_clear()
    assert get(f"{ADDRESS}&ward={CASTLE}").status_code == 404
    assert get(f"{ADDRESS}&pcn={SOUTH}").status_code == 404


def test_another_reader_is_not_answered(told: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "current_scope", lambda: Scope(frozenset({NEIGHBOUR})))
    assert get(f"{ADDRESS}&ward={CASTLE}").status_code == 404
    assert get(f"{ADDRESS}&pcn={SOUTH}").status_code == 404
