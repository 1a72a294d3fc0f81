"""The Data page: what is there and what is not, files on their way in, taking a load back."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from dashboard import data, loading, upload
from dashboard.access import current_user
from dashboard.intake.source import Source, plain_name
from queries import history, jobs, tables
from queries.scope import EVERYTHING
from tests.app.reading import Markup, View
from tests.app.test_escaping import HOSTILE, OUR_TAGS
from tests.app.test_routes import get
from tests.conftest import rest_is_slow
from tests.intake import files
from tests.small_board import BOARD, EAST, NORTH, OUTSIDER_ICB, Board
from tests.test_loading import FEWER_SERVICES, SUPPLIERS, WITH_A_BAD_ROW

# Whole pages, the command line or the server: `test_pages` has one quick look at each.
pytestmark = pytest.mark.slow

RECEIVED, LATE, MISSING = "received", "late", "missing"
NOT_DUE, NEVER, NONE = "not due yet", "never loaded", "none expected"
QUESTION = "Is everything here, and can it be trusted?"
NHS_NUMBER = "943 476 5919"


@pytest.fixture
def nothing(
    use_database: Callable[[Path], Engine], upgraded_file: Path, tmp_path: Path, read_here: None
) -> Engine:
    """The dashboard reads a database of its own in which nothing is loaded."""
    return use_database(Path(shutil.copy(upgraded_file, tmp_path / "own.db")))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Engine]:
    """The worker loads at once, in this process; one entry for each that was started."""
    calls: list[Engine] = []

    def work() -> None:
        engine = upload.engine()
        calls.append(engine)
        assert loading.work(engine, until_idle=True, wait=lambda: pytest.fail("it waits"))

    monkeypatch.setattr(loading, "start_worker", work)
    return calls


def offered(engine: Engine, text: str, name: str = "file.csv", who: str | None = None) -> int:
    """A file whose check has ended; its job."""
    source = Source.of(name, text.encode())
    who = who or current_user()
    job_id = jobs.offer(engine, source.name, source.size, source.sha256, who)
    loading.check(engine, job_id, source)
    return job_id


def loaded(engine: Engine, text: str, name: str = "file.csv", who: str | None = None) -> int:
    """A file that was loaded; its load."""
    job_id = offered(engine, text, name, who)
    assert jobs.queue(engine, job_id)
    assert loading.work(engine, until_idle=True, wait=lambda: pytest.fail("it waits"))
    load_id = jobs.one(engine, job_id).load_id
    assert load_id is not None
    return load_id


def put(engine: Engine, job_id: int, **values: object) -> None:
    """A job in a state that only another process could bring it to."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(
            update(tables.job).where(tables.job.c.id == job_id).values(**values)
        )  # fmt: skip


def send(view: View, *sent: tuple[str, str]) -> View:
    """Give files to the page, and look again when they have been checked."""
    view.app.file_uploader[0].set_value([(n, t.encode(), "text/csv") for n, t in sent]).run()
    return settled(view)


def settled(view: View) -> View:
    until = time.monotonic() + 20
    while any(job.state == "checking" for job in upload._open_jobs()):
        assert time.monotonic() < until, "a check does not end"
        time.sleep(0.02)
    view.app.run()
    assert not view.app.exception
    return view


def press(view: View, words: str) -> View:
    next(button for button in view.app.main.button if button.label == words).click().run()
    assert not view.app.exception
    return view


def buttons(view: View) -> list[str]:
    return [button.label for button in view.app.main.button]


def states(engine: Engine) -> list[tuple[str, str]]:
    found = history.history(engine, EVERYTHING)
    return list(zip(found["file_name"], found["state"], strict=True))


def titles(view: View) -> list[str]:
    """Of each card: the file and how it stands."""
    return [" ".join(Markup.of(b).text.split()) for b in view.markup() if "card-title" in b]


def said(view: View, class_name: str) -> list[str]:
    """The lines of all lists of this class."""
    return [
        Markup.of(line).text
        for body in view.markup()
        if f'<ul class="{class_name}"' in body
        for line in re.findall(r"<li>(.*?)</li>", body)
    ]


