"""Files of England's PCN workforce, and the boards' returns of posts, plans and targets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import pandas as pd

from dashboard.demonstration.workforce import COLUMNS, LINK_WORKER, OTHER_STAFF, REGION
from dashboard.intake.source import Source
from dashboard.intake.workforce import OWN_STAFF
from tests.bench.england.places import Places, stream
from tests.bench.england.tables import csv_file, words

# July 2021 to June 2026.
MONTHS = [(2021 + month // 12, month % 12 + 1) for month in range(6, 66)]
# How often each other kind of staff stands in a return: about 6 rows of 8.
OF_A_KIND = (2, 2, 1, 1)
LINK_WORKER_POSTS = {0: 0.04, 1: 0.36, 2: 0.4, 3: 0.2}
FTES = {1.0: 0.55, 0.8: 0.2, 0.6: 0.15, 0.5: 0.1}
EMPLOYERS = ("NHS", "VCSE", "consortium", "contracted provider")


class Spell(NamedTuple):
    """A link worker in post: `pcn` is the row of its frame; months count from the first of
    `MONTHS`, and may lie outside. Those who follow each other have the same `post`."""

    pcn: int
    post: int
    fte: float
    first: int
    last: int


def link_workers(places: Places) -> list[Spell]:
    """Who is in post in each PCN, and when; in some nobody."""
    rng, end = stream(20), len(MONTHS) - 1
    spells, post = [], 0
    for pcn, without in enumerate(places.story.without_link_worker):
        count = int(rng.choice(list(LINK_WORKER_POSTS), p=list(LINK_WORKER_POSTS.values())))
        for number in range(0 if without else count):
            month = -int(rng.integers(0, 20)) if number == 0 else int(rng.integers(-8, 56))
            fte = float(rng.choice(list(FTES), p=list(FTES.values())))
            while month <= end:
                last = month + int(rng.integers(12, 42))
                spells.append(Spell(pcn, post, fte, month, last if last < end - 6 else 999))
                month = spells[-1].last + 1 + int(rng.integers(0, 5))
            post += 1
    return spells


def workforce_files(places: Places, spells: list[Spell], times: int) -> Iterator[Source]:
    """One file a month, individual level; `times` as many other staff as there are now."""
    pcns = places.pcns
    roles = [(role, fte) for role, fte in OTHER_STAFF] + [(LINK_WORKER, 0.0)]
    kinds = [kind for kind, many in enumerate(OF_A_KIND) for _ in range(many * times)]
    others = pd.DataFrame(
        {
            "pcn": np.repeat(np.arange(len(pcns)), len(kinds)),
            "role": np.tile(kinds, len(pcns)),
            "first": -99,
            "last": 999,
        }
    )
    others["fte"] = np.array([fte for _role, fte in roles])[others["role"]]
    workers = pd.DataFrame(spells)[["pcn", "fte", "first", "last"]].assign(role=len(OTHER_STAFF))
    staff = pd.concat([others, workers], ignore_index=True)
    staff["person"] = 100_000 + staff.index
    staff = staff[~places.story.without_workforce_return[staff["pcn"]]]
    staff = staff.sort_values(["pcn", "person"], kind="stable")
    for month, (year, number) in enumerate(MONTHS):
        now = staff[(staff["first"] <= month) & (staff["last"] >= month)]
        told = {
            name: words(pcns[column].tolist(), now["pcn"])
            for name, column in (
                ("PCN_CODE", "pcn_code"), ("PCN_NAME", "pcn_name"),
                ("SUB_ICB_CODE", "sub_icb_code"), ("SUB_ICB_NAME", "icb_name"),
                ("ICB_CODE", "icb_code"), ("ICB_NAME", "icb_name"),
            )
        }  # fmt: skip
        group, role, detail = zip(*(role for role, _fte in roles), strict=True)
        told |= {
            "Data_source": [OWN_STAFF] * len(now),
            "CENSUS_YEAR": [year] * len(now),
            "CENSUS_MONTH": [number] * len(now),
            "COMM_REGION_CODE": [REGION[0]] * len(now),
            "COMM_REGION_NAME": [REGION[1]] * len(now),
            "STAFF_GROUP": words(group, now["role"]),
            "STAFF_ROLE": words(role, now["role"]),
            "DETAILED_STAFF_ROLE": words(detail, now["role"]),
            "FTE": now["fte"],
            "UNIQUE_IDENTIFIER": now["person"],
        }
        ordered = {column: told[column] for column in COLUMNS}
        yield csv_file(f"PCN workforce {year}-{number:02d}.csv", ordered)


def return_files(places: Places, spells: list[Spell]) -> Iterator[Source]:
    """One file of posts, one of plans and one of targets for each board."""
    by_pcn: dict[int, list[Spell]] = {}
    for spell in spells:
        by_pcn.setdefault(spell.pcn, []).append(spell)
    for number, board in enumerate(places.boards["icb_code"]):
        rng = stream(21, number)
        pcns = places.pcns[places.pcns["icb_code"] == board]
        posts: list[tuple[str, ...]] = []
        plans: list[tuple[str, ...]] = []
        targets: list[tuple[str, ...]] = []
        for row, code in pcns["pcn_code"].items():
            mine = by_pcn.get(int(str(row)), [])
            posts += _posts(code, mine, rng)
            fte = sum(spell.fte for spell in mine if spell.last >= len(MONTHS) - 1)
            if rng.random() < 0.9:
                planned = np.linspace(fte, fte + 1, 24).round(1)
                months = [(2025 + month // 12, month % 12 + 1) for month in range(3, 27)]
                plans += [
                    (code, f"{year}-{month:02d}", f"{at:g}")
                    for (year, month), at in zip(months, planned, strict=True)
                ]
            if rng.random() < 0.6:
                wanted = f"{max(1.0, fte + float(rng.choice([-0.4, 0, 0.5, 1]))):.1f}"
                targets.append((code, wanted, "2026-04-01"))
        for kind, headings, rows in (
            (
                "posts",
                "post_id,pcn_code,status,role_title,employer_type,funded_fte,since,until",
                posts,
            ),
            ("recruitment plan", "pcn_code,month,planned_fte", plans),
            ("local targets", "pcn_code,target_fte,valid_from", targets),
        ):
            if rows:
                columns = dict(zip(headings.split(","), zip(*rows, strict=True), strict=True))
                yield csv_file(f"{kind} {board}.csv", columns)


def _posts(code: str, spells: list[Spell], rng: np.random.Generator) -> Iterator[tuple[str, ...]]:
    """A row for each time a post is filled, and for each time it is vacant."""
    employer = EMPLOYERS[int(rng.integers(len(EMPLOYERS)))]
    for place, spell in enumerate(spells):
        told = ("Social prescribing link worker", employer, f"{spell.fte:g}")
        post = f"P{spell.post:05d}"
        since, after = first_day(spell.first), first_day(spell.last + 1)
        if spell.last == 999:
            yield (post, code, "filled", *told, since.isoformat(), "")
            continue
        until = after - timedelta(days=1)
        yield (post, code, "filled", *told, since.isoformat(), until.isoformat())
        follower = spells[place + 1] if place + 1 < len(spells) else None
        if follower is None or follower.post != spell.post:
            yield (post, code, "vacant", *told, after.isoformat(), "")
        elif first_day(follower.first) > after:
            until = first_day(follower.first) - timedelta(days=1)
            yield (post, code, "vacant", *told, after.isoformat(), until.isoformat())


def first_day(month: int) -> date:
    """The first day of a month counted from the first of `MONTHS`."""
    years, months = divmod(MONTHS[0][1] - 1 + month, 12)
    return date(MONTHS[0][0] + years, months + 1, 1)
