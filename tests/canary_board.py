"""Two boards in which whatever is somebody's own carries its owner's mark, wherever it shows.

Each board and each network has a word of its own, and each of its things is called by that word and
what it is: "Axolotlaction" is an action of the network Axolotl. Its numbers are such as nothing else
adds up to. People of every network live in every ward of its board, so that no figure of a ward or of the
board is one network's.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import shapely
from sqlalchemy import Engine

from dashboard import intake
from dashboard.intake.source import Source
from dashboard.seen import seen
from queries import jobs, meetings, saved_views, scenarios
from queries.actions import ActionEdit, add_action
from queries.database import make_engine
from queries.load import CleanLoad, save
from queries.scope import EVERYTHING
from tests.outcome_board import KEY, People, steps
from tests.small_board import (
    AS_AT,
    Post,
    Scheme,
    Service,
    Week,
    capacity,
    census,
    made_of,
    scheme_areas,
    services,
)

MONTHS = [date(2025 + (6 + n) // 12, (6 + n) % 12 + 1, 1) for n in range(12)]
WARDS_EACH = 4


@dataclass(frozen=True)
class Network:
    """One network: its word, its code, and numbers that are only its."""

    word: str
    code: str
    board: str
    patients: int  # a multiple of `WARDS_EACH`
    referrals: int  # a multiple of 5: shown as it is
    fte: float
    funded: float
    target: float
    planned: float

    @property
    def practice(self) -> str:
        return f"Y{self.code[1:]}"

    def numbers(self) -> list[float]:
        """As they are, and as they are told to one decimal."""
        told = (self.fte, self.funded, self.target, self.planned)
        return [self.patients, self.referrals, *told, *(round(each, 1) for each in told)]


@dataclass(frozen=True)
class Board:
    """One board: its word, its code, its wards, and how many places its service has."""

    word: str
    code: str
    number: int
    places: int
    budgets: int
    networks: tuple[Network, ...]

    @property
    def wards(self) -> list[str]:
        return [f"E0591{self.number}00{n}" for n in range(1, WARDS_EACH + 1)]

    @property
    def lsoas(self) -> list[str]:
        return [f"E0191{self.number}00{n}" for n in range(1, WARDS_EACH + 1)]

    @property
    def district(self) -> str:
        return f"E0791{self.number}001"


A = Board(
    "Aardvark", "QA1", 1, 46_817, 53_615,
    (
        Network("Axolotl", "U91001", "QA1", 27_916, 1_235, 113.37, 31.73, 213.57, 171.93),
        Network("Alpaca", "U91002", "QA1", 32_468, 2_345, 127.61, 37.19, 239.81, 183.47),
        Network("Armadillo", "U91003", "QA1", 38_732, 1_465, 149.83, 41.57, 257.29, 197.61),
    ),
)  # fmt: skip
B = Board(
    "Bandicoot", "QB1", 2, 48_619, 57_415,
    (
        Network("Bison", "U92001", "QB1", 29_372, 1_785, 163.29, 43.81, 271.43, 223.87),
        Network("Beaver", "U92002", "QB1", 34_916, 1_895, 179.71, 47.39, 283.61, 229.39),
    ),
)  # fmt: skip
BOARDS = (A, B)
NETWORKS = (*A.networks, *B.networks)
OWNER = {each.word: each for each in (*BOARDS, *NETWORKS)}
_WORDS = re.compile(rf"({'|'.join(OWNER)})([a-z]+)?")
# The codes of Network and Board are marks too.
_CODES = {
    **{each.code: each.word for each in OWNER.values()},
    **{code: each.word for each in BOARDS for code in (*each.wards, *each.lsoas, each.district)},
    **{network.practice: network.word for network in NETWORKS},
}
_CODE = re.compile("|".join(sorted(_CODES, key=len, reverse=True)))
_NUMBERS = {
    f"{number:.2f}".rstrip("0").rstrip("."): each.word
    for each in NETWORKS
    for number in each.numbers()
} | {
    str(number): board.word for board in BOARDS for number in (board.places, board.budgets)
}  # fmt: skip
_NUMBER = re.compile(r"(?<![\w.,#-])\d[\d,]*(?:\.\d+)?(?![\w-])")


def marks(text: str) -> set[tuple[str, str]]:
    """Whose marks are in a text, and what is marked: ("Axolotl", "action"), ("Axolotl", "27916")."""
    found = {(word, kind) for word, kind in _WORDS.findall(text)}
    found |= {(_CODES[code], code) for code in _CODE.findall(text)}
    for number in _NUMBER.findall(text):
        plain = number.rstrip(",").replace(",", "")
        plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
        if plain in _NUMBERS:
            found.add((_NUMBERS[plain], plain))
    return found


def whose(found: set[tuple[str, str]]) -> set[str]:
    """The words of the owners."""
    return {word for word, _ in found}


def loads() -> list[CleanLoad]:
    """Places and figures of both boards; of a local return each board has a file of its own."""
    made = [_boundaries(), _wards_of_lsoas(), _boards_of_lsoas(), _population(), _ranks()]
    made += [_practices(), _list_sizes(), _registered()]
    made += [_census(board, day) for day in (date(2025, 6, 30), AS_AT) for board in BOARDS]
    for board in BOARDS:
        made += [_named(each, board) for each in _returns(board)]
    return made


def _named(load: CleanLoad, board: Board) -> CleanLoad:
    """What a file is called, only its board may know."""
    return replace(load, file_name=f"{board.word}file-{load.dataset}.csv")


def _returns(board: Board) -> list[CleanLoad]:
    offer = Service(
        f"{board.word}id", (board.district,), provider=f"{board.word}provider",
        name=f"{board.word}service", offered=board.places, filled=board.places - 40, waiting=40,
        funder=f"{board.word}funder", cost="free", funding_ends=date(2026, 9, 30),
        cost_per_place=20.0,
    )  # fmt: skip
    in_ward = replace(offer, service_id=f"{board.word}second", areas=(board.wards[0],),
        name=f"{board.word}choir", offered=30, filled=10, waiting=20)  # fmt: skip
    scheme = Scheme(f"{board.word}scheme", board.district, board.wards[0])
    week = Week(offer.service_id, date(2026, 6, 22), board.places, board.places - 40, 40,
        provider=offer.provider)  # fmt: skip
    return [
        scheme_areas([scheme, replace(scheme, serves=board.wards[1])]),
        services([offer, in_ward]),
        capacity([week]),
        _posts(board),
        _targets(board),
        _plans(board),
        _leads(board),
        _budgets(board),
    ]


def _posts(board: Board) -> CleanLoad:
    rows = [
        Post(f"{network.word}post{n}", network.code, status, fte, date(2026, 1, 1))
        for network in board.networks
        for n, (status, fte) in enumerate((("filled", network.funded), ("vacant", 0.0)), start=1)
    ]
    frame = pd.DataFrame(
        [
            (r.pcn_code, r.post_id, r.pcn_code, r.funded_fte, r.status, r.since, r.until)
            for r in rows
        ],
        columns=["part_key", "post_id", "pcn_code", "funded_fte", "status", "since", "until"],
    )
    word = {network.code: network.word for network in board.networks}
    frame["role_title"] = [f"{word[code]}title" for code in frame["pcn_code"]]
    frame["employer_type"] = [f"{word[code]}employer" for code in frame["pcn_code"]]
    frame["supervised_by"] = [f"{word[code]}supervisor" for code in frame["pcn_code"]]
    frame["last_supervision_on"] = date(2026, 5, 1)
    return made_of("posts", frame["part_key"].unique(), {"post": frame})


def _targets(board: Board) -> CleanLoad:
    frame = pd.DataFrame(
        [
            (n.code, n.target, date(2026, 4, 1), None, n.code, f"{n.word}reason")
            for n in board.networks
        ],
        columns=["pcn_code", "target_fte", "valid_from", "valid_until", "part_key", "reason"],
    )
    return made_of("targets", frame["part_key"], {"local_target": frame})


def _plans(board: Board) -> CleanLoad:
    frame = pd.DataFrame(
        [(f"2026-27 {n.code}", n.code, AS_AT.replace(day=1), n.planned) for n in board.networks],
        columns=["part_key", "pcn_code", "month", "planned_fte"],
    )
    days = [AS_AT.replace(day=1)] * len(frame)
    return made_of(
        "recruitment_plan", frame["part_key"], {"recruitment_plan": frame},
        starts=days, ends=[AS_AT] * len(frame),
    )  # fmt: skip


def _leads(board: Board) -> CleanLoad:
    frame = pd.DataFrame(
        [(board.district, board.district, f"{board.word}lead", "nurse", date(2025, 1, 1), None)],
        columns=["part_key", "locality", "post_name", "profession", "valid_from", "valid_until"],
    )
    return made_of("named_leads", frame["part_key"], {"named_lead": frame})


def _budgets(board: Board) -> CleanLoad:
    key = f"{AS_AT} {board.code}"
    frame = pd.DataFrame(
        [(key, AS_AT, "mental health", board.budgets, board.code)],
        columns=["part_key", "period_end", "entitlement", "in_place", "icb_code"],
    ).astype({"in_place": "Int64"})
    rows = {"personal_health_budget": frame}
    return made_of("personal_health_budgets", [key], rows, starts=[AS_AT], ends=[AS_AT])


def _census(board: Board, day: date) -> CleanLoad:
    workers = [
        (network.code, False, network.fte / 2, f"{network.code} {n}")
        for network in board.networks
        for n in range(2)
    ]
    return census(day, board.code, {network.code: 7 for network in board.networks}, workers)


def _boundaries() -> CleanLoad:
    columns = ["part_key", "kind", "area_code", "area_name", "vintage", "parent_code"]
    wards = pd.DataFrame(
        [
            (f"2025 {b.district}", "ward", code, f"{b.word}ward {n}", 2025, b.district)
            for b in BOARDS
            for n, code in enumerate(b.wards, start=1)
        ],
        columns=columns,
    )
    lads = pd.DataFrame(
        [(f"2025 {b.district}", "lad", b.district, f"{b.word}shire", 2025, None) for b in BOARDS],
        columns=columns,
    )
    shapes = pd.DataFrame(
        [
            (f"2025 {b.district}", code, _square(b, n).wkb)
            for b in BOARDS
            for n, code in enumerate(b.wards)
        ],
        columns=["part_key", "ward_code", "geometry"],
    )
    rows = {"area": pd.concat([wards, lads]), "boundary": shapes}
    return made_of("ward_boundaries", wards["part_key"].unique(), rows, vintage="2025 wards")


def _square(board: Board, place: int) -> shapely.Polygon:
    west, south = 1.0 + 0.02 * place, 51.0 + 0.1 * board.number
    return shapely.box(west, south, west + 0.02, south + 0.02)


def _wards_of_lsoas() -> CleanLoad:
    rows = pd.DataFrame(
        [
            (f"2021 2024 {b.district}", lsoa, ward, b.district)
            for b in BOARDS
            for lsoa, ward in zip(b.lsoas, b.wards, strict=True)
        ],
        columns=["part_key", "lsoa_code", "ward_code", "lad_code"],
    )
    return made_of("lsoa_ward", rows["part_key"].unique(), {"lsoa_ward": rows})


def _boards_of_lsoas() -> CleanLoad:
    rows = pd.DataFrame(
        [
            (f"2021 2024 {b.code}", lsoa, f"9{b.number}Z", b.code)
            for b in BOARDS
            for lsoa in b.lsoas
        ],
        columns=["part_key", "lsoa_code", "sub_icb_code", "icb_code"],
    )
    names = pd.DataFrame(
        [(f"2021 2024 {b.code}", "icb", b.code, f"{b.word}board") for b in BOARDS],
        columns=["part_key", "kind", "area_code", "area_name"],
    )
    return made_of("lsoa_icb", rows["part_key"].unique(), {"lsoa_icb": rows, "area": names})


def _population() -> CleanLoad:
    bands = ("all ages", "0-17", "18-39", "40-64", "65-79", "80+")
    people = (60_000, 12_000, 20_000, 16_000, 8_000, 4_000)
    rows = pd.DataFrame(
        [
            (f"2023 {b.district}", ward, b.district, band, many)
            for b in BOARDS
            for ward in b.wards
            for band, many in zip(bands, people, strict=True)
        ],
        columns=["part_key", "ward_code", "lad_code", "age_band", "people"],
    )
    keys = rows["part_key"].unique()
    return made_of("ward_population", keys, {"ward_population": rows}, vintage="2023 wards")


def _ranks() -> CleanLoad:
    rows = pd.DataFrame(
        [
            ("2025 all", lsoa, 3_000 + 8_000 * n, 1 + n * 2)
            for b in BOARDS
            for n, lsoa in enumerate(b.lsoas)
        ],
        columns=["part_key", "lsoa_code", "imd_rank", "imd_decile"],
    )
    return made_of("deprivation", ["2025 all"], {"deprivation": rows})


EXTRACTED = date(2026, 6, 1)


def _practices() -> CleanLoad:
    key = f"{EXTRACTED}"
    board = {each.code: each for each in BOARDS}
    rows = pd.DataFrame(
        [
            (n.practice, n.code, f"9{board[n.board].number}Z", n.board, 600_000.0, 150_000.0, key)
            for n in NETWORKS
        ],
        columns=[
            "practice_code", "pcn_code", "sub_icb_code", "icb_code", "easting", "northing", "part_key",
        ],
    )  # fmt: skip
    names = pd.DataFrame(
        [(key, "pcn", n.code, f"{n.word}network") for n in NETWORKS],
        columns=["part_key", "kind", "area_code", "area_name"],
    )
    rows_of = {"practice": rows, "area": names}
    return made_of("practices", [key], rows_of, starts=[EXTRACTED], ends=[EXTRACTED])


def _list_sizes() -> CleanLoad:
    key = f"{EXTRACTED}"
    rows = pd.DataFrame(
        [(key, n.practice, "all ages", n.patients) for n in NETWORKS],
        columns=["part_key", "practice_code", "age_band", "patients"],
    )
    return made_of("list_sizes", [key], {"list_size": rows}, starts=[EXTRACTED], ends=[EXTRACTED])


def _registered() -> CleanLoad:
    key = f"{EXTRACTED}"
    rows = pd.DataFrame(
        [
            (key, n.practice, lsoa, n.patients // WARDS_EACH)
            for b in BOARDS
            for n in b.networks
            for lsoa in b.lsoas
        ],
        columns=["part_key", "practice_code", "lsoa_code", "patients"],
    )
    table = {"registered_patients": rows}
    return made_of("registered_patients", [key], table, starts=[EXTRACTED], ends=[EXTRACTED])


# How people go on: nine in ten come to the end.
_DONE, _DECLINED = steps(1, 5, 10, 20, 30, 45), steps(declined=10)


def referral_files() -> Mapping[str, bytes]:
    """The referral return of each board, as a file: every network in every ward and month."""
    made = {}
    for board in BOARDS:
        rows: list[dict[str, object]] = []
        for network in board.networks:
            cells = list(itertools.product(MONTHS, board.wards))
            for place, (month, ward) in enumerate(cells):
                many = network.referrals // len(cells) + (place < network.referrals % len(cells))
                for n in range(many):
                    group = People(
                        f"{network.code} {place} {n}", 1, network.code, ward, month,
                        _DECLINED if n % 10 == 9 else _DONE, "" if n % 10 == 9 else "completed",
                        source="GP" if n % 2 else "self", age_band="40-64" if n % 3 else "65-79",
                        sex="female" if n % 2 else "male",
                    )  # fmt: skip
                    rows += _until(AS_AT, group)
        frame = pd.DataFrame(rows)
        made[f"{board.word}file-referrals.csv"] = frame.to_csv(index=False).encode()
    return made


def _until(last: date, group: People) -> list[dict[str, object]]:
    """Rows with what had happened by a day."""
    rows = []
    for row in group.rows():
        told = {
            name: None if isinstance(value, date) and value > last else value
            for name, value in row.items()
        }
        if told.get("closed") is None:
            told["closed_reason"] = ""
        rows.append(told)
    return rows


def written(engine: Engine) -> None:
    """What people write: actions, views, plans, meetings, and files that they offered."""
    for board in BOARDS:
        write = [
            ActionEdit("action", f"{board.word}action", f"{board.word}owner", AS_AT),
            ActionEdit("note", f"{board.word}note", pinned_kind="measure",
                pinned_code="fte_in_post", pinned_on=AS_AT.replace(day=1)),
        ]  # fmt: skip
        for network in board.networks:
            pin = {"pinned_kind": "pcn", "pinned_code": network.code}
            late = AS_AT - timedelta(days=3)
            write += [
                ActionEdit("action", f"{network.word}action", f"{network.word}owner", late, **pin),
                ActionEdit("note", f"{network.word}note", pinned_on=AS_AT.replace(day=1), **pin),
            ]
            address = f"coverage?icb={board.code}&pcn={network.code}"
            saved_views.save_view(
                engine, EVERYTHING, board.code, f"{network.word}view", address, f"{network.word}by"
            )
            scenarios.save_scenario(
                engine, EVERYTHING, board.code, f"{network.word}plan", f"pcn={network.code}",
                f"{network.word}planner",
            )  # fmt: skip
        for edit in write:
            add_action(engine, EVERYTHING, board.code, edit, f"{board.word}writer")
        saved_views.save_view(
            engine, EVERYTHING, board.code, f"{board.word}view", f"coverage?icb={board.code}",
            f"{board.word}by",
        )  # fmt: skip
        scenarios.save_scenario(
            engine, EVERYTHING, board.code, f"{board.word}plan", "need=served", f"{board.word}by"
        )
        number = meetings.open_meeting(
            engine, EVERYTHING, board.code, AS_AT, f"icb={board.code}", f"{board.word}opener"
        )
        kept = seen(engine, EVERYTHING, board.code, date(2026, 5, 31), False).to_json()
        kept = _worse(kept)
        meetings.close_meeting(
            engine, EVERYTHING, number, AS_AT, f"icb={board.code}", kept, f"{board.word}closer"
        )
        job = jobs.offer(engine, f"{board.word}job.csv", 10, "f" * 64, f"{board.word}offerer")
        problems = pd.DataFrame(
            [(2, "pcn_code", "expected a code", f"{board.word}found")],
            columns=["row", "column", "rule", "found"],
        )
        jobs.refused(engine, job, f"{board.word}message", problems)


def _worse(kept: str) -> str:
    """What was seen, in which every network had fewer link workers and stood on other figures."""
    said = json.loads(kept)
    table = said["tables"]["networks"]
    fte = table["columns"].index("fte")
    for row in table["data"]:
        row[fte] = None if row[fte] is None else row[fte] + 200
    return json.dumps(said)


def made(path: Path, upgraded_file: Path) -> Path:
    """Everything in a database file."""
    shutil.copy(upgraded_file, path)
    engine = make_engine(f"sqlite:///{path.as_posix()}")
    for load in loads():
        save(engine, load)
    for name, raw in referral_files().items():
        intake.take_in(engine, Source(name, raw), KEY)
    engine.dispose()
    return path
