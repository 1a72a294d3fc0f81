"""Where take-up is lost: an example by hand, every label, every gap in the chain, and the sum."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.leak import Leak, Loss, Part, Provision, decompose
from dashboard.rules.pathway import (
    IS_HIDDEN,
    NOT_RECORDED,
    RECORDED,
    REFERRED,
    STEPS,
    judge_steps,
    step_facts,
)

CHAIN = ("accepted", "contacted", "connected", "attended")
BOARD: Mapping[str, float | None] = {
    "accepted": 0.8, "contacted": 0.5, "connected": 0.5, "attended": 0.5,
}  # fmt: skip
FINE = Provision()


def steps(**told: Any) -> pd.DataFrame:
    """The rows of a ward: a step's share, or share and limits, or its state; the rest recorded
    nowhere. Without limits the interval is a tenth to each side."""
    rows: list[tuple[Any, ...]] = [(REFERRED, None, None, None, RECORDED)]
    for step in STEPS:
        found = told.get(step, NOT_RECORDED)
        if isinstance(found, str):
            rows.append((step, None, None, None, found))
        elif isinstance(found, tuple):
            rows.append((step, *found, RECORDED))
        else:
            rows.append((step, found, found and found - 0.1, found and found + 0.1, RECORDED))
    frame = pd.DataFrame(rows, columns=["step", "share", "lower", "upper", "state"])
    return frame.astype(dict.fromkeys(["share", "lower", "upper"], "Float64"))


def people(leak: Leak) -> list[float]:
    return [part.people for part in leak.parts]


def losses(leak: Leak) -> list[Loss]:
    return [part.loss for part in leak.parts]


def test_by_hand() -> None:
    """Of 100 expected 10 should attend (0.8 x 0.5 x 0.5 x 0.5); of 50 referred 2 do."""
    ward = steps(accepted=0.8, contacted=0.25, connected=0.4, attended=0.5)
    found = decompose(100, 50, ward, BOARD, FINE)
    assert found.shortfall == pytest.approx(10 - 2)
    assert found.until == "attended"
    # 50 missing at a tenth; as many accepted; 40 x (0.5 - 0.25) x 0.5 x 0.5; 10 x 0.1 x 0.5; none.
    assert people(found) == pytest.approx([5, 0, 2.5, 0.5, 0])
    assert losses(found) == [
        Loss.NOT_OFFERED, Loss.DECLINED, Loss.NOT_REACHED, Loss.NOT_CONNECTED, Loss.NOT_ATTENDED,
    ]  # fmt: skip
    # The lower limit around 100 is 81; 0.5 lies outside 0.15 to 0.35, within 0.3 to 0.5.
    assert [part.is_beyond_chance for part in found.parts] == [True, False, True, False, False]
    assert found.main == Loss.NOT_OFFERED
    assert found.main_share == pytest.approx(5 / 8)


def test_what_is_gained_is_no_loss() -> None:
    """As many referred as expected; half as many accepted, twice as many of them contacted."""
    ward = steps(accepted=0.4, contacted=1.0, connected=0.25, attended=0.5)
    found = decompose(100, 100, ward, BOARD, FINE)
    assert people(found) == pytest.approx([0, 5, -5, 5, 0])
    assert found.shortfall == pytest.approx(5)
    # Two as large: the earlier. A half of what is lost, and all of the shortfall.
    assert found.main == Loss.DECLINED
    assert found.main_share == pytest.approx(0.5)


@pytest.mark.parametrize(("referred", "main"), [(99, Loss.NOT_OFFERED), (100, None), (101, None)])
def test_a_main_loss_only_where_there_is_a_shortfall(referred: int, main: Loss | None) -> None:
    ward = steps(accepted=0.8, contacted=0.5, connected=0.5, attended=0.5)
    found = decompose(100, referred, ward, BOARD, FINE)
    assert found.shortfall == pytest.approx((100 - referred) / 10)
    assert (found.main, found.main_share) == (main, None if main is None else 1)


def test_a_last_digit_is_no_shortfall() -> None:
    found = Leak((Part(Loss.NOT_OFFERED, 0.0, False),), 1e-16, "attended")
    assert (found.main, found.main_share) == (None, None)


@pytest.mark.parametrize(
    ("reason", "labels"),
    [
        (FINE, [Loss.NOT_OFFERED, Loss.NOT_REACHED, Loss.NOT_CONNECTED]),
        (
            Provision(link_worker_absent=True),
            [Loss.NO_LINK_WORKER, Loss.NO_LINK_WORKER, Loss.NOT_CONNECTED],
        ),
        (
            Provision(services_absent=True),
            [Loss.NO_SERVICE, Loss.NOT_REACHED, Loss.NO_SERVICE],
        ),
        (
            Provision(link_worker_absent=True, services_absent=True),
            [Loss.NO_LINK_WORKER, Loss.NO_LINK_WORKER, Loss.NO_SERVICE],
        ),
        (Provision(all_full=True), [Loss.NOT_OFFERED, Loss.NOT_REACHED, Loss.FULL]),
        # Nothing is not full.
        (
            Provision(services_absent=True, all_full=True),
            [Loss.NO_SERVICE, Loss.NOT_REACHED, Loss.NO_SERVICE],
        ),
    ],
)
def test_labels_by_what_the_ward_lacks(reason: Provision, labels: list[Loss]) -> None:
    ward = steps(accepted=0.7, contacted=0.4, connected=0.4, attended=0.4)
    found = losses(decompose(100, 90, ward, BOARD, reason))
    assert found == [labels[0], Loss.DECLINED, labels[1], labels[2], Loss.NOT_ATTENDED]


def test_one_loss_at_two_points_is_added_up() -> None:
    ward = steps(accepted=0.8, contacted=0.25, connected=0.4, attended=0.5)
    found = decompose(100, 50, ward, BOARD, Provision(link_worker_absent=True))
    assert found.by_loss == pytest.approx(
        {Loss.NO_LINK_WORKER: 7.5, Loss.DECLINED: 0, Loss.NOT_CONNECTED: 0.5, Loss.NOT_ATTENDED: 0}
    )
    assert found.main == Loss.NO_LINK_WORKER
    assert found.main_share == pytest.approx(7.5 / 8)


def test_the_larger_sum_is_the_main_loss_and_not_the_largest_part() -> None:
    """6 at once against 4 and 4 for want of services."""
    found = Leak(
        (
            Part(Loss.NO_SERVICE, 4, True),
            Part(Loss.DECLINED, 6, True),
            Part(Loss.NO_SERVICE, 4, True),
        ),
        14,
        "connected",
    )
    assert found.main == Loss.NO_SERVICE
    assert found.main_share == pytest.approx(8 / 14)


@pytest.mark.parametrize(
    ("ward", "board", "ends"),
    [
        # Not recorded in the ward: its next share is of what came before, the board's are two.
        (steps(contacted=0.4, connected=0.5, attended=0.5), BOARD, CHAIN[1:]),
        (steps(accepted=0.4, connected=0.5, attended=0.5), BOARD, ("accepted", *CHAIN[2:])),
        (steps(accepted=0.4, attended=0.5), BOARD, ("accepted", "attended")),
        (steps(attended=0.05), BOARD, ("attended",)),
        # Not recorded by the board: there the ward's are two.
        (
            steps(accepted=0.4, contacted=0.5, connected=0.5, attended=0.5),
            {"accepted": None, "contacted": 0.4, "connected": 0.5, "attended": math.nan},
            ("contacted", "connected"),
        ),
        # One in the ward only, the next in the board only.
        (
            steps(accepted=0.4, connected=0.5),
            {"contacted": 0.4, "connected": 0.5},
            ("connected",),
        ),
        # A plan never stands by itself.
        (
            steps(accepted=0.4, contacted=0.5, planned=0.9, connected=0.5),
            {**BOARD, "planned": 0.8},
            CHAIN[:3],
        ),
        (steps(contacted=0.4, planned=0.9), {"contacted": 0.4, "planned": 0.8}, ("contacted",)),
        # No later step is known.
        (steps(accepted=0.4), BOARD, ("accepted",)),
        (steps(attended=0.4), {"accepted": 0.4}, ()),
        (steps(), BOARD, ()),
        (steps(completed=0.4), {**BOARD, "completed": 0.5}, ()),
    ],
)
def test_steps_that_are_not_recorded(
    ward: pd.DataFrame, board: Mapping[str, float | None], ends: tuple[str, ...]
) -> None:
    """The shares up to the last step known in both, whoever recorded what between."""
    found = decompose(100, 60, ward, board, FINE)
    label = dict(zip(CHAIN, list(Loss)[2:4] + list(Loss)[6:], strict=True))
    assert losses(found) == [Loss.NOT_OFFERED, *(label[step] for step in ends)]
    assert found.until == (ends[-1] if ends else REFERRED)
    known = STEPS[: STEPS.index(ends[-1]) + 1] if ends else ()
    own = math.prod(ward.set_index("step")["share"].reindex(known).dropna())
    theirs = math.prod(pd.Series(board, dtype=float).reindex(known).dropna())
    assert found.shortfall == pytest.approx(100 * theirs - 60 * own)
    assert sum(people(found)) == pytest.approx(found.shortfall)


def test_merged_by_hand() -> None:
    """The ward says nothing of contacts: 48 accepted, half of them connected, at 0.25 elsewhere."""
    ward = steps(accepted=0.8, connected=0.5)
    found = decompose(100, 60, ward, {**BOARD, "attended": None}, FINE)
    assert found.until == "connected"
    # 40 missing at 0.8 x 0.5 x 0.5, and 48 x (0.25 - 0.5).
    assert people(found) == pytest.approx([8, 0, -12])
    assert found.shortfall == pytest.approx(-4)
    assert found.main is None


@pytest.mark.parametrize(
    ("hidden", "until"),
    [("accepted", REFERRED), ("contacted", "accepted"), ("planned", "contacted"),
     ("connected", "contacted"), ("attended", "connected")],
)  # fmt: skip
def test_the_chain_ends_before_a_hidden_share(hidden: str, until: str) -> None:
    """The next share is of a number nobody knows: it can't stand for both."""
    told: dict[str, Any] = dict.fromkeys(CHAIN, 0.5)
    found = decompose(100, 60, steps(**{**told, hidden: IS_HIDDEN}), BOARD, FINE)
    assert found.until == until
    assert found.shortfall == pytest.approx(sum(people(found)))