def grid(view: View, caption: str) -> dict[str, list[str]]:
    """The rows of a grid by name: each month's sign, state and count as one reads them."""
    body = next(m for m in view.markup() if f"<caption>{caption}" in m)
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', body)
    return {
        Markup.of(name).text: [
            " ".join(Markup.of(cell).text.split()) for cell in re.findall(r"<td.*?</td>", cells)
        ]
        for name, cells in rows
    }


def months(view: View, caption: str) -> list[str]:
    body = next(m for m in view.markup() if f"<caption>{caption}" in m)
    return re.findall(r'<th scope="col">(.*?)</th>', body)


def facts(view: View) -> dict[str, str]:
    body = next(m for m in view.markup() if '<dl class="facts"' in m)
    return {
        Markup.of(term).text: Markup.of(words).text
        for term, words in re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", body)
    }


SIGNS = {RECEIVED: "✓", LATE: "!", MISSING: "✕", NOT_DUE: "○", NEVER: "–"}


def cells(*states: str | tuple[str, int]) -> list[str]:
    """How states read: a sign and words, and how many parts there are."""
    found = []
    for state in states:
        name, count = state if isinstance(state, tuple) else (state, None)
        found.append(" ".join(str(p) for p in (SIGNS.get(name), name, count) if p is not None))
    return found


# What is there.

DATASETS_GRID, WORKFORCE_GRID = "What is there for each month", "Workforce, published"
REFERRALS_GRID = "Referrals, local return"


def test_a_row_of_each_kind(small_board: Engine, open_page: Callable[..., View]):
    """The small board at 30 June 2026, three months of grace after the month it was due in.

    Referrals came for June and July 2025 and June 2026; December's, due 31 January, is missing
    since May; January's, due 3 March, is late to the end of June; May's is due on 1 July.
    The workforce came for November and, for two boards, June; December's was due on 14 February,
    and is missing since June; May's is due on 15 July. Of lists the newest counts.
    """
    view = open_page("data")
    assert not view.app.exception
    assert sum(body.count("<h1>") for body in view.markup()) == 1
    assert QUESTION in view.words()
    assert view.chosen_words == "Small board · as at 30 June 2026"
    assert months(view, DATASETS_GRID) == [
        "Jun 25", "Jul 25", "Aug 25", "Sep 25", "Oct 25", "Nov 25", "Dec 25",
        "Jan 26", "Feb 26", "Mar 26", "Apr 26", "May 26", "Jun 26",
    ]  # fmt: skip
    newest = cells(*[NONE] * 12, (RECEIVED, 1))
    assert grid(view, DATASETS_GRID) == {
        "PCN workforce, individual level (NHS England)": cells(
            *[MISSING] * 5, (RECEIVED, 1), MISSING, *[LATE] * 4, NOT_DUE, (RECEIVED, 2)
        ),
        "Practices with their PCN and ICB (NHS England)": newest,
        "List sizes by age (NHS England)": newest,
        "Registered patients by practice and LSOA (NHS England)": newest,
        "GP appointments, practice-level crosstab (NHS England)": cells(*[NEVER] * 13),
        "Referrals (local return)": cells(
            (RECEIVED, 1), (RECEIVED, 2), *[MISSING] * 5, *[LATE] * 4, NOT_DUE, (RECEIVED, 2)
        ),
        "Outcome measurements (local return)": cells(*[NEVER] * 13),
    }
    finding = " ".join(view.part("finding").split())
    assert finding == (
        "Of the files that come each month: 8 late, 11 missing. Never loaded: GP "
        "appointments, practice-level crosstab (NHS England); Outcome measurements (local return)."
    )


