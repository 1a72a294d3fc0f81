"""Returns of personal health budgets: each board by group of entitlement, 13 months."""

from __future__ import annotations

import numpy as np

from dashboard.demonstration.places import BOARDS, Board
from dashboard.demonstration.tables import csv_file
from dashboard.intake.health_budgets import ENTITLEMENTS
from dashboard.intake.source import Source

MONTHS = [f"{2025 + month // 12}-{month % 12 + 1:02d}" for month in range(5, 18)]
# In place at the start for each practice of the board, in the order of the groups; so many
# more each month, as a share.
PER_PRACTICE = (2.8, 0.25, 1.1, 6.0, 0.4)
GROWTH = 0.012
# Smaller numbers are hidden before they are sent.
FEWEST_SENT = 8


def health_budget_files(rng: np.random.Generator) -> list[Source]:
    """One return a board."""
    return [_file(board, rng) for board in BOARDS]


def _file(board: Board, rng: np.random.Generator) -> Source:
    rows: list[tuple[str, str, str, str]] = []
    for group, per_practice in zip(ENTITLEMENTS, PER_PRACTICE, strict=True):
        people = board.practices * per_practice
        for month in MONTHS:
            people *= 1 + GROWTH + float(rng.normal(0, 0.01))
            sent = str(round(people)) if people >= FEWEST_SENT else "*"
            rows.append((month, board.icb_code, group, sent))
    headings = ("period", "icb_code", "entitlement", "in_place")
    name = f"demonstration personal health budgets {board.name.split()[0]}.csv"
    return csv_file(name, dict(zip(headings, zip(*rows, strict=True), strict=True)))
