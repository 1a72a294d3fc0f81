"""A page that fails shows an id and what to do; the log has the same id; nobody sees data."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from dashboard import errors
from tests.app.reading import View
from tests.small_board import Board

SECRET = "NHS number 943 476 5919"


def failing(*_args: object, **_kwargs: object) -> object:
    raise OperationalError("SELECT secret FROM person", {"name": SECRET}, Exception(SECRET))


def test_a_failing_query_is_a_script_error(
    load_board: Callable[[Board], Engine],
    open_page: Callable[..., View],
    monkeypatch: pytest.MonkeyPatch,
):
    """The whole app hands the error on: to the handler of the server, not to the page."""
    load_board(Board())  # a new one: nothing of it is kept yet
    monkeypatch.setattr("dashboard.coverage_view.ward_coverage", failing)
    view = open_page()
    assert len(view.app.exception) == 1
    assert "ward_list" not in view.everything()


def test_the_handler_shows_an_id_and_logs_it(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    shown: list[str] = []
    monkeypatch.setattr("streamlit.error", lambda words, **_: shown.append(words))
    error = OperationalError("SELECT secret", {"name": SECRET}, Exception(SECRET))
    with caplog.at_level(logging.ERROR, "dashboard"):
        assert errors.show_error_id(error) is True
    (words,) = shown
    error_id = re.search(r"error ([0-9a-f]{8})", words)
    assert error_id
    assert SECRET not in words
    assert "SELECT" not in words
    assert "try again" in words
    assert error_id[1] in caplog.text
    assert "OperationalError" in caplog.text
    assert SECRET not in caplog.text


def test_each_error_has_an_id_of_its_own(monkeypatch: pytest.MonkeyPatch):
    shown: list[str] = []
    monkeypatch.setattr("streamlit.error", lambda words, **_: shown.append(words))
    for _ in range(2):
        errors.show_error_id(ValueError())
    assert shown[0] != shown[1]