def test_a_network_that_stopped(demonstration: Engine, open_page: Callable[..., View]):
    """Of the demonstration: one in Dover has not returned its workforce since February 2026, and
    one in Sevenoaks no referrals since October 2025, of which November's was due on 31 December
    and is missing since April."""
    view = open_page("data")
    workforce = grid(view, WORKFORCE_GRID)
    assert workforce.pop("Dover South West PCN (UDK010)") == cells(
        *[RECEIVED] * 9, *[LATE] * 2, *[NOT_DUE] * 2
    )
    assert len(workforce) == 37
    assert {tuple(row) for row in workforce.values()} == {tuple(cells(*[RECEIVED] * 13))}
    view.app.segmented_control(key="return shown").set_value("referrals").run()
    referrals = grid(view, REFERRALS_GRID)
    # What is wrong comes first.
    assert next(iter(referrals)) == "Sevenoaks South PCN (UDK023)"
    assert referrals["Sevenoaks South PCN (UDK023)"] == cells(
        *[RECEIVED] * 5, *[MISSING] * 2, *[LATE] * 4, *[NOT_DUE], *[NOT_DUE]
    )
    assert referrals["Dover South West PCN (UDK010)"] == cells(*[RECEIVED] * 13)
    assert "Demonstration." in view.words()


@pytest.mark.slow
def test_the_date_that_is_chosen_is_that_of_the_grids(
    demonstration: Engine, open_page: Callable[..., View]
):
    view = open_page("data", as_at="2026-03-31")
    assert months(view, DATASETS_GRID)[-1] == months(view, WORKFORCE_GRID)[-1] == "Mar 26"
    assert grid(view, WORKFORCE_GRID)["Dover South West PCN (UDK010)"] == cells(
        *[RECEIVED] * 12, NOT_DUE
    )


def test_files_without_months(small_board: Engine, open_page: Callable[..., View]):
    body = next(m for m in open_page("data").markup() if "<caption>What is in force" in m)
    rows = re.findall(r'<tr><th scope="row">(.*?)</th><td>(.*?)</td><td>(.*?)</td></tr>', body)
    in_force = {name: parts for name, parts, _ in rows}
    assert in_force["Ward boundaries, GeoJSON (ONS)"] == "3 districts"
    assert in_force["Services and capacity (local return)"] == "1 providers"
    assert in_force["Link-worker posts (local return)"] == "2 PCNs"
    assert ["Named leads (local return)", "nothing loaded", "–"] in [list(row) for row in rows]


def test_an_empty_database_tells_what_to_load_first(empty: Engine, open_page: Callable[..., View]):
    view = open_page("data")
    assert not view.app.exception
    assert view.chosen_words == "No board is loaded yet"
    assert len(view.app.file_uploader) == 1
    words = view.words()
    assert "Ward boundaries and the LSOA lookups come first" in words
    assert "Nothing was loaded yet." in words
    assert {cell for row in grid(view, DATASETS_GRID).values() for cell in row} == set(cells(NEVER))
    assert "Referrals (local return)" in view.part("finding")


# Files on their way in.


def test_a_file_is_checked_loaded_and_in_the_history(
    nothing: Engine, started: list[Engine], open_page: Callable[..., View]
):
    view = send(open_page("data"), ("places.csv", files.SERVICES))
    assert titles(view) == ["places.csv checked: not loaded yet"]
    assert facts(view) == {
        "Recognised as": "Services and capacity (local return)",
        "Vintage": "not stated in the file",
        "Period": "none: it holds from now on",
        "Rows": "3",
        "Loading": "providers: adds 2, replaces 0, 0 rows refused",
    }
    assert "3 services of 2 providers" in said(view, "lines")
    assert "Walks" in view.words()
    assert buttons(view) == ["Load", "Do not load"]
    assert states(nothing) == []
    press(view, "Load")
    assert titles(view) == ["places.csv loaded"]
    assert buttons(view) == []
    assert (states(nothing), len(started)) == ([("places.csv", "loaded")], 1)
    table = next(Markup.of(m).text for m in view.markup() if "<caption>Files offered" in m)
    assert f"{current_user()} places.csv" in " ".join(table.split())
    assert "load 1, in force" in table
    # A rerun offers nothing again.
    view.app.run()
    assert len(upload._open_jobs()) == 1


