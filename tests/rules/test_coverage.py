"""The judgement of a ward: both sides of every line, and never a gap out of silence."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rules.coverage import (
    GAPS,
    Component,
    SchemeVoice,
    ServiceCount,
    ServingPcn,
    State,
    Status,
    TakeUp,
    classify_ward,
    explain,
    judge_link_worker,
    judge_route_in,
    judge_services,
    judge_take_up,
)

WORKER = ServingPcn("Hill", 0.6, 1.5)
NOBODY = ServingPcn("Dale", 0.3, 0.0)
SILENT = ServingPcn("Moor", 0.1, None)


@pytest.mark.parametrize(
    ("serving", "state"),
    [
        ([WORKER], State.PRESENT),
        ([NOBODY], State.ABSENT),
        ([SILENT], State.NO_RETURN),
        ([], State.NO_RETURN),
        ([NOBODY, NOBODY], State.ABSENT),
        ([NOBODY, SILENT], State.NO_RETURN),
        ([WORKER, SILENT], State.PRESENT),
        ([WORKER, NOBODY], State.PRESENT),
        ([WORKER, NOBODY, SILENT], State.PRESENT),
        ([ServingPcn("Hill", 0.05, 0.01)], State.PRESENT),
    ],
)
def test_link_worker(serving: list[ServingPcn], state: State) -> None:
    for order in itertools.permutations(serving):
        assert judge_link_worker(order).state is state


def test_link_worker_reasons_name_the_pcns_largest_first() -> None:
    other = ServingPcn("Weald", 0.2, 2.0)
    reason = judge_link_worker([other, SILENT, WORKER]).reason
    assert reason.index("Hill") < reason.index("Weald")
    assert "Moor" not in reason
    assert "Moor" in judge_link_worker([SILENT, NOBODY]).reason
    assert "Dale" not in judge_link_worker([SILENT, NOBODY]).reason
    assert "Dale" in judge_link_worker([NOBODY]).reason


def test_a_long_list_is_cut_and_says_so() -> None:
    pcns = [ServingPcn(f"PCN {n}", 0.2, 1.0) for n in range(1, 6)]
    assert judge_link_worker(pcns).reason.endswith("PCN 1, PCN 2 and 3 more")
    assert judge_link_worker(pcns[:3]).reason.endswith("PCN 1, PCN 2 and PCN 3")
    assert judge_link_worker([pcns[0], pcns[0]]).reason.endswith("at PCN 1")


PRESENT = judge_link_worker([WORKER])
ABSENT = judge_link_worker([NOBODY])
UNTOLD = judge_link_worker([SILENT])


@pytest.mark.parametrize("link_worker", [PRESENT, ABSENT, UNTOLD])
@pytest.mark.parametrize(
    ("voice", "state"),
    [
        (SchemeVoice("Thanet", ("Links",), ()), State.PRESENT),
        (SchemeVoice("", ("Links",), ()), State.PRESENT),
        (SchemeVoice("Thanet", ("Links",), ("Wide",)), State.PRESENT),
        (SchemeVoice("Thanet", (), ("Wide",)), State.AREA_WIDE),
        (SchemeVoice("Thanet", (), ()), State.ABSENT),
    ],
)
def test_a_scheme_return_beats_the_workforce(
    voice: SchemeVoice, state: State, link_worker: Component
) -> None:
    judged = judge_route_in(voice, link_worker)
    assert judged.state is state
    assert not judged.is_inferred


@pytest.mark.parametrize(
    ("link_worker", "state"),
    [(PRESENT, State.PRESENT), (ABSENT, State.ABSENT), (UNTOLD, State.NO_RETURN)],
)
def test_route_in_without_a_return_is_inferred_and_marked(
    link_worker: Component, state: State
) -> None:
    judged = judge_route_in(SchemeVoice(), link_worker)
    assert judged.state is state
    assert judged.is_inferred


@pytest.mark.parametrize(
    ("count", "state"),
    [
        (ServiceCount(False), State.NO_RETURN),
        (ServiceCount(False, own=1, area_wide=1, stale=1), State.NO_RETURN),
        (ServiceCount(True), State.ABSENT),
        (ServiceCount(True, stale=1), State.STALE),
        (ServiceCount(True, area_wide=1), State.AREA_WIDE),
        (ServiceCount(True, area_wide=1, stale=5), State.AREA_WIDE),
        (ServiceCount(True, own=1), State.PRESENT),
        (ServiceCount(True, own=1, area_wide=9, stale=9), State.PRESENT),
    ],
)
def test_services(count: ServiceCount, state: State) -> None:
    assert judge_services(count).state is state


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (ServiceCount(True, own=1), "1 service"),
        (ServiceCount(True, own=1200), "1,200 services"),
        (ServiceCount(True, stale=1), "1 entry"),
        (ServiceCount(True, stale=2), "2 entries"),
        (ServiceCount(True, area_wide=2), "2 area-wide or online services"),
    ],
)
def test_services_are_counted_in_words(count: ServiceCount, words: str) -> None:
    assert judge_services(count).reason.startswith(words)


@pytest.mark.parametrize(
    ("referrals", "verdict"),
    [
        (9, TakeUp.LOW),
        (10, TakeUp.AS_EXPECTED),  # on the lower limit
        (15, TakeUp.AS_EXPECTED),
        (20, TakeUp.AS_EXPECTED),  # on the upper limit
        (21, TakeUp.HIGH),
        (0, TakeUp.NONE),
        (None, TakeUp.UNKNOWN),
    ],
)
def test_take_up_against_the_limits(referrals: int | None, verdict: TakeUp) -> None:
    assert judge_take_up(referrals, is_hidden=False, lower=10, upper=20) is verdict


@pytest.mark.parametrize(
    ("referrals", "lower", "upper", "verdict"),
    [
        (40, None, None, TakeUp.UNKNOWN),
        (40, 10, None, TakeUp.UNKNOWN),
        (40, None, 20, TakeUp.UNKNOWN),
        (0, None, None, TakeUp.NONE),
        (0, 0.0, 3.0, TakeUp.NONE),
        (1, 0.0, 3.0, TakeUp.AS_EXPECTED),
    ],
)
def test_take_up_without_limits(
    referrals: int, lower: float | None, upper: float | None, verdict: TakeUp
) -> None:
    assert judge_take_up(referrals, is_hidden=False, lower=lower, upper=upper) is verdict


@pytest.mark.parametrize("referrals", [None, 0, 3, 400])
def test_hidden_is_hidden_before_it_is_anything_else(referrals: int | None) -> None:
    assert judge_take_up(referrals, is_hidden=True, lower=10, upper=20) is TakeUp.HIDDEN


def oracle(route: str, worker: str, services: str, take_up: str) -> str:
    """The table of the design, written out as slowly as it reads."""
    there = ["present", "area-wide only"]
    if route == "no return":
        return "No return"
    if route not in there:
        return "No provision"
    if worker == "no return":
        return "No return"
    if worker not in there:
        return "No link worker"
    if services == "no return":
        return "No return"
    if services not in there:
        return "Nothing to refer to"
    if take_up == "none":
        return "Not reached"
    if take_up == "low":
        return "Low take-up"
    if take_up == "as expected":
        return "As expected"
    if take_up == "high":
        return "High take-up"
    if take_up == "hidden":
        return "Provided, take-up hidden"
    return "Provided, take-up unknown"


def test_the_whole_truth_table() -> None:
    cases = list(itertools.product(State, State, State, TakeUp))
    assert len(cases) == 5 * 5 * 5 * 6
    for route, worker, services, take_up in cases:
        found = classify_ward(route, worker, services, take_up)
        assert found.value == oracle(route.value, worker.value, services.value, take_up.value)


def test_gaps_are_the_three_that_miss_a_component() -> None:
    assert {status.value for status in Status if status.is_gap} == {
        "No provision",
        "No link worker",
        "Nothing to refer to",
    }
    assert set(GAPS) == {status for status in Status if status.is_gap}


pcns = st.lists(
    st.builds(
        ServingPcn,
        name=st.sampled_from("ABCDE"),
        share=st.floats(0.05, 1),
        fte=st.none() | st.sampled_from([0.0, 0.2, 1.0, 7.5]),
    ),
    max_size=5,
)
names = st.lists(st.sampled_from(["Links", "Bridges"]), max_size=2).map(tuple)
voices = st.builds(SchemeVoice, speaks=st.sampled_from(["", "Thanet"]), own=names, board_wide=names)
counts = st.builds(
    ServiceCount,
    is_returned=st.booleans(),
    own=st.integers(0, 2),
    area_wide=st.integers(0, 2),
    stale=st.integers(0, 2),
)
take_ups = st.sampled_from(TakeUp)


def judged(
    serving: list[ServingPcn], voice: SchemeVoice, count: ServiceCount, take_up: TakeUp
) -> tuple[Status, Component, Component, Component]:
    link_worker = judge_link_worker(serving)
    route_in = judge_route_in(voice, link_worker)
    services = judge_services(count)
    status = classify_ward(route_in.state, link_worker.state, services.state, take_up)
    return status, route_in, link_worker, services


@given(pcns, voices, counts, take_ups)
def test_no_provision_is_told_or_every_pcn_returned_without_a_worker(
    serving: list[ServingPcn], voice: SchemeVoice, count: ServiceCount, take_up: TakeUp
) -> None:
    status, *_ = judged(serving, voice, count, take_up)
    told = bool(voice.speaks) and not voice.own and not voice.board_wide
    all_without = bool(serving) and all(pcn.fte == 0 for pcn in serving)
    if status is Status.NO_PROVISION:
        assert told or all_without


@given(pcns, voices, counts, take_ups)
def test_a_gap_is_never_made_of_what_nobody_told(
    serving: list[ServingPcn], voice: SchemeVoice, count: ServiceCount, take_up: TakeUp
) -> None:
    """Each gap rests on a component that was told to be missing."""
    status, *_ = judged(serving, voice, count, take_up)
    if status is Status.NO_LINK_WORKER:
        assert serving
        assert all(pcn.fte == 0 for pcn in serving)
    if status is Status.NOTHING_TO_REFER_TO:
        assert count.is_returned
        assert not count.own
        assert not count.area_wide


@given(pcns, voices, counts, take_ups, st.data())
def test_silence_added_never_makes_a_gap(
    serving: list[ServingPcn],
    voice: SchemeVoice,
    count: ServiceCount,
    take_up: TakeUp,
    data: st.DataObject,
) -> None:
    before, *_ = judged(serving, voice, count, take_up)
    place = data.draw(st.integers(0, len(serving)))
    more_silent = [*serving[:place], ServingPcn("New", 0.1, None), *serving[place:]]
    hushed = [ServingPcn(pcn.name, pcn.share, None) for pcn in serving]
    never_returned = ServiceCount(False, count.own, count.area_wide, count.stale)
    for after, *_ in (
        judged(more_silent, voice, count, take_up),
        judged(hushed, voice, count, take_up),
        judged([], voice, count, take_up),
        judged(serving, voice, never_returned, take_up),
        judged(serving, voice, count, TakeUp.UNKNOWN),
    ):
        assert before.is_gap or not after.is_gap


@given(pcns, voices, counts, take_ups)
def test_every_blank_has_a_reason(
    serving: list[ServingPcn], voice: SchemeVoice, count: ServiceCount, take_up: TakeUp
) -> None:
    status, route_in, link_worker, services = judged(serving, voice, count, take_up)
    reason = explain(status, route_in, link_worker, services, "told by the caller")
    assert reason
    assert not reason.endswith((".", ";", " "))
    provided = status not in (*GAPS, Status.NO_RETURN)
    assert reason.startswith("told by the caller") is provided


def explained(serving: list[ServingPcn], voice: SchemeVoice, count: ServiceCount) -> str:
    status, *components = judged(serving, voice, count, TakeUp.UNKNOWN)
    return explain(status, *components, "")


def test_the_reason_says_what_is_near_all_the_same() -> None:
    told = SchemeVoice("Thanet")
    both = explained([WORKER], told, ServiceCount(True, own=1))
    assert "Thanet" in both
    assert "link worker is in post" in both
    assert "services are near" in both
    neither = explained([NOBODY], told, ServiceCount(True, stale=1))
    assert "Thanet" in neither
    assert "all the same" not in neither


def test_the_reason_says_when_it_is_inferred() -> None:
    assert "inferred" in explained([NOBODY], SchemeVoice(), ServiceCount(True, own=1))
    assert "Dale" in explained([NOBODY], SchemeVoice(), ServiceCount(True, own=1))
    assert "inferred" in explained([WORKER], SchemeVoice(), ServiceCount(False))
    assert "inferred" not in explained([WORKER], SchemeVoice("", ("Links",)), ServiceCount(False))


def test_the_reason_for_no_return_names_who_is_silent() -> None:
    assert "Moor" in explained([SILENT], SchemeVoice(), ServiceCount(False))
    assert "Moor" in explained([SILENT], SchemeVoice("", ("Links",)), ServiceCount(True, own=1))
    assert "never returned" in explained([WORKER], SchemeVoice(), ServiceCount(False))


def test_area_wide_cover_is_said_beside_the_take_up() -> None:
    _, *components = judged([WORKER], SchemeVoice(), ServiceCount(True, area_wide=1), TakeUp.HIGH)
    assert "area-wide" in explain(Status.HIGH, *components, "40 referrals")
