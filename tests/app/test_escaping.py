"""Names out of a file are text, wherever they are shown."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine

from queries.database import make_engine
from queries.load import CleanLoad, save
from tests.app.reading import Markup, View
from tests.app.test_routes import get
from tests.conftest import rest_is_slow
from tests.small_board import ABBEY, AS_AT, BOARD, NORTH, Board, made_of

# Whole pages, the command line or the server: `test_pages` has one quick look at each.
pytestmark = pytest.mark.slow

HOSTILE = (
    '=1+1<script>alert("x")</script><img src=x onerror=alert(1)>**bold** $x$ :red[y] '
    "[link](javascript:alert(1)) `code` & \"quote' "
)
# What our own markup is made of.
OUR_TAGS = {
    "a", "b", "br", "caption", "code", "dd", "details", "div", "dl", "dt", "h1", "h2", "h3", "li",
    "img", "p", "pre", "small", "span", "strong", "summary", "table", "tbody", "td", "th", "thead", "tr",
    "ul",
}  # fmt: skip
NAMES = {
    "area": ["area_name"],
    "service": ["service_name", "provider", "state"],
    "service_theme": ["theme"],
    "scheme_area": ["scheme", "organisation"],
    "post": ["role_title", "employer_type", "supervised_by"],
    "local_target": ["reason"],
    "link_worker": ["role_title"],
}


def poisoned(load: CleanLoad) -> CleanLoad:
    rows: dict[str, pd.DataFrame] = {}
    for table, frame in load.rows.items():
        changed = frame.copy()
        for column in NAMES.get(table, []):
            if column in changed:
                changed[column] = HOSTILE + changed[column].astype("str")
        rows[table] = changed
    return dataclasses.replace(load, rows=rows)


def posts_with_words() -> CleanLoad:
    """Posts with every word that a return may give."""
    words = {"role_title": "Navigator", "employer_type": "Together CIC", "supervised_by": "nurse"}
    rows = pd.DataFrame([("filled", "P1"), ("vacant", "P2")], columns=["status", "post_id"]).assign(
        part_key=NORTH, pcn_code=NORTH, funded_fte=1.0, **words
    )
    return made_of("posts", [NORTH], {"post": rows})


@pytest.fixture(scope="module")
def hostile_path(tmp_path_factory: pytest.TempPathFactory, upgraded_file: Path) -> Path:
    path = tmp_path_factory.mktemp("hostile") / "board.db"
    shutil.copy(upgraded_file, path)
    engine = make_engine(f"sqlite:///{path.as_posix()}")
    for load in [*Board(posts=()).loads(), posts_with_words()]:
        save(engine, poisoned(load))
    engine.dispose()
    return path


@pytest.fixture
def hostile_board(
    use_database: Callable[[Path], Engine], hostile_path: Path, on_the_day: None
) -> Engine:
    """A board in which every name that a file may give is an attack."""
    return use_database(hostile_path)


@pytest.mark.parametrize(
    "address",
    rest_is_slow({"ward": ABBEY}, {}, {"pcn": "U90003", "locality": "E07000901"}, {"pcn": NORTH}),
)
@pytest.mark.parametrize("page", ["coverage", "workforce", "outcomes", "methods"])
def test_markup_holds_our_own_tags_only(
    hostile_board: Engine, open_page: Callable[..., View], page: str, address: dict[str, str]
):
    view = open_page(page, **address)
    assert not view.app.exception
    for body in view.markup():
        found = Markup.of(body)
        assert found.tags <= OUR_TAGS
        for name, value in found.attributes:
            assert not name.startswith("on")
            assert name not in ("srcdoc", "srcset")
            if name == "src":
                # The small lines of the tiles, drawn from numbers.
                assert value.startswith("data:image/svg+xml,%3Csvg")
                assert "script" not in value
            if name == "href":
                assert re.match(r"(/export/|\?)", value)
    if page == "coverage":
        # As it was written: neither run nor dropped.
        assert HOSTILE.strip() in " ".join(view.words().split()) + HOSTILE * ("ward" not in address)


def test_the_attack_is_shown_as_written(hostile_board: Engine, open_page: Callable[..., View]):
    view = open_page(ward=ABBEY)
    texts = [Markup.of(body).text for body in view.markup()]
    for words in ("Small board", "North PCN", "Garden", "Together CIC", "Abbey"):
        assert any(HOSTILE + words in text for text in texts), words


def test_the_attack_is_shown_as_written_on_workforce(
    hostile_board: Engine, open_page: Callable[..., View]
):
    view = open_page("workforce", pcn=NORTH)
    texts = [Markup.of(body).text for body in view.markup()]
    for words in ("North PCN", "agreed", "worker", "Navigator", "Together CIC", "nurse"):
        assert any(HOSTILE + words in text for text in texts), words


@pytest.mark.parametrize("name", ["staffing", "funnel", "pressure"])
def test_plotly_gets_names_as_text(
    hostile_board: Engine, open_page: Callable[..., View], name: str
):
    """It reads a little HTML: what stands in a name must not be any."""
    view = open_page("workforce", pcn=NORTH, view=name)
    for chart in (f"networks_{name}", "trend_fte", "trajectory", "need"):
        words = json.dumps(view.figure(chart), ensure_ascii=False)
        tags = set(re.findall(r"</?([a-z]+)[^>]*>", words))
        assert tags <= {"b", "br", "span", "extra"}
        assert not re.search(r"<[^>]*\bon\w+=|javascript:alert.*</a", words)


def test_the_list_of_networks_is_plain_text(hostile_board: Engine):
    rows = get(f"/table/workforce.json?icb={BOARD}&as_at={AS_AT}").json()["rows"]
    north = next(row for row in rows if row["key"] == NORTH)
    assert north["cells"][0] == [HOSTILE + "North PCN", None, HOSTILE + "Northam"]


def test_no_name_is_read_as_markdown(hostile_board: Engine, open_page: Callable[..., View]):
    """Headings, captions and labels of Streamlit read Markdown: none may hold a raw name."""
    for page, address in (
        ("coverage", {"ward": ABBEY}),
        ("workforce", {"pcn": NORTH}),
        ("outcomes", {"pcn": NORTH}),
        ("methods", {}),
    ):
        for element in open_page(page, **address).elements():
            proto = element.proto
            for name in ("body", "label", "help", "placeholder"):
                if element.type == "html" or name not in proto.DESCRIPTOR.fields_by_name:
                    continue
                value = str(getattr(proto, name))
                for raw in ("**bold**", "[link](javascript", "$x$", ":red[", "`code`", "<script"):
                    escaped = re.search(rf"(?<!\\){re.escape(raw)}", value) is None
                    assert escaped, f"{element.type}.{name}: {value[:120]}"


def test_the_list_is_plain_text(hostile_board: Engine):
    """The table's script writes text nodes, so the name must come as it is, in text cells."""
    answer = get(f"/table/coverage.json?icb={BOARD}&as_at={AS_AT}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    row = next(row for row in answer.json()["rows"] if row["key"] == ABBEY)
    assert row["cells"][0] == [HOSTILE + "Abbey", None, HOSTILE + "Northam"]
    assert re.fullmatch(r"#[0-9A-F]{6}", row["swatch"][0])


def test_the_script_of_the_list_never_writes_markup():
    script = (Path(__file__).parents[2] / "dashboard" / "components" / "table.js").read_text()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script)


def test_files_run_no_formula(hostile_board: Engine):
    for subject in ("coverage", "workforce"):
        address = f"/export/{subject}.csv?icb={BOARD}&as_at={AS_AT}"
        csv = get(address).content.decode("utf-8-sig")
        assert "'=1+1<script>" in csv
        assert not re.search(r'(^|,)"?=1\+1', csv, re.MULTILINE)


def test_the_figure_has_no_name_of_a_file(hostile_board: Engine, open_page: Callable[..., View]):
    """Plotly reads a little HTML: the names reach it with the shapes only."""
    assert "<script" not in json.dumps(open_page(ward=ABBEY).figure("ward_map"))