@pytest.mark.slow
def test_a_second_click_is_no_second_load(
    nothing: Engine, started: list[Engine], open_page: Callable[..., View]
):
    offered(nothing, files.SERVICES)
    first, second = open_page("data"), open_page("data")
    press(first, "Load")
    # The other still shows the button.
    press(second, "Load")
    assert (states(nothing), len(started)) == ([("file.csv", "loaded")], 1)
    assert titles(second) == ["file.csv loaded"]


@pytest.mark.slow
def test_several_files_are_loaded_at_once(
    nothing: Engine, started: list[Engine], open_page: Callable[..., View]
):
    view = send(
        open_page("data"), ("services.csv", files.SERVICES), ("schemes.csv", files.SCHEME_AREAS)
    )
    press(view, "Load all 2")
    assert sorted(titles(view)) == ["schemes.csv loaded", "services.csv loaded"]
    assert len(started) == 1


def test_the_history_tells_at_once_of_a_file_that_ended_without_a_load(
    nothing: Engine, started: list[Engine], open_page: Callable[..., View]
):
    """No change of the data, and yet of what is listed."""

    def listed(view: View) -> str:
        told = [Markup.of(m).text for m in view.markup() if "<caption>Files offered" in m]
        return " ".join("".join(told).split())

    offered(nothing, files.SERVICES)
    view = open_page("data")
    assert listed(view) == ""
    press(view, "Do not load")
    assert "file.csv" in listed(view)
    version = data.data_state().version
    first = history.history_mark(nothing, EVERYTHING)
    offered(nothing, files.SCHEME_AREAS)
    assert history.history_mark(nothing, EVERYTHING) == first
    press(View(view.app.run()), "Do not load")
    assert listed(view).count("file.csv") == 2
    assert data.data_state().version == version


def test_a_file_that_is_not_wanted(
    nothing: Engine, started: list[Engine], open_page: Callable[..., View]
):
    offered(nothing, files.SERVICES)
    view = press(open_page("data"), "Do not load")
    assert titles(view) == ["file.csv not loaded"]
    assert "Not loaded: taken away before it was confirmed." in said(view, "lines")
    assert (states(nothing), started, buttons(view)) == ([("file.csv", "dropped")], [], [])


def test_what_is_replaced_is_said_before(nothing: Engine, open_page: Callable[..., View]):
    loaded(nothing, FEWER_SERVICES, "first.csv")
    offered(nothing, files.SERVICES)
    found = facts(open_page("data"))
    assert found["Loading"].startswith("providers: adds 1, replaces 1 (")
    assert found["Rows kept"] == "9 in place of 7"


def test_a_file_with_problems_says_which(nothing: Engine, open_page: Callable[..., View]):
    job_id = offered(nothing, files.SERVICES.replace("2026-06-01", "soon"), "places.csv")
    view = open_page("data")
    assert titles(view) == ["places.csv refused: nothing of it was loaded"]
    problem = said(view, "problems")[0]
    assert problem.startswith("row 2, column 'confirmed_on': ")
    assert problem.endswith("found 'so…' (4 characters)")
    assert (buttons(view), states(nothing)) == ([], [("places.csv", "refused")])
    assert f'href="/refusals/{job_id}.csv"' in "".join(view.markup())
    assert "confirmed_on" in get(f"/refusals/{job_id}.csv").text


@pytest.mark.slow
def test_the_same_bytes_again_change_nothing(nothing: Engine, open_page: Callable[..., View]):
    loaded(nothing, files.SERVICES, "first.csv")
    view = send(open_page("data"), ("again.csv", files.SERVICES))
    assert titles(view)[0] == "again.csv nothing changed"
    assert re.search(r"Already loaded on .* as 'first\.csv': the same bytes", view.words())
    assert buttons(view) == []


