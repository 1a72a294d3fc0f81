"""Recruitment plans and local targets, from the FTE that the workforce files will tell of."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from dashboard.demonstration.places import BOARDS, KENT
from dashboard.demonstration.story import Story
from dashboard.demonstration.tables import csv_file
from dashboard.demonstration.workforce import MONTHS, Spells, link_worker_fte
from dashboard.intake.source import Source

# April 2025 to March 2027.
PLANNED = [(2025 + month // 12, month % 12 + 1) for month in range(3, 27)]
WITH_TARGET = 2 / 3
REASONS = (
    "agreed in the board's plan for 2026/27",
    "one link worker in each PCN as committed in 2019/20",
    "agreed with the PCN for more referrals from deprived wards",
)
REASON_LAST_YEAR = "agreed in the board's plan for 2025/26"
LAST_YEAR, THIS_YEAR = ("2025-04-01", "2026-03-31"), ("2026-04-01", "2027-03-31")


def plan_files(spells: Spells, story: Story, rng: np.random.Generator) -> list[Source]:
    """One plan a board: each PCN rises in two years from what it had; some sent none."""
    without = {*story.without_plan, story.without_link_worker[1]}
    start = MONTHS.index(PLANNED[0])
    sources = []
    for board in BOARDS:
        rows = []
        for pcn, mine in spells.items():
            if pcn.board is not board or pcn.code in without:
                continue
            first = link_worker_fte(mine, start)
            more = float(rng.choice([0.4, 0.8, 1.0, 1.5]))
            planned = np.linspace(first, first + more, len(PLANNED)).round(1)
            rows += [
                (pcn.code, f"{year}-{month:02d}", f"{fte:g}")
                for (year, month), fte in zip(PLANNED, planned, strict=True)
            ]
        name = f"demonstration recruitment plan {board.name.split()[0]}.csv"
        sources.append(_file(name, ("pcn_code", "month", "planned_fte"), rows))
    return sources


def target_files(spells: Spells, story: Story, rng: np.random.Generator) -> list[Source]:
    """Kent's targets: two thirds of its PCNs have one, and one had one until March 2026."""
    latest = len(MONTHS) - 1
    kent = {pcn.code: mine for pcn, mine in spells.items() if pcn.board is KENT}
    left_out = {story.expired_target, story.without_link_worker[1]}
    may = [code for code in kent if code not in left_out]
    chosen = set(rng.permutation(may)[: round(len(kent) * WITH_TARGET)].tolist())
    rows = [(story.expired_target, "2", *LAST_YEAR, REASON_LAST_YEAR)]
    for code in may:
        if code not in chosen:
            continue
        more = float(rng.choice([-0.4, 0.0, 0.5, 1.0]))
        # To half a post, and one at least.
        target = max(1.0, math.ceil(2 * (link_worker_fte(kent[code], latest) + more)) / 2)
        if rng.random() < 0.3:
            # Nobody wrote that last year's ended when this year's began.
            rows.append((code, f"{max(1.0, target - 0.5):g}", LAST_YEAR[0], "", REASON_LAST_YEAR))
        until = THIS_YEAR[1] if rng.random() < 0.4 else ""
        reason = REASONS[1] if target == 1 else REASONS[int(rng.choice([0, 0, 2]))]
        rows.append((code, f"{target:g}", THIS_YEAR[0], until, reason))
    headings = ("pcn_code", "target_fte", "valid_from", "valid_until", "reason")
    return [_file("demonstration local targets Kent.csv", headings, rows)]


def _file(name: str, headings: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Source:
    return csv_file(name, dict(zip(headings, zip(*rows, strict=True), strict=True)))
