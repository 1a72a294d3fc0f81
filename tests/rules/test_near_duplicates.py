"""Pairs that may be one service: both sides of each line, and the same whatever the order."""

from __future__ import annotations

from math import degrees
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.near_duplicates import (
    EARTH_METRES,
    LEAST_LIKENESS,
    MOST_COMPARED,
    near_duplicates,
)

COLUMNS = [
    "service_key",
    "source",
    "service_name",
    "provider",
    "web_address",
    "postcode",
    "latitude",
    "longitude",
]
NORTH, EAST = 51.3, 1.4
# On the ground, of the way from south to north.
METRE = degrees(1 / EARTH_METRES)


def entry(key: str, source: str, name: str = "Walking group", **other: Any) -> dict[str, Any]:
    return (
        dict.fromkeys(COLUMNS)
        | {"service_key": key, "source": source, "service_name": name}
        | other
    )


def pairs(*entries: dict[str, Any]) -> list[tuple[str, str, float, str]]:
    found = near_duplicates(pd.DataFrame(entries, columns=COLUMNS))
    assert list(found.columns) == ["key", "other_key", "name_likeness", "why"]
    return list(found.round(3).itertuples(index=False, name=None))


@pytest.mark.parametrize(
    ("shared", "same", "words"),
    [
        ("postcode", ("CT9 1AA", "ct91aa "), "same postcode"),
        ("postcode", ("CT9 1AA", "CT9 1AB"), None),
        ("provider", ("The Lamp Post Ltd.", "LAMP POST C.I.C"), None),
        ("provider", ("The Lamp Post Ltd.", "LAMP POST CIC"), "same provider"),
        ("provider", ("Kettle & Talk", "Kettle and Talk"), "same provider"),
        ("provider", ("Ltd", "The"), None),
        ("provider", ("", ""), None),
        ("web_address", ("http://www.a.example/x/", "HTTPS://a.example/x?y=1"), "same web address"),
        ("web_address", ("a.example/x", "https://a.example/x#y"), "same web address"),
        ("web_address", ("https://a.example/x", "https://a.example/y"), None),
        ("web_address", ("https://a.example", "https://b.example"), None),
        ("web_address", ("http://[", "http://["), None),
        ("web_address", (float("nan"), float("nan")), None),
    ],
)
def test_what_two_entries_can_share(
    shared: str, same: tuple[object, object], words: str | None
) -> None:
    one: dict[str, Any] = {shared: same[0]}
    other: dict[str, Any] = {shared: same[1]}
    found = pairs(entry("A", "return", **one), entry("B", "feed", **other))
    assert found == ([("A", "B", 1, f"names alike; {words}")] if words else [])


@pytest.mark.parametrize(("metres", "is_near"), [(0, True), (249.9, True), (250.1, False)])
@pytest.mark.parametrize("north", [50.0, NORTH, 60.8])
@pytest.mark.parametrize("start", range(0, 700, 50))
def test_a_place_within_250_metres(metres: float, is_near: bool, north: float, start: int) -> None:
    # From everywhere in a cell, so that no edge of one hides a pair.
    south = north + start * METRE
    one: dict[str, Any] = {"latitude": south, "longitude": -8.0}
    other = one | {"latitude": south + metres * METRE}
    found = pairs(entry("A", "return", **one), entry("B", "feed", **other))
    assert found == ([("A", "B", 1, "names alike; within 250 m")] if is_near else [])


def test_degrees_of_longitude_are_shorter_in_the_north() -> None:
    # 0.0035 of a degree are 243 m at 51.3 degrees north, and 271 m at 46.
    here: dict[str, Any] = {"latitude": NORTH, "longitude": EAST}
    east, south = {"longitude": EAST + 0.0035}, {"latitude": 46.0}
    assert pairs(entry("A", "return", **here), entry("B", "feed", **here | east))
    assert not pairs(
        entry("A", "return", **here | south), entry("B", "feed", **here | south | east)
    )


@pytest.mark.parametrize(
    ("name", "other", "likeness"),
    [
        ("Dover walking group", "Walking Group, Dover", 1),
        ("Walking group", "Walking group Dover", 1),  # all words of the first
        ("Men's shed & café", "Mens Shed and Cafe", 1),
        # 27 letters in common, and then 33: 2 x 27 of 60.
        ("Community befriending group Dover", "Community befriending group Swale", 0.9),
        # 27 and 34: 54 of 61.
        ("Community befriending group Thanet", "Community befriending group Medway", None),
        ("Befriending Dover", "Befriending Swale", None),
        ("Talking group", "Walks for talkers", None),
        ("!", "?", None),
    ],
)
def test_names_are_alike(name: str, other: str, likeness: float | None) -> None:
    found = pairs(
        entry("A", "return", name, postcode="CT9 1AA"),
        entry("B", "feed", other, postcode="CT9 1AA"),
    )
    assert found == ([("A", "B", likeness, "names alike; same postcode")] if likeness else [])
    assert LEAST_LIKENESS == 0.9


