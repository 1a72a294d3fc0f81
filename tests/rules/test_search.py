"""What is meant by a few words: each kind of likeness, on both sides of its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.search import KINDS, MOST_HITS, Entry, Hit, Key, find, plain


def entry(name: str, code: str = "", kind: str = "Ward", *more: Key) -> Entry:
    codes = (Key(code, True),) if code else ()
    return Entry(Hit(kind, name, code, ""), (*codes, Key(name), *more))


PLACES = (
    entry("Abbey", "E05900001"),
    entry("Abbey Wood", "E05900002"),
    entry("West Abbey", "E05900003"),
    entry("St Mary's & Côte", "E05900004"),
    entry("Abbey Road Surgery", "Y90001", "Practice"),
    entry("Brook", "E05900005", "Ward", Key("E05800005", True, "was E05800005")),
)


def titles(words: str) -> list[str]:
    return [hit.title for hit in find(PLACES, words)]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("Brook", ["Brook"]),
        ("  bROOK ", ["Brook"]),
        ("e05900005", ["Brook"]),
        ("E05 900 005", ["Brook"]),
        # Begun, from 4 letters on.
        ("E059", ["Abbey", "Abbey Wood", "Brook", "St Mary's & Côte", "West Abbey"]),
        ("E05", []),
        # One letter off is another code.
        ("E05900009", []),
        ("St Marys and Cote", ["St Mary's & Côte"]),
        ("st mary’s & CÔTE", ["St Mary's & Côte"]),
        ("mary", ["St Mary's & Côte"]),
        ("cote mary", ["St Mary's & Côte"]),
        # One slip: two letters the other way round, one wrong, missing, too many.
        ("Borok", ["Brook"]),
        ("Brock", ["Brook"]),
        ("Broo", ["Brook"]),
        ("Brrook", ["Brook"]),
        # Two are too many, and three letters are too few for one.
        ("Brrookk", []),
        ("Bro", ["Brook"]),
        ("Bto", []),
        ("Abey Wod", []),
        ("Abey Wodd", []),
        ("Abey Wood", ["Abbey Wood"]),
        ("surgery", ["Abbey Road Surgery"]),
        ("", []),
        ("  &  ", ["St Mary's & Côte"]),
        ("!?", []),
        ("Castle", []),
    ],
)
def test_what_is_meant(words: str, found: list[str]) -> None:
    assert titles(words) == found


def test_best_first() -> None:
    # The name, what begins with it (a ward before a practice), what holds it.
    assert titles("abbey") == ["Abbey", "Abbey Wood", "Abbey Road Surgery", "West Abbey"]


def test_what_is_only_close_is_left_out_where_something_is_meant() -> None:
    near = (entry("Brook"), entry("Brock"))
    assert [hit.title for hit in find(near, "brook")] == ["Brook"]


def test_by_what_it_was_found_is_said() -> None:
    assert [hit.detail for hit in find(PLACES, "E05800005")] == ["E05900005; was E05800005"]
    assert [hit.detail for hit in find(PLACES, "E05900005")] == ["E05900005"]


def test_at_most_twelve() -> None:
    many = [entry(f"Ward {n}") for n in range(MOST_HITS + 1)]
    assert len(find(many, "ward")) == MOST_HITS
    assert len(find(many[:MOST_HITS], "ward")) == MOST_HITS


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_words_are_answered(name: str, words: str) -> None:
    hits = find([entry(name)], words)
    assert len(hits) <= 1
    assert bool(hits) or plain(name) != plain(words) or not plain(words)


@given(st.text(min_size=1, max_size=30))
def test_a_name_finds_itself_without_its_accents_and_case(name: str) -> None:
    assert bool(find([entry(name)], name.upper())) == bool(plain(name)) or plain(name) != plain(
        name.upper()
    )


def test_equals_stand_in_the_order_of_their_kinds() -> None:
    same = [entry("Take-up", kind=kind) for kind in reversed(KINDS)]
    assert [hit.kind for hit in find(same, "take up")] == list(KINDS)
