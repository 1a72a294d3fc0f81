"""The only session state: what was chosen. It lives in the address bar, as codes, so that a
link opens the same view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from urllib.parse import urlencode

import pandas as pd
import streamlit as st
from sqlalchemy import Engine

from dashboard import restored
from dashboard.data import data_state, fetch_shared
from dashboard.rules.take_up import last_whole_month, month_end, months_before
from dashboard.settings import settings
from dashboard.style import day
from queries import places, workforce
from queries.scope import Scope

# The names in the address bar, in the order in which they are drawn.
BOARD, LOCALITY, PCN, AS_AT, MONTHS, STALE, WARD, LAYER, VIEW, TREND, *PROVIDERS = _NAMES = (
    "icb", "locality", "pcn", "as_at", "months", "stale", "ward", "layer", "view", "trend",
    "part", "rows", "theme", "service", "by", "measure", "room", "cost", "access", "age", "place",
    "provider", "cohort", "figure", "question", "groups", "shows", "wait", "against",
)  # fmt: skip
(
    PART, ROWS, THEME, SERVICE, BY, MEASURE, ROOM, COST, ACCESS, AGE, PLACE, PROVIDER, COHORT,
    FIGURE, QUESTION, GROUPS, SHOWS, WAIT, AGAINST,
) = PROVIDERS  # fmt: skip
# What a plan of where to fund assumes, beside the area and the theme.
PLAN = (
    "need", "whose", "kinds", "goal", "sites", "budget", "reach", "share", "places", "cost_new",
    "cost_venue", "site_fte",
)  # fmt: skip
# What is supposed: a provider that closes, a contract that ends, a link worker who comes or moves.
SUPPOSED = CLOSE, END, WORKER_FROM, WORKER_TO, MOVED = (
    "close", "end", "worker_from", "worker_to", "moved",
)  # fmt: skip
# Which of the actions are listed, and the one that is picked.
ACTIONS = STATE, KIND, OWNER, PINNED, ACTION = ("state", "kind", "owner", "pinned", "action")
# What This week compares with, and whether the pages are shown as in a meeting.
TALK = SINCE, MEETING = ("since", "meeting")
NAMES = (*_NAMES, *PLAN, *SUPPOSED, *ACTIONS, *TALK)
ALL, NEWEST = "", ""
LEFT_OUT, COUNTED = "", "counted"
# What codes of wards begin with, and those of districts do not.
WARD_PREFIX = ("E05", "W05")
# A control chart needs more than 12.
TREND_MONTHS, USUAL_MONTHS = ("12", "24", "36"), "24"
# How far back a date may be chosen from the list.
AS_AT_MONTHS = 36
# Everything chosen, by name: under one key, since Streamlit goes through all its keys at each box.
_CHOICES = "choices by name"
_WRITTEN, _CURRENT = "address last written", "choices of this run"
_TO_FOLLOW, _CHOSEN = "something was picked on a chart", "something was chosen in this run"


@dataclass(frozen=True)
class Area:
    """What figures of wards depend on: a board (or a locality, or a network of it; "" for all), a
    date, and whether services that nobody confirmed in time count as provision."""

    icb_code: str
    as_at: date
    with_stale: bool = False
    lad_code: str = ""
    pcn_code: str = ""

    @property
    def board(self) -> tuple[str, date, bool]:
        """The whole board at the date, as the queries take it."""
        return self.icb_code, self.as_at, self.with_stale


@dataclass(frozen=True)
class Choices:
    """What is chosen. `lad_code` and `pcn_code` are "" for all.

    With `with_stale`, services that nobody confirmed in time count as provision.
    """

    icb_code: str
    icb_name: str
    lad_code: str
    lad_name: str
    pcn_code: str
    pcn_name: str
    as_at: date
    months: int
    with_stale: bool = False

    @property
    def area(self) -> Area:
        """What the figures of wards depend on."""
        return Area(self.icb_code, self.as_at, self.with_stale, self.lad_code, self.pcn_code)

    def address(self, **picked: str) -> dict[str, str]:
        """What a link to something of this board says, with what is picked by its name."""
        stale = {STALE: COUNTED} if self.with_stale else {}
        return {BOARD: self.icb_code, AS_AT: self.as_at.isoformat(), **stale, **picked}

    @property
    def words(self) -> str:
        """'Kent and Medway > Thanet · to 30 June 2026'."""
        area = " > ".join(name for name in (self.icb_name, self.lad_name, self.pcn_name) if name)
        stale = " · stale entries counted" if self.with_stale else ""
        return f"{area} · as at {day(self.as_at)}{stale}"


def draw(scope: Scope) -> Choices | None:
    """Draw the shared filters in the sidebar, once a run; `None` when no board is loaded."""
    _read_address()
    names = fetch_shared(_boards, scope)
    if not names:
        return None
    with st.sidebar:
        icb_code = _pick("Integrated care board", BOARD, names, after=_forget_places)
        districts = fetch_shared(_districts, scope, icb_code)
        lad_code = _pick("Locality (district)", LOCALITY, districts, after=_forget_ward)
        # Which networks there are depends on the date, and stands above it.
        place = st.container()
        as_at = _pick_date()
        months = _pick(
            "Months in trends",
            MONTHS,
            {m: f"{m} months" for m in TREND_MONTHS},
            usual=USUAL_MONTHS,
        )
        stale = _pick(
            f"Entries not confirmed for {settings().stale_months} months",
            STALE,
            {LEFT_OUT: "Left out", COUNTED: "Counted as provision"},
        )
        networks = fetch_shared(_networks, scope, icb_code, as_at)
        with place:
            pcn_code = _pick("Primary care network", PCN, networks, after=_forget_ward)
    choices = Choices(
        icb_code=icb_code,
        icb_name=names[icb_code],
        lad_code=lad_code,
        lad_name=districts[lad_code] if lad_code else "",
        pcn_code=pcn_code,
        pcn_name=networks[pcn_code] if pcn_code else "",
        as_at=as_at,
        months=int(months),
        with_stale=stale == COUNTED,
    )
    st.session_state[_CURRENT] = choices
    return choices


def current() -> Choices:
    """What the shared filters say in this run."""
    choices: Choices = st.session_state[_CURRENT]
    return choices


def current_or_none() -> Choices | None:
    """The same where no board may be loaded yet."""
    return st.session_state.get(_CURRENT)


def pick(name: str, label: str, options: dict[str, str], *, usual: str | None = None) -> str:
    """A choice that belongs to one page: a select box that is kept in the address bar. Until one is
    made it is `usual`, or the first."""
    return _pick(label, name, options, usual=usual)


def switch(name: str, label: str, options: dict[str, str]) -> str:
    """The same as a row of buttons: for what of a page is shown."""
    _hand_to_widget(name, options)
    return str(
        st.segmented_control(
            label,
            list(options),
            format_func=lambda code: options[code],
            key=name,
            on_change=_take_from_widget,
            args=(name,),
            required=True,
        )
    )


def chosen(name: str) -> str:
    """What is chosen under a name now; "" for nothing."""
    return _choices().get(name, "")


def _choices() -> dict[str, str]:
    """All that is chosen by name, to read and to write."""
    found: dict[str, str] = st.session_state.setdefault(_CHOICES, {})
    return found


def pick_ward(ward_code: str) -> None:
    """Pick a ward from a chart or a table."""
    choose(WARD, ward_code)


def pick_board(icb_code: str) -> None:
    """Pick a board: in the shared filter, so that it stays picked on every page."""
    choose(BOARD, icb_code)
    _forget_places()


def pick_pcn(pcn_code: str) -> None:
    """Pick a network: in the shared filter, so that it stays picked on every page."""
    choose(PCN, pcn_code)
    _forget_ward()


def pick_pcn_on_chart(pcn_code: str) -> None:
    """The same from a chart, which runs by itself: the page follows."""
    pick_pcn(pcn_code)
    st.session_state[_TO_FOLLOW] = True


def pick_on_map(ward_code: str) -> None:
    """The same from the map, which runs by itself: the page follows."""
    pick_ward(ward_code)
    st.session_state[_TO_FOLLOW] = True


def follow_pick() -> None:
    """Run the whole page again when a ward was picked in a part that runs by itself."""
    if st.session_state.pop(_TO_FOLLOW, False):
        st.rerun()


def choose(name: str, value: str) -> None:
    """Choose from a chart or a table, in a callback: before the boxes are drawn again."""
    _choices()[name] = value
    st.session_state[_CHOSEN] = True


def table_url(subject: str, *also: str) -> str:
    """Where the browser fetches a table of the chosen area: another address for other data.

    `also` names further choices that it depends on.
    """
    choices = current()
    query = {
        "icb": choices.icb_code,
        "as_at": choices.as_at.isoformat(),
        "locality": choices.lad_code,
        "pcn": choices.pcn_code,
        "stale": COUNTED if choices.with_stale else LEFT_OUT,
        "v": data_state().version,
        **{name: chosen(name) for name in also},
    }
    return f"/table/{subject}.json?{urlencode(query)}"


def write_address() -> None:
    """Bring the address bar in line with what is chosen; the last thing a run does."""
    choices = _choices()
    wanted = {name: choices[name] for name in NAMES if choices.get(name)}
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)
    st.session_state[_WRITTEN] = wanted
    st.session_state[_CHOSEN] = False


def _read_address() -> None:
    """A link, or the browser's back button, wins over what was chosen before."""
    asked, choices = st.query_params.to_dict(), _choices()
    address = {name: asked[name] for name in NAMES if name in asked}
    written = st.session_state.get(_WRITTEN)
    # Changing the page empties the address; what was chosen goes on.
    is_new_page = not address and written is not None
    # Who chooses twice in a row is faster than the address bar: the second choice comes with the
    # address before the first, which is no link to follow.
    is_outrun = st.session_state.get(_CHOSEN, False)
    if address != written and not is_new_page and not is_outrun:
        choices.clear()
        choices.update(address)
        restored.note(address, restored.LINK)
    elif is_new_page:
        restored.note(_all_chosen(), restored.PAGE)
    elif is_outrun:
        restored.forget()