def test_never_of_one_source_nor_of_one_key_nor_without_anything_shared() -> None:
    here = {"postcode": "CT9 1AA"}
    assert pairs(entry("A", "feed", **here), entry("B", "feed", **here)) == []
    assert pairs(entry("A", "feed", **here), entry("A", "return", **here)) == []
    assert pairs(entry("A", "feed"), entry("B", "return")) == []
    assert pairs() == []


def test_best_first_and_each_pair_once() -> None:
    here, there = {"postcode": "CT9 1AA"}, {"postcode": "CT9 1AB"}
    found = pairs(
        entry("D", "return", "Community befriending group Dover", **here),
        entry("C", "feed", "Community befriending group Swale", **here),
        entry("B", "return", "Choir", provider="Lamp Post", **here),
        # One service with two places.
        entry("A", "feed", "Choir", provider="Lamp Post", **there),
        entry("A", "feed", "Choir", provider="Lamp Post", **here),
        entry("A0", "feed", "Choir", **here),
    )
    assert found == [
        ("A", "B", 1, "names alike; same postcode; same provider"),
        ("A0", "B", 1, "names alike; same postcode"),
        ("C", "D", 0.9, "names alike; same postcode"),
    ]


def test_of_many_that_share_a_provider_the_nearest_names_are_compared() -> None:
    one = entry("A", "return", "Choir", provider="Lamp Post")
    alike = entry("B", "feed", "Choir Dover", provider="Lamp Post")
    between = [
        entry(f"C{place:03d}", "feed", f"Choir at {place:03d}", provider="Lamp Post")
        for place in range(MOST_COMPARED)
    ]
    # "at" puts their words before those of both.
    assert len(pairs(one, alike, *between)) == MOST_COMPARED + 1
    # Here they lie between the two; without one of them the two are just near enough.
    between = [item | {"service_name": f"Choir D{item['service_key']}"} for item in between]
    assert ("A", "B") in {found[:2] for found in pairs(one, alike, *between[1:])}
    assert ("A", "B") not in {found[:2] for found in pairs(one, alike, *between)}
    # What only two share is not lost among what many do.
    two = [item | {"postcode": "CT9 1AA"} for item in (one, alike)]
    assert ("A", "B") in {found[:2] for found in pairs(*two, *between)}


entries = st.lists(
    st.builds(
        entry,
        st.sampled_from("ABCDEF"),
        st.sampled_from(("return", "feed", "other feed")),
        st.sampled_from(("Choir", "choir Dover", "Choir Deal", "Walks", "Dover walks")),
        provider=st.sampled_from((None, "Lamp Post", "Lamp Post Ltd", "Kettle")),
        web_address=st.sampled_from((None, "https://a.example", "http://www.a.example/")),
        postcode=st.sampled_from((None, "CT9 1AA", "ct9 1aa", "CT9 1AB")),
        latitude=st.sampled_from((None, NORTH, NORTH + 200 * METRE, NORTH + 400 * METRE)),
        longitude=st.sampled_from((EAST, None)),
    ),
    max_size=12,
)


@given(entries, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: list[dict[str, Any]], random: Any) -> None:
    found = pairs(*rows)
    shuffled = rows.copy()
    random.shuffle(shuffled)
    assert pairs(*shuffled) == found


@given(entries)
def test_a_pair_is_of_two_keys_and_two_sources_and_stands_once(rows: list[dict[str, Any]]) -> None:
    found = pairs(*rows)
    assert len({row[:2] for row in found}) == len(found)
    sources = {
        key: {row["source"] for row in rows if row["service_key"] == key} for key in "ABCDEF"
    }
    for key, other, likeness, why in found:
        assert key < other
        assert len(sources[key] | sources[other]) > 1
        assert LEAST_LIKENESS <= likeness <= 1
        assert why.startswith("names alike; ")
    # Of one source there are none, however alike.
    assert pairs(*(row | {"source": "feed"} for row in rows)) == []


@given(entries)
def test_it_is_symmetric(rows: list[dict[str, Any]]) -> None:
    """What the keys are called changes which of the two stands first, and nothing else."""
    backwards = dict(zip("ABCDEF", "FEDCBA", strict=True))
    turned = [row | {"service_key": backwards[row["service_key"]]} for row in rows]
    told = {(frozenset(row[:2]), *row[2:]) for row in pairs(*rows)}
    assert {
        (frozenset(backwards[key] for key in row[:2]), *row[2:]) for row in pairs(*turned)
    } == told
