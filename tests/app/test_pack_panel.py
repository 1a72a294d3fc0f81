"""The pack on the screen: from the button to the four files, stopped, failed, and for whom."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from dashboard import long_work
from dashboard.long_work import Status
from dashboard.pack_work import FORMS
from dashboard.settings import settings
from tests.app.reading import View
from tests.app.test_commands import run
from tests.app.test_routes import get
from tests.small_board import BOARD, NORTHAM, OUTSIDER_ICB

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 60
BUTTON, AGAIN = "Make the pack", "Make the pack again"


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    for key in list(long_work._works):
        long_work.cancel(key)
    long_work._works.clear()


def panel() -> None:
    """A page of the panel alone, for `AppTest`: of the locality and network of the session."""
    from datetime import date

    import streamlit as st

    from dashboard.filters import Choices
    from dashboard.pack_panel import pack_panel
    from queries.scope import EVERYTHING

    lad_code, pcn_code = (st.session_state.get(name, "") for name in ("lad_code", "pcn_code"))
    chosen = Choices("QZ1", "Small", lad_code, "", pcn_code, "", date(2026, 6, 30), 24)
    pack_panel(EVERYTHING, chosen, "2026-06-23")


def opened(lad_code: str = "", pcn_code: str = "") -> View:
    app = AppTest.from_function(panel)
    app.session_state["lad_code"], app.session_state["pcn_code"] = lad_code, pcn_code
    return View(app.run(timeout=30))


def buttons(view: View) -> list[str]:
    return [button.label for button in view.app.button]


def press(view: View, label: str) -> None:
    (button,) = (button for button in view.app.button if button.label == label)
    button.click().run(timeout=30)


def hide_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHBOARD_DISCLOSURE_PROFILE", "internal")
    monkeypatch.setenv("DASHBOARD_ALLOW_INTERNAL", "true")
    settings.cache_clear()


def links(view: View) -> dict[str, str]:
    """Where each file is, by what it is called."""
    found = re.findall(r'<a href="([^"]+)" download>([^<]+)</a>', "".join(view.markup()))
    return {name: url for url, name in found}


def test_from_the_button_to_the_files(small_board: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    view = opened()
    assert (buttons(view), links(view)) == ([BUTTON], {})
    press(view, BUTTON)
    for _ in range(PATIENCE_SECONDS * 2):
        if links(view):
            break
        time.sleep(0.5)
        view.app.run(timeout=30)
    assert not view.app.exception
    assert list(links(view)) == [form.title for form in FORMS.values()]
    assert buttons(view) == [AGAIN]
    for (form, about), url in zip(FORMS.items(), links(view).values(), strict=True):
        answer = get(url)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == about.media_type
        assert answer.headers["cache-control"] == "no-store"
        name = f"social-prescribing-{BOARD}-2026-06-30.{form}"
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
        assert len(answer.content) > 1_000
        assert get(url.replace("/pack/", "/pack/0")).status_code == 404
        assert get(f"{url}x").status_code == 404
    assert get(links(view)["PDF"]).content.startswith(b"%PDF-")
    made = links(view)
    # Another area is another pack; the first is still there.
    for lad_code, labels, there in ((NORTHAM, [BUTTON], {}), ("", [AGAIN], made)):
        view.app.session_state["lad_code"] = lad_code
        view.app.run(timeout=30)
        assert (buttons(view), links(view)) == (labels, there)
    hide_nothing(monkeypatch)
    assert get(made["PDF"]).status_code == 404


@pytest.mark.parametrize(
    ("found", "words", "labels"),
    [
        (Status("running", 1, 4, "PDF"), "", ["Stop"]),
        (Status("cancelled", 1, 4), "", [BUTTON]),
        (Status("failed", message="ended before it was done: start it again"),
         "The pack ended before it was done: start it again.", [BUTTON]),
        (Status(), "", [BUTTON]),
    ],
)  # fmt: skip
def test_on_the_way(
    small_board: Engine,
    monkeypatch: pytest.MonkeyPatch,
    found: Status,
    words: str,
    labels: list[str],
) -> None:
    stopped: list[str] = []
    monkeypatch.setattr(long_work, "start", lambda *_: None)
    monkeypatch.setattr(long_work, "cancel", stopped.append)
    monkeypatch.setattr(long_work, "status", lambda key: found if key else Status())
    view = opened()
    press(view, BUTTON)
    assert buttons(view) == labels
    assert words in " ".join(view.words().split())
    if labels == ["Stop"]:
        press(view, "Stop")
        assert len(stopped) == 1


def test_an_area_without_a_ward(small_board: Engine) -> None:
    view = opened(NORTHAM, "U90003")
    press(view, BUTTON)
    assert "No ward fits these filters" in view.words()


def test_nothing_where_no_number_is_hidden(
    small_board: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide_nothing(monkeypatch)
    view = opened()
    assert buttons(view) == []
    assert "under the profile in force no number is hidden" in view.words()


# The same on the command line.


@pytest.mark.parametrize("form", list(FORMS))
def test_by_command(small_board: Engine, tmp_path: Path, form: str) -> None:
    out = tmp_path / f"pack.{form.upper()}"
    told = run("pack", "--icb", BOARD, "--as-at", "2026-06-30", "--out", str(out))
    assert told.exit_code == 0, told.output
    assert out.stat().st_size > 1_000


def test_made_again_by_its_config(small_board: Engine, tmp_path: Path) -> None:
    import zipfile

    first, again, config = (tmp_path / name for name in ("a.zip", "b.zip", "config.json"))
    asked = ("--icb", BOARD, "--as-at", "2026-06-30", "--since", "2026-05-31",
             "--locality", NORTHAM, "--count-stale")  # fmt: skip
    assert run("pack", *asked, "--out", str(first)).exit_code == 0
    config.write_bytes(zipfile.ZipFile(first).read("config.json"))
    told = run("pack", "--config", str(config), "--out", str(again))
    assert (told.exit_code, "Not the same" in told.output) == (0, False)
    assert first.read_bytes() == again.read_bytes()
    config.write_text(json.dumps(json.loads(config.read_text()) | {"data_version": "1"}))
    told = run("pack", "--config", str(config), "--out", str(again))
    assert "Not the same as then: the data was 1 and is " in " ".join(told.output.split())


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--icb", BOARD, "--out", "pack.docx"], 2, "found 'pack.docx'"),
        (["--icb", BOARD, "--out", "pack"], 2, "found 'pack'"),
        (["--out", "pack.pdf"], 2, "Expected either --icb or --config"),
        (["--icb", OUTSIDER_ICB, "--out", "pack.pdf"], 1, f"no ward of '{OUTSIDER_ICB}' is there"),
        (["--icb", BOARD, "--locality", "E07000999", "--out", "pack.pdf"], 1, "no ward of"),
    ],
)
def test_misused(
    small_board: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str],
    code: int, words: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    told = run("pack", *arguments)
    assert told.exit_code == code
    assert words in " ".join(told.output.split())
    assert list(tmp_path.glob("pack*")) == []


def test_no_command_where_no_number_is_hidden(
    small_board: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide_nothing(monkeypatch)
    told = run("pack", "--icb", BOARD, "--as-at", str(date(2026, 6, 30)), "--out",
               str(tmp_path / "pack.pdf"))  # fmt: skip
    assert told.exit_code == 1
    assert "No pack: under the profile in force no number is hidden." in " ".join(
        told.output.split()
    )
    assert not (tmp_path / "pack.pdf").exists()