@pytest.mark.parametrize(
    ("state", "words", "may"),
    rest_is_slow(
        ("checking", "is being checked", []),
        ("waiting", "waits to be loaded", []),
        ("loading", "is being loaded", []),
        ("failed", "failed: nothing of it was loaded", ["Try again", "Do not load"]),
        ("parked", "parked: nothing of it was loaded", ["Try again", "Do not load"]),
    ),
)
def test_a_card_in_each_other_state(
    nothing: Engine, open_page: Callable[..., View], state: str, words: str, may: list[str]
):
    job_id = offered(nothing, files.SERVICES)
    started_at = datetime.now(UTC) - timedelta(seconds=100)
    put(nothing, job_id, state=state, message="Why it ended.", started_at=started_at)
    view = open_page("data")
    assert titles(view) == [f"file.csv {words}"]
    assert buttons(view) == may
    lines = said(view, "lines")
    if may:
        assert "Why it ended." in lines
    else:
        seconds = next(line for line in lines if "seconds so far" in line)
        assert (int(seconds.split()[0]) >= 100) == (state == "loading")
        assert "You may leave this page" in seconds
    assert ("Recognised as" in view.words()) == (state != "checking")


@pytest.mark.slow
def test_what_failed_is_tried_again(
    nothing: Engine, started: list[Engine], open_page: Callable[..., View]
):
    jobs.ended(nothing, offered(nothing, files.SERVICES), "failed", "The disk is full.")
    assert titles(press(open_page("data"), "Try again")) == ["file.csv loaded"]
    assert states(nothing) == [("file.csv", "loaded")]


@pytest.mark.slow
def test_what_ended_leaves_the_screen(nothing: Engine, open_page: Callable[..., View]):
    loaded(nothing, files.SERVICES)
    put(nothing, 1, ended_at=datetime.now(UTC) - upload.IN_VIEW - timedelta(seconds=1))
    view = open_page("data")
    assert titles(view) == []
    assert "load 1, in force" in view.words()


# Mapping a supplier's export.


def choose_mapping(view: View) -> View:
    box = next(b for b in view.app.selectbox if str(b.key).startswith("mapped dataset"))
    box.set_value("referrals").run()
    assert not view.app.exception
    return view


def boxes(view: View, kind: str) -> dict[str, object]:
    """What is chosen in the boxes for our columns ("column") or their words ("word")."""
    found = [b for b in view.app.selectbox if str(b.key).startswith(f"{kind} ")]
    return {str(b.key).split()[1]: b.value for b in found if b.value is not None}


EXPORT = "Case ID,Date Received,Electoral Ward,Referrer Type\nr1,2026-01-31,E05000001,Surgery\n"


@pytest.mark.slow
def test_an_export_is_mapped_once(
    nothing: Engine, started: list[Engine], open_page: Callable[..., View]
):
    view = choose_mapping(send(open_page("data"), ("export.csv", EXPORT)))
    assert boxes(view, "column") == {
        "reference": "Case ID",
        "received": "Date Received",
        "ward_code": "Electoral Ward",
        "source": "Referrer Type",
    }
    assert boxes(view, "word") == {"source": "GP"}
    save_it = next(b for b in view.app.main.button if b.label == "Save and check the file")
    assert save_it.disabled
    name = next(b for b in view.app.text_input if str(b.key).startswith("mapping name"))
    name.set_value("Elemental").run()
    press(view, "Save and check the file")
    settled(view)
    assert titles(view)[0] == "export.csv checked: not loaded yet"
    assert facts(view)["Recognised as"] == "Referrals (local return)"
    # The next file of the same headings asks nothing.
    second = EXPORT.replace("r1,2026-01", "r2,2026-03")
    view = send(open_page("data"), ("next.csv", second))
    assert titles(view)[0] == "next.csv checked: not loaded yet"
    press(view, "Load all 2")
    assert sorted(states(nothing)) == [
        ("export.csv", "loaded"), ("export.csv", "refused"), ("next.csv", "loaded"),
    ]  # fmt: skip
    with nothing.connect() as connection:
        kept = connection.execute(tables.referral.select()).mappings().all()
    assert [row["source"] for row in kept] == ["GP", "GP"]


