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
from tests.small_board import ABBEY, AS_AT, BOARD, Board

HOSTILE = (
    '=1+1<script>alert("x")</script><img src=x onerror=alert(1)>**bold** $x$ :red[y] '
    "[link](javascript:alert(1)) `code` & \"quote' "
)
# What our own markup is made of.
OUR_TAGS = {
    "a", "b", "br", "caption", "code", "dd", "details", "div", "dl", "dt", "h1", "h2", "h3", "li",
    "p", "pre", "small", "span", "strong", "summary", "table", "tbody", "td", "th", "thead", "tr",
    "ul",
}  # fmt: skip
NAMES = {
    "area": ["area_name"],
    "service": ["service_name", "provider", "state"],
    "service_theme": ["theme"],
    "scheme_area": ["scheme", "organisation"],
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


@pytest.fixture(scope="module")
def hostile_path(tmp_path_factory: pytest.TempPathFactory, upgraded_file: Path) -> Path:
    path = tmp_path_factory.mktemp("hostile") / "board.db"
    shutil.copy(upgraded_file, path)
    engine = make_engine(f"sqlite:///{path.as_posix()}")
    for load in Board().loads():
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
    "address", [{}, {"ward": ABBEY}, {"pcn": "U90003", "locality": "E07000901"}]
)
@pytest.mark.parametrize("page", ["coverage", "methods"])
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
            assert name not in ("src", "srcdoc", "srcset")
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


def test_no_name_is_read_as_markdown(hostile_board: Engine, open_page: Callable[..., View]):
    """Headings, captions and labels of Streamlit read Markdown: none may hold a raw name."""
    for page, address in (("coverage", {"ward": ABBEY}), ("methods", {})):
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
    csv = get(f"/export/coverage.csv?icb={BOARD}&as_at={AS_AT}").content.decode("utf-8-sig")
    assert "'=1+1<script>" in csv
    assert not re.search(r'(^|,)"?=1\+1', csv, re.MULTILINE)


def test_the_figure_has_no_name_of_a_file(hostile_board: Engine, open_page: Callable[..., View]):
    """Plotly reads a little HTML: the names reach it with the shapes only."""
    assert "<script" not in json.dumps(open_page(ward=ABBEY).figure("ward_map"))
