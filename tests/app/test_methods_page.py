"""The Methods page: every measure, status and setting, whatever is loaded."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from dashboard.rules.coverage import Status
from dashboard.rules.measures import GLOSSARY, MEASURES
from tests.app.reading import View


def test_everything_that_is_counted_is_explained(
    demonstration: Engine, open_page: Callable[..., View]
):
    view = open_page("methods")
    assert not view.app.exception
    words = view.words()
    for measure in MEASURES.values():
        assert measure.title in words
        assert measure.definition in words
    for status in Status:
        assert status.value in words
    for term, meaning in GLOSSARY:
        assert term in words
        assert meaning in words
    assert sum(body.count("<h1>") for body in view.markup()) == 1


def test_every_file_in_force_is_named(small_board: Engine, open_page: Callable[..., View]):
    files = next(b for b in open_page("methods").markup() if "Every file the figures" in b)
    assert files.count("<tr>") > 10
    for dataset in ("ward boundaries", "workforce", "referrals", "services", "scheme areas"):
        assert dataset in files


def test_settings_in_force_hold_no_secret(
    demonstration: Engine, open_page: Callable[..., View], monkeypatch: pytest.MonkeyPatch
):
    everything = open_page("methods").everything()
    assert "disclosure_profile" in everything
    assert "hash_key" not in everything
    assert "k" * 32 not in everything
    assert "sqlite" not in everything


def test_choices_outlive_a_visit_to_another_page(
    demonstration: Engine, open_page: Callable[..., View]
):
    view = open_page(locality="E07000114", layer="fte", months="36")
    before = dict(view.address)
    view.go_to("methods")
    assert "What does each figure mean?" in view.words()
    view.go_to("coverage")
    assert view.address == before
    assert "> Thanet" in view.chosen_words