@pytest.mark.slow
def test_a_column_that_is_needed_must_be_named(nothing: Engine, open_page: Callable[..., View]):
    view = choose_mapping(send(open_page("data"), ("export.csv", SUPPLIERS)))
    next(b for b in view.app.selectbox if str(b.key).startswith("column received")).set_value(
        None
    ).run()
    next(b for b in view.app.text_input).set_value("ours").run()
    assert "Still needed: received" in said(view, "lines")
    assert next(b for b in view.app.main.button if b.label.startswith("Save")).disabled


# Taking a load back.


def test_a_load_is_taken_back(nothing: Engine, open_page: Callable[..., View]):
    loaded(nothing, FEWER_SERVICES, "first.csv")
    loaded(nothing, files.SERVICES, "second.csv")
    view = open_page("data")
    assert [o.split(",")[0] for o in view.options("load to undo")] == [
        "None", "2: second.csv", "1: first.csv",
    ]  # fmt: skip
    assert not [b for b in buttons(view) if b.startswith("Undo")]
    press(view.choose("load to undo", 2), "Undo load 2")  # type: ignore[arg-type]
    assert "Load 2 (second.csv) was undone: 2 withdrawn, 1 restored." in said(view, "lines")
    assert "load 2, undone" in view.words()
    assert "load 1, in force" in view.words()
    assert view.value("load to undo") == "None"
    view.app.run()
    assert "was undone" not in view.words()
    # The last one too says what became of it.
    press(view.choose("load to undo", 1), "Undo load 1")  # type: ignore[arg-type]
    assert "Load 1 (first.csv) was undone: 1 withdrawn, 0 restored." in said(view, "lines")
    assert not view.has_box("load to undo")


@pytest.mark.slow
def test_what_somebody_else_took_back_meanwhile(nothing: Engine, open_page: Callable[..., View]):
    load_id = loaded(nothing, files.SERVICES)
    view = open_page("data").choose("load to undo", load_id)  # type: ignore[arg-type]
    loading.undo(nothing, load_id, "Bob")
    press(view, f"Undo load {load_id}")
    assert any(line.startswith(f"Load {load_id} was undone on ") for line in said(view, "lines"))


@pytest.mark.slow
def test_a_load_that_went_while_it_was_chosen(nothing: Engine, open_page: Callable[..., View]):
    first = loaded(nothing, FEWER_SERVICES)
    second = loaded(nothing, files.SERVICES)
    view = open_page("data").choose("load to undo", second)  # type: ignore[arg-type]
    loading.undo(nothing, second, "Bob")
    view.app.run()
    assert not view.app.exception
    assert [o.split(":")[0] for o in view.options("load to undo")] == ["None", str(first)]


# What must not be there.


def test_who_may_see_no_board_sees_no_local_return(
    load_board: Callable[[Board], Engine],
    read_here: None,
    open_page: Callable[..., View],
    read_as: Callable[[str], None],
):
    engine = load_board(Board())
    loaded(engine, WITH_A_BAD_ROW, "secret referrals.csv", "Bob")
    loaded(engine, files.WORKFORCE, "published.csv", "Bob")
    offered(engine, files.SERVICES, "secret services.csv", "Bob")
    refused = [
        offered(engine, files.SERVICES.replace("free", "f" * 5_000), "secret two.csv", "Bob"),
        offered(engine, "a,b\nsecret,2\n", "secret unknown.csv", "Bob"),
        1,
    ]
    everybody = open_page("data").everything()
    assert "secret" in everybody
    assert any(len(get(f"/refusals/{n}.csv").content) > 100 for n in refused)
    read_as(OUTSIDER_ICB)
    view = open_page("data")
    assert not view.app.exception
    assert "secret" not in view.everything()
    for name in ("Small board", "North PCN", NORTH, EAST, BOARD):
        assert name not in view.everything()
    assert titles(view) == []
    # Not "never loaded" either: nothing is said of what is not shown.
    rows = grid(view, DATASETS_GRID)
    assert rows
    assert not any("local return" in name for name in rows)
    # Who loads nothing has no history of loads.
    history = get("/history.csv")
    assert (history.status_code, history.text) == (404, "not found")
    for number in refused:
        answer = get(f"/refusals/{number}.csv")
        # As if there were none.
        assert (answer.status_code, answer.text) == (404, "not found")