def test_a_share_of_nobody() -> None:
    """Recorded, but of nobody: none was accepted, so nothing after it is known."""
    found = decompose(100, 60, steps(accepted=(0.0, 0.0, 0.06), contacted=None), BOARD, FINE)
    assert found.until == "accepted"
    assert found.shortfall == pytest.approx(80)
    assert people(found) == pytest.approx([32, 48])
    assert found.parts[1].is_beyond_chance


@pytest.mark.parametrize(("referred", "is_low"), [(81, False), (80, True), (200, False)])
def test_too_few_referrals_on_both_sides_of_the_line(referred: int, is_low: bool) -> None:
    """Of 100 expected, 81 to 120 is within chance; more is no loss."""
    (found,) = decompose(100, referred, steps(), {}, FINE).parts
    assert found == Part(Loss.NOT_OFFERED, 100 - referred, is_low)


@pytest.mark.parametrize(
    ("theirs", "is_beyond"), [(0.29, True), (0.3, False), (0.6, False), (0.61, True)]
)
def test_the_share_of_the_board_on_both_sides_of_the_line(theirs: float, is_beyond: bool) -> None:
    found = decompose(10, 10, steps(accepted=(0.45, 0.3, 0.6)), {"accepted": theirs}, FINE)
    assert found.parts[1].is_beyond_chance is is_beyond


