"""Scheme-area returns: a district in full, one with two wards, and three that say nothing."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.demonstration.places import Places
from dashboard.demonstration.story import Story
from dashboard.demonstration.tables import csv_file
from dashboard.intake.source import Source

# Nobody speaks for these: whether there is a route in has to be inferred.
WITHOUT_RETURN = ("Dover", "Tonbridge and Malling", "Medway")
MODELS = ("employed by the NHS", "contracted provider", "consortium", "council-funded")


def scheme_files(places: Places, story: Story) -> list[Source]:
    """One return of the districts served as a whole, one of Thanet."""
    districts = (
        places.wards[["LAD25CD", "LAD25NM"]].drop_duplicates().sort_values("LAD25CD").to_numpy()
    )
    whole = [
        (f"{name} social prescribing", f"{name} Connect", MODELS[place % 4], code, code)
        for place, (code, name) in enumerate(districts)
        if name not in (*WITHOUT_RETURN, "Thanet")
    ]
    (thanet,) = (code for code, name in districts if name == "Thanet")
    two = [
        ("Thanet social prescribing", "Thanet Connect", MODELS[3], thanet, ward)
        for ward in story.served_in_thanet
    ]
    return [
        _file("demonstration scheme areas.csv", whole),
        _file("demonstration scheme areas Thanet.csv", two),
    ]


def _file(name: str, rows: Sequence[tuple[str, ...]]) -> Source:
    schemes, organisations, models, speaks_for, serves = zip(*rows, strict=True)
    return csv_file(
        name,
        {
            "scheme": schemes,
            "organisation": organisations,
            "model": models,
            "speaks_for": speaks_for,
            "serves": serves,
            "from": ["2023-04-01"] * len(rows),
            "until": [""] * len(rows),
        },
    )