def test_a_board_sees_its_own_networks_only(
    small_board: Engine, open_page: Callable[..., View], read_as: Callable[[str], None]
):
    read_as(BOARD)
    rows = grid(open_page("data", icb="QZ2"), WORKFORCE_GRID)
    assert set(rows) == {"North PCN (U90001)", "South PCN (U90002)", "East PCN (U90003)"}


def test_nothing_of_a_person_is_on_the_page(nothing: Engine, open_page: Callable[..., View]):
    rows = WITH_A_BAD_ROW.replace("\nr", "\nSECRETREF-")
    export = EXPORT.replace("r1", "SECRETREF-1")
    view = send(
        open_page("data"),
        ("good.csv", rows),
        ("wrong.csv", rows.replace("2026-01-0", "SECRETDATE")),
        ("numbers.csv", rows.replace("E05000001", NHS_NUMBER)),
        (f"{NHS_NUMBER}.csv", files.SCHEME_AREAS),
        ("export.csv", export),
    )
    choose_mapping(view)
    assert len(titles(view)) == 4
    assert "its name holds what may be an NHS number: rename the file" in said(view, "problems")
    everything = view.everything() + get("/history.csv").text
    everything += "".join(get(f"/refusals/{number}.csv").text for number in range(1, 6))
    assert "SECRET" not in everything
    digits = NHS_NUMBER.replace(" ", "")
    assert digits not in re.sub(r"[^0-9A-Za-z]", "", everything)
    # What is kept of the rows is told as how many state each column.
    assert "How many rows state each column" in everything


def test_hostile_names_are_text(nothing: Engine, open_page: Callable[..., View]):
    # What would be a separator of a file or a path is left out.
    attack = HOSTILE.replace("/", "").replace('"', "").strip()
    word = "**bold** $x$ :red[y] `code`"
    export = f"Case ID,Date Received,{attack},Referrer Type\nr1,2026-01-31,{attack},{word}\n"
    loaded(nothing, FEWER_SERVICES, f"{attack} first.csv")
    view = send(
        open_page("data"),
        (f"{attack} services.csv", files.SERVICES.replace("Walks", attack.replace(",", ""))),
        (f"{attack} export.csv", export),
    )
    choose_mapping(view)
    # Its label is Markdown of Streamlit.
    assert any(str(box.key).startswith(f"word source {word}") for box in view.app.selectbox)
    for body in view.markup():
        found = Markup.of(body)
        assert found.tags <= OUR_TAGS
        for name, value in found.attributes:
            assert not name.startswith("on")
            assert name not in ("src", "srcdoc", "srcset")
            if name == "href":
                assert re.fullmatch(r"/(refusals/\d+|history|template/\w+)\.(csv|xlsx)", value)
    text = " ".join(view.words().split())
    for end in ("first.csv", "services.csv", "export.csv"):
        assert plain_name(f"{attack} {end}") in text
    for element in view.elements():
        for name in ("body", "label", "help", "placeholder"):
            if element.type == "html" or name not in element.proto.DESCRIPTOR.fields_by_name:
                continue
            value = str(getattr(element.proto, name))
            for raw in ("**bold**", "[link](javascript", "$x$", ":red[", "`code`", "<script"):
                assert not re.search(rf"(?<!\\){re.escape(raw)}", value), (element.type, value)
    csv = get("/history.csv").content.decode("utf-8-sig")
    assert "'=1+1<script>" in csv
    assert not re.search(r'(^|,)"?=1\+1', csv, re.MULTILINE)