def test_the_interval_of_two_shares() -> None:
    """0.5, to 0.4 and 0.625, twice: on the log scale 0.223 to each side, 0.316 of both."""
    ward = steps(planned=(0.5, 0.4, 0.625), connected=(0.5, 0.4, 0.625))
    reach = math.exp(math.sqrt(2) * math.log(1.25))
    for theirs, is_beyond in (
        (0.25 / reach - 1e-6, True), (0.25 / reach + 1e-6, False),
        (0.25 * reach - 1e-6, False), (0.25 * reach + 1e-6, True),
    ):  # fmt: skip
        found = decompose(10, 10, ward, {"connected": theirs}, FINE)
        assert found.parts[1].people == pytest.approx(10 * (theirs - 0.25))
        assert found.parts[1].is_beyond_chance is is_beyond


@pytest.mark.parametrize(("theirs", "is_beyond"), [(0.18, False), (0.19, True)])
def test_the_interval_of_two_shares_one_of_which_is_nobody(theirs: float, is_beyond: bool) -> None:
    """None of those at 0.6, who may be up to 0.31: from 0 up to 0.6 x 0.31."""
    ward = steps(planned=(0.6, 0.5, 0.7), connected=(0.0, 0.0, 0.31))
    found = decompose(10, 10, ward, {"connected": theirs}, FINE)
    assert found.parts[1].is_beyond_chance is is_beyond


