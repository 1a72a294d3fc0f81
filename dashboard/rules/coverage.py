"""Whether a ward has social prescribing: three components, one status, and why we think so.

Each rule is a pure function of what was told. Missing is never zero: a component nobody
told us about is "no return", and "no return" never turns into a gap.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """What is known of one component in one ward."""

    PRESENT = "present"
    AREA_WIDE = "area-wide only"
    STALE = "stale"
    ABSENT = "absent"
    NO_RETURN = "no return"

    @property
    def is_there(self) -> bool:
        """Whether people of the ward can use it: cover from the whole area counts."""
        return self in (State.PRESENT, State.AREA_WIDE)


class Status(StrEnum):
    """The judgement of a ward, worst first: the order in which lists show them."""

    NO_PROVISION = "No provision"
    NO_LINK_WORKER = "No link worker"
    NOTHING_TO_REFER_TO = "Nothing to refer to"
    NOT_REACHED = "Not reached"
    LOW = "Low take-up"
    NO_RETURN = "No return"
    HIDDEN = "Provided, take-up hidden"
    UNKNOWN = "Provided, take-up unknown"
    AS_EXPECTED = "As expected"
    HIGH = "High take-up"

    @property
    def is_gap(self) -> bool:
        """Whether a component is known to be missing."""
        return self in GAPS


GAPS = (Status.NO_PROVISION, Status.NO_LINK_WORKER, Status.NOTHING_TO_REFER_TO)


class TakeUp(StrEnum):
    """Referrals of the last 12 months against the number expected."""

    NONE = "none"
    LOW = "low"
    AS_EXPECTED = "as expected"
    HIGH = "high"
    HIDDEN = "hidden"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Component:
    """The state of one component and the reason for it, in words for the screen."""

    state: State
    reason: str
    is_inferred: bool = False


@dataclass(frozen=True)
class ServingPcn:
    """A PCN that serves a ward: its share of the ward's registered people (0-1), and its
    link-worker FTE at the date; `None` when it has not returned its workforce."""

    name: str
    share: float
    fte: float | None


@dataclass(frozen=True)
class SchemeVoice:
    """What scheme-area returns say of a ward: who speaks for it, who serves it.

    `own` names schemes that serve the ward or its district, `board_wide` those that serve
    the whole board. `speaks` is the area a return speaks for; "" when none does.
    """

    speaks: str = ""
    own: tuple[str, ...] = ()
    board_wide: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServiceCount:
    """Open services that serve a ward, by how near they are and whether they are confirmed.

    `own` names the ward or its district, `area_wide` is online or names the whole board.
    `is_returned` is false when nobody ever returned services for the board.
    """

    is_returned: bool
    own: int = 0
    area_wide: int = 0
    stale: int = 0


def judge_link_worker(serving: Iterable[ServingPcn]) -> Component:
    """Present when a PCN serving the ward has a worker in post; absent only when every one
    of them has returned its workforce without one."""
    pcns = sorted(serving, key=lambda pcn: -pcn.share)
    with_worker = [pcn.name for pcn in pcns if pcn.fte]
    silent = [pcn.name for pcn in pcns if pcn.fte is None]
    if with_worker:
        return Component(State.PRESENT, f"in post at {_listed(with_worker)}")
    if not pcns:
        return Component(State.NO_RETURN, "not known which PCNs serve the ward")
    if silent:
        return Component(State.NO_RETURN, f"no workforce return from {_listed(silent)}")
    return Component(State.ABSENT, f"none at {_listed(pcn.name for pcn in pcns)}")


def judge_route_in(voice: SchemeVoice, link_worker: Component) -> Component:
    """As a scheme-area return says where one speaks; else inferred from the link workers.

    Inside the area a return speaks for, a ward it does not name has no route in.
    """
    if voice.own:
        return Component(State.PRESENT, f"served by {_listed(voice.own)}")
    if voice.board_wide:
        return Component(State.AREA_WIDE, f"only {_listed(voice.board_wide)}, for the whole board")
    if voice.speaks:
        return Component(State.ABSENT, f"not served, says the return for {voice.speaks}")
    if link_worker.state is State.NO_RETURN:
        return Component(State.NO_RETURN, "no scheme return to say so", True)
    if link_worker.state.is_there:
        return Component(State.PRESENT, "inferred from the link worker", True)
    return Component(State.ABSENT, "inferred: no link worker", True)


def judge_services(count: ServiceCount) -> Component:
    """Something to refer to: an open service of the ward's own that was confirmed in time,
    else one for the whole area, else entries that nobody confirmed, else none."""
    if not count.is_returned:
        return Component(State.NO_RETURN, "never returned")
    if count.own:
        return Component(State.PRESENT, _counted(count.own, "service"))
    if count.area_wide:
        return Component(
            State.AREA_WIDE, f"{_counted(count.area_wide, 'area-wide or online service')} only"
        )
    if count.stale:
        return Component(
            State.STALE, f"{_counted(count.stale, 'entry', 'entries')}, none confirmed in time"
        )
    return Component(State.ABSENT, "no service serves the ward")


def judge_take_up(
    referrals: int | None, *, is_hidden: bool, lower: float | None, upper: float | None
) -> TakeUp:
    """Referrals against the 95% limits of the number expected.

    `referrals` is the disclosed count, `None` when hidden or not returned; no limits when
    the expected number is not known. On a limit is as expected.
    """
    if is_hidden:
        return TakeUp.HIDDEN
    if referrals is None:
        return TakeUp.UNKNOWN
    if referrals == 0:
        return TakeUp.NONE
    if lower is None or upper is None:
        return TakeUp.UNKNOWN
    if referrals < lower:
        return TakeUp.LOW
    return TakeUp.HIGH if referrals > upper else TakeUp.AS_EXPECTED


_BY_TAKE_UP = {
    TakeUp.NONE: Status.NOT_REACHED,
    TakeUp.LOW: Status.LOW,
    TakeUp.AS_EXPECTED: Status.AS_EXPECTED,
    TakeUp.HIGH: Status.HIGH,
    TakeUp.HIDDEN: Status.HIDDEN,
    TakeUp.UNKNOWN: Status.UNKNOWN,
}


def classify_ward(route_in: State, link_worker: State, services: State, take_up: TakeUp) -> Status:
    """The first that holds; a component nobody told us about stops the judgement there."""
    for component, missing in (
        (route_in, Status.NO_PROVISION),
        (link_worker, Status.NO_LINK_WORKER),
        (services, Status.NOTHING_TO_REFER_TO),
    ):
        if component is State.NO_RETURN:
            return Status.NO_RETURN
        # A stale entry is not something to send a person to; the reason says it is stale.
        if not component.is_there:
            return missing
    return _BY_TAKE_UP[take_up]


def explain(
    status: Status,
    route_in: Component,
    link_worker: Component,
    services: Component,
    take_up_reason: str,
) -> str:
    """Why a ward has its status, in a few words without a full stop."""
    match status:
        case Status.NO_PROVISION if route_in.is_inferred:
            return f"inferred, no scheme return: no link worker, {link_worker.reason}"
        case Status.NO_PROVISION:
            near = [
                words
                for component, words in (
                    (link_worker, "a link worker is in post"),
                    (services, "services are near"),
                )
                if component.state.is_there
            ]
            if not near:
                return route_in.reason
            return f"{route_in.reason}; {' and '.join(near)} all the same"
        case Status.NO_LINK_WORKER:
            return link_worker.reason
        case Status.NOTHING_TO_REFER_TO:
            return services.reason
        case Status.NO_RETURN:
            return _unjudged(route_in, link_worker, services)
    if services.state is State.AREA_WIDE:
        return f"{take_up_reason}; {services.reason}"
    return take_up_reason


def _unjudged(route_in: Component, link_worker: Component, services: Component) -> str:
    """What nobody told us that the judgement needed."""
    if link_worker.state is State.NO_RETURN:
        return link_worker.reason
    if route_in.state is State.NO_RETURN:
        return route_in.reason
    told = "; route in inferred from the link worker" if route_in.is_inferred else ""
    return f"services {services.reason}{told}"


def _listed(names: Iterable[str]) -> str:
    """'A', 'A and B', 'A, B and 2 more'."""
    names = list(dict.fromkeys(names))
    if len(names) > 3:
        names = [*names[:2], f"{len(names) - 2} more"]
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