def _pick(
    label: str,
    name: str,
    options: dict[str, str],
    after: Callable[[], None] | None = None,
    usual: str | None = None,
) -> str:
    _hand_to_widget(name, options, usual)
    return str(
        st.selectbox(
            label,
            list(options),
            format_func=lambda code: str(options[code]),
            key=name,
            on_change=_take_from_widget,
            args=(name, after),
        )
    )


def _hand_to_widget(name: str, options: dict[str, str], usual: str | None = None) -> None:
    """Before a widget is drawn: what is chosen is one of its options, and what it shows."""
    choices = _choices()
    if choices.get(name, "") not in options:
        # A link to something that is not there (any more) falls back, and the page's header
        # says what is shown; so does what a browser sends back that was never offered.
        choices[name] = next(iter(options)) if usual is None else usual
    # What it shows already is not set again: Streamlit would send it as a change.
    if st.session_state.get(name) != chosen(name):
        st.session_state[name] = chosen(name)


def _take_from_widget(name: str, after: Callable[[], None] | None = None) -> None:
    choose(name, str(st.session_state[name]))
    if after:
        after()


def _pick_date() -> date:
    newest = newest_as_at()
    picked = _pick("As at", AS_AT, _dates(newest))
    return date.fromisoformat(picked) if picked else newest