@pytest.mark.parametrize(
    ("expected", "referred"), [(math.nan, 1), (1, pd.NA), (None, 1), (-1, 1), (1, -0.5)]
)
def test_what_is_no_number_of_people_is_refused(expected: Any, referred: Any) -> None:
    with pytest.raises(ValueError, match="expected numbers from 0 up, found"):
        decompose(expected, referred, steps(), BOARD, FINE)


def test_the_steps_as_they_are_judged() -> None:
    """40 referred, 30 of them accepted, 15 connected, 5 attended and closed; contacts have no dates
    anywhere, nor have plans. The board is twice the ward with 10 more accepted."""
    day = pd.Timestamp(2026, 3, 2)
    names = [
        "offered_on", "declined_on", "accepted_on", "first_contact_on", "plan_agreed_on",
        "connected_on", "attended_on", "closed_on", "closed_reason",
    ]  # fmt: skip
    rows: list[dict[str, Any]] = []
    for number in range(40):
        row: dict[str, Any] = {"closed_on": day, "closed_reason": "moved away"}
        for column, reached in (("accepted_on", 30), ("connected_on", 15), ("attended_on", 5)):
            row |= {column: day} if number < reached else {}
        rows.append(row)
    sums = step_facts(pd.DataFrame(rows, columns=names, dtype=object)).sum()
    board = sums * 2
    board[["accepted", "accepted_dated"]] += 10
    judged = judge_steps(pd.DataFrame([sums, board]).assign(group=["ward", "board"]))
    ward = judged[judged["group"] == "ward"]
    shares: Any = judged[judged["group"] == "board"].set_index("step")["share"].to_dict()
    found = decompose(50, 40, ward, shares, FINE)
    # 70 of 80, 30 of 70, 10 of 30 at the board; 30 of 40, 15 of 30, 5 of 15 here.
    assert found.shortfall == pytest.approx(50 / 8 - 5)
    assert people(found) == pytest.approx(
        [10 / 8, 40 * (7 / 8 - 3 / 4) / 7, 30 * (3 / 7 - 1 / 2) / 3, 0]
    )
    assert (found.until, found.main) == ("attended", Loss.NOT_OFFERED)


# A share of people is 0, or one of some millions.
share = st.just(0.0) | st.floats(1e-7, 1)
told = st.one_of(st.just(NOT_RECORDED), st.just(IS_HIDDEN), share.map(lambda x: (x, x / 2, 1.0)))


@given(
    st.floats(0, 1e4),
    st.floats(0, 1e4),
    st.dictionaries(st.sampled_from(STEPS), told),
    st.dictionaries(st.sampled_from(STEPS), st.one_of(st.none(), share)),
    st.builds(Provision, st.booleans(), st.booleans(), st.booleans()),
)
def test_the_parts_add_up(
    expected: float,
    referred: float,
    ward: dict[str, Any],
    board: dict[str, float | None],
    reason: Provision,
) -> None:
    found = decompose(expected, referred, steps(**ward), board, reason)
    near = pytest.approx(found.shortfall, abs=1e-9 * max(expected, referred, 1))
    assert sum(people(found)) == near
    assert sum(found.by_loss.values()) == near
    assert (found.main_share is None) == (found.main is None)
    if found.main is not None:
        assert found.main_share is not None
        assert found.by_loss[found.main] == max(found.by_loss.values()) > 0
        assert 0 < found.main_share <= 1
