"""All England beside the page: begun, stopped, and proven within its bounds."""

from __future__ import annotations

import time

import pytest

from dashboard import long_work
from dashboard.long_work import Status
from dashboard.site_plan import as_payload
from tests.bench.site_selection import made_england

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
PAYLOAD = {
    "problem": as_payload(made_england(20_000)),
    "cases": [{"label": "England", "kind": "as chosen"}],
    "gap": 1e-3,
}


def until(key: str, state: str) -> Status:
    """The status once it is this, or has ended."""
    while (found := long_work.status(key)).state == "running" and state != "running":
        time.sleep(0.05)
    return found


def test_england_is_begun_and_stopped() -> None:
    long_work.start("stopped", "site_plans", PAYLOAD)
    while not (found := long_work.status("stopped")).of:
        assert found.state == "running"
        time.sleep(0.02)
    assert (found.done, found.of, found.words) == (0, 1, "England")
    long_work.cancel("stopped")
    assert until("stopped", "cancelled").state == "cancelled"


def test_england_is_proven_in_the_memory_a_calculation_may_have() -> None:
    """6,800 areas, 500 candidates, 25 sites; 2 GB are the child's own limit."""
    long_work.start("whole", "site_plans", PAYLOAD)
    found = until("whole", "done")
    assert found.state == "done", found.message
    (case,) = found.result["cases"]
    assert len(case["sites"]) == 25
    assert case["gap"] <= 1e-3