@lru_cache(maxsize=8)
def _dates(newest: date) -> dict[str, str]:
    latest = last_whole_month(newest)
    ends = [month_end(months_before(latest, back)) for back in range(AS_AT_MONTHS)]
    return {NEWEST: f"Newest: {day(newest)}"} | {
        end.isoformat(): day(end) for end in ends if end != newest
    }


def newest_as_at() -> date:
    """Today; for the demonstration the last day it tells of, so that it never grows old."""
    state = data_state()
    newest = state.newest_date if state.is_demonstration else None
    return newest or date.today()


def _boards(engine: Engine, scope: Scope) -> dict[str, str]:
    return _named(places.boards(engine, scope), "icb")


def _districts(engine: Engine, scope: Scope, icb_code: str) -> dict[str, str]:
    wards = places.wards(engine, scope, icb_code).drop_duplicates("lad_code")
    return {ALL: "All localities"} | _named(wards.dropna(subset="lad_code"), "lad")


def _networks(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> dict[str, str]:
    """Who leads networks of the board always has one of them chosen."""
    named = _named(workforce.fte_by_pcn(engine, scope, icb_code, as_at), "pcn")
    mine = scope.networks_of(icb_code)
    if mine is None:
        return {ALL: "All networks"} | named
    # One that is not there at the date stays what they see: nothing of it.
    return {code: named.get(code, code) for code in sorted(mine)}


def _named(frame: pd.DataFrame, kind: str) -> dict[str, str]:
    codes = frame[f"{kind}_code"]
    return dict(zip(codes, frame[f"{kind}_name"].fillna(codes), strict=True))


def staying() -> dict[str, str]:
    """What a link says beside its own choices: it opens a session of its own, and stays in a meeting."""
    return {MEETING: chosen(MEETING)} if chosen(MEETING) else {}


def in_force() -> dict[str, str]:
    """All that is chosen now by name, with the date that is shown."""
    return _all_chosen() | {AS_AT: current().as_at.isoformat()}


def _all_chosen() -> dict[str, str]:
    choices = _choices()
    return {name: choices.get(name, "") for name in NAMES}


def reset() -> None:
    """Everything as it is without a choice, of the same board; in a callback."""
    for name in NAMES:
        if name not in (BOARD, MEETING):
            choose(name, "")


def _forget_places() -> None:
    for name in (LOCALITY, PCN, WARD):
        choose(name, "")


def pick_cell(key: str) -> None:
    """Pick a row of the matrix, or a cell of it: a ward (or a district) and a need theme."""
    code, _, theme = key.partition("|")
    if theme:
        choose(THEME, theme)
    if code.startswith(WARD_PREFIX):
        choose(WARD, code)
    else:
        choose(LOCALITY, code)
        choose(ROWS, "")


def pick_on_service_map(key: str) -> None:
    """Pick a ward or a service on the map of services: the page follows."""
    choose(WARD if key.startswith(WARD_PREFIX) else SERVICE, key)
    st.session_state[_TO_FOLLOW] = True


def pick_group(group: str) -> None:
    """Pick a line of capacity, a provider, a need, or the code of a locality or ward: its services."""
    match chosen(BY):
        case "theme":
            choose(THEME, group)
        case "locality":
            choose(LOCALITY, group)
        case "ward":
            choose(WARD, group)
        case _:
            choose(PROVIDER, group)
    choose(PART, "gaps" if chosen(BY) == "ward" else "services")


def pick_of_pathway(code: str) -> None:
    """Pick a line of the pathway by group: a network or a ward, which stays picked; others don't."""
    match chosen(GROUPS):
        case "PCN" | "":
            pick_pcn(code)
        case "ward":
            pick_ward(code)


def pick_service(service_key: str) -> None:
    """Pick a service from the list."""
    choose(SERVICE, service_key)


def _forget_ward() -> None:
    choose(WARD, "")
