"""Every query keeps to its scope, and would be caught if it forgot it in any one place.

Each place in `queries` that asks a scope is taken out of a copy of its module, one at a time; then some
query of that module must answer a reader who may not see it.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
import sqlalchemy
from sqlalchemy import Engine

import queries
from dashboard import intake
from dashboard.intake.source import Source
from queries import actions, jobs, meetings, saved_views, scenarios, tables
from queries.actions import ActionEdit, Wanted
from queries.database import make_engine
from queries.load import save
from queries.pathway import PCN, Cohort
from queries.scope import EVERYTHING, Scope
from tests import small_board as b
from tests.outcome_board import KEY, OutcomeBoard

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

NOBODY, OUTSIDER = Scope(frozenset()), Scope(frozenset({b.OUTSIDER_ICB}))
# Of the same board, and shown in detail another network of it.
OF_SOUTH = Scope(frozenset({b.BOARD}), frozenset({(b.BOARD, b.SOUTH)}))
# These hand a scope on, and ask it nothing.
NO_QUERIES = {"database", "scope", "row_security", "database_roles"}
_ASKS = {"within", "admits", "admits_network", "shows_pin"}
WRITTEN = (tables.action, tables.meeting, tables.saved_view, tables.scenario)
_NEW = ActionEdit("note", "new", pinned_kind="pcn", pinned_code=b.NORTH)
ARGUMENTS: dict[str, Any] = {
    "icb_code": b.BOARD, "as_at": b.AS_AT, "first": date(2024, 1, 1), "last": b.AS_AT,
    "since": date(2024, 1, 1), "ward_code": b.ABBEY, "pcn_code": b.NORTH, "provider": "Together CIC",
    "kind": "pcn", "code": b.NORTH, "category": PCN, "box": (0.0, 50.0, 2.0, 53.0),
    "first_week": date(2026, 1, 1), "last_week": b.AS_AT, "mode": "bus", "most_minutes": 60.0,
    "cohort": Cohort(b.BOARD, b.AS_AT, date(2025, 7, 1), date(2026, 6, 1)),
    "who": "somebody", "finished_since": datetime(2020, 1, 1, tzinfo=UTC),
    "action_id": 1, "meeting_id": 1, "job_id": 1, "version": 1, "edit": _NEW, "by": "me",
    "wanted": [Wanted(_NEW)], "name": "kept", "address": "coverage?", "choices": "need=served",
    "content": "x", "saved_by": "me", "shelf": saved_views._VIEWS, "opened_by": "me",
    "closed_by": "me", "seen": "{}",
}  # fmt: skip
# Where a name means something else.
INSTEAD: dict[tuple[str, str], dict[str, Any]] = {
    # Since when is known once the first files are loaded.
    ("corrections", "corrected_fte"): {},
    ("corrections", "corrected_referrals"): {},
    # The one that is open.
    ("meetings", "close_meeting"): {"meeting_id": 2},
    ("saved_views", "save_view"): {"name": "new"},
    ("scenarios", "save_scenario"): {"name": "new"},
    ("saved", "save"): {"name": "newer"},
}


@dataclass(frozen=True)
class Query:
    """One that takes a scope, as its module has it."""

    module: str
    name: str

    def ask(self, source: ModuleType, engine: Engine, scope: Scope) -> str:
        """The answer as text; a `LookupError` is none."""
        query = getattr(source, self.name)
        known = ARGUMENTS | INSTEAD.get((self.module, self.name), {})
        given = {
            name: known[name]
            for name, about in inspect.signature(query).parameters.items()
            if name not in ("engine", "scope") and (name in known or about.default is about.empty)
        }
        try:
            answer = query(engine, scope, **given)
        except LookupError:
            return "not there"
        except ValueError as error:
            # Of several that are to be written, all or none; a copy of the module has its own class.
            if type(error).__name__ != "NotSavedError":
                raise
            return "not there"
        left = _written(engine) if self.writes else ""
        return left + (answer.to_csv() if isinstance(answer, pd.DataFrame) else repr(answer))

    @property
    def writes(self) -> bool:
        return self.name.split("_")[0] in ("add", "change", "save", "close", "open", "delete", "remove") \
            and self.name != "open_jobs"  # fmt: skip


def _written(engine: Engine) -> str:
    """All that people have written, without the moments."""
    told = []
    for table in WRITTEN:
        columns = [column for column in table.c if not column.name.endswith("_at")]
        with engine.connect() as connection:
            told += [repr(row) for row in connection.execute(sqlalchemy.select(*columns))]
    return "\n".join(told)


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(queries.__path__):
        if found.name not in NO_QUERIES | {"migrations"}:
            yield importlib.import_module(f"queries.{found.name}")


def _queries(module: ModuleType) -> list[Query]:
    short = module.__name__.rpartition(".")[2]
    return [
        Query(short, name)
        for name, query in inspect.getmembers(module, inspect.isfunction)
        if query.__module__ == module.__name__
        and not name.startswith("_")
        and "scope" in inspect.signature(query).parameters
    ]


QUERIES = [query for module in _modules() for query in _queries(module)]


class _Planting(ast.NodeTransformer):
    """Takes out the place of this number that asks a scope; with -1 it counts them."""

    def __init__(self, place: int):
        self.place, self.count, self.line = place, 0, 0

    def _is_it(self, node: ast.expr) -> bool:
        self.count += 1
        if self.count - 1 != self.place:
            return False
        self.line = node.lineno
        return True

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        asked = node.func
        if not (
            isinstance(asked, ast.Attribute)
            and isinstance(asked.value, ast.Name)
            and asked.value.id == "scope"
            and asked.attr in _ASKS
        ):
            return node
        if not self._is_it(node):
            return node
        if asked.attr in ("within", "shows_pin"):
            new: ast.expr = ast.Call(ast.Name("_true", ast.Load()), [], [])
        else:
            new = ast.Constant(True)
        return ast.copy_location(new, node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if ast.unparse(node) != "scope.icb_codes is None" or not self._is_it(node):
            return node
        return ast.copy_location(ast.Constant(True), node)


@cache
def _source(module: str) -> str:
    return inspect.getsource(importlib.import_module(f"queries.{module}"))


def planted(module: str, place: int) -> tuple[ModuleType, int]:
    """A copy of a module that forgets its scope in one place, and the line of it."""
    change = _Planting(place)
    tree = ast.fix_missing_locations(change.visit(ast.parse(_source(module))))
    copy = ModuleType(f"queries.{module}")
    copy.__dict__["_true"] = sqlalchemy.true
    # Dataclasses look for their module by its name, and find the real one.
    exec(compile(tree, f"{module}.py", "exec"), copy.__dict__)
    return copy, change.line


def _places(module: str) -> int:
    counting = _Planting(-1)
    counting.visit(ast.parse(_source(module)))
    return counting.count


PLACES = [(m.__name__.rpartition(".")[2], place) for m in _modules()
          for place in range(_places(m.__name__.rpartition(".")[2]))]  # fmt: skip


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, upgraded_file: Path) -> Path:
    """A board with something for every query."""
    path = tmp_path_factory.mktemp("scope") / "board.db"
    shutil.copy(upgraded_file, path)
    engine = make_engine(f"sqlite:///{path.as_posix()}")
    whole = b.Scheme("Links", b.BOARD, b.BOARD)
    everywhere = b.Service("walks", (b.BOARD,), provider="Walks CIC")
    places = b.Board(
        ages=True, referrals=(), schemes=(*b.SCHEMES, whole), services=(*b.SERVICES, everywhere)
    )
    told = OutcomeBoard(places=places)
    told.save(engine)
    for load in _more():
        save(engine, load)
    since = {"since": datetime.now(UTC)}
    for name in ("corrected_fte", "corrected_referrals"):
        INSTEAD["corrections", name] = since
    # Other files of the same months: corrections.
    files = told.with_people(waiting={"number": 25}).files()
    intake.take_in(engine, Source("referrals.csv", files["referrals.csv"]), KEY)
    save(engine, b.census(b.AS_AT, b.BOARD, {b.NORTH: 5}, [(b.NORTH, False, 3.0, "person 1")]))
    job = jobs.offer(engine, "theirs.csv", 1, "f" * 64, "them")
    problems = pd.DataFrame([(1, "a", "rule", "found")], columns=["row", "column", "rule", "found"])
    jobs.checked(engine, job, "posts", "{}", problems)
    jobs.drop(engine, job)
    actions.add_action(engine, EVERYTHING, b.BOARD, ActionEdit(
        "note", "theirs", pinned_kind="pcn", pinned_code=b.NORTH, pinned_on=b.AS_AT), "them")  # fmt: skip
    saved_views.save_view(engine, EVERYTHING, b.BOARD, "kept", "coverage?", "them")
    scenarios.save_scenario(engine, EVERYTHING, b.BOARD, "kept", "need=served", "them")
    number = meetings.open_meeting(engine, EVERYTHING, b.BOARD, b.AS_AT, "", "them")
    meetings.close_meeting(engine, EVERYTHING, number, b.AS_AT, "", "{}", "them")
    meetings.open_meeting(engine, EVERYTHING, b.BOARD, b.AS_AT, "", "them")
    engine.dispose()
    return path


def _more() -> Iterator[Any]:
    """What neither board has: candidate sites, indices of need, leads, wards under older codes."""
    site = pd.DataFrame(
        [(b.BOARD, b.BOARD, "s1", "Hall", 1.01, 51.01, 100.0, 10)],
        columns=["part_key", "icb_code", "site_id", "site_name", "longitude", "latitude", "cost_a_year",
                 "places_a_year"],
    )  # fmt: skip
    yield b.made_of("candidate_sites", [b.BOARD], {"candidate_site": site})
    index = pd.DataFrame(
        [("loneliness", "loneliness", next(iter(b.LSOAS)), 5.0, 9)],
        columns=["part_key", "index_name", "lsoa_code", "value", "decile"],
    )
    yield b.made_of("lsoa_index", ["loneliness"], {"lsoa_index": index})
    old = pd.DataFrame(
        [(f"2021 2022 {b.NORTHAM}", next(iter(b.LSOAS)), "E05800001", b.NORTHAM)],
        columns=["part_key", "lsoa_code", "ward_code", "lad_code"],
    )
    yield b.made_of("lsoa_ward", [f"2021 2022 {b.NORTHAM}"], {"lsoa_ward": old})
    lead = pd.DataFrame(
        [(b.NORTHAM, b.NORTHAM, "Lead nurse", "nurse", date(2025, 1, 1), None)],
        columns=["part_key", "locality", "post_name", "profession", "valid_from", "valid_until"],
    )
    yield b.made_of("named_leads", [b.NORTHAM], {"named_lead": lead})


@pytest.fixture
def engine(filled: Path, tmp_path: Path) -> Iterator[Engine]:
    made = make_engine(f"sqlite:///{shutil.copy(filled, tmp_path / 'own.db').as_posix()}")
    yield made
    made.dispose()


def _real(query: Query) -> ModuleType:
    return importlib.import_module(f"queries.{query.module}")


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: f"{query.module}.{query.name}")
def test_an_outsider_is_told_what_nobody_is_told(engine: Engine, query: Query):
    assert query.ask(_real(query), engine, OUTSIDER) == query.ask(_real(query), engine, NOBODY)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: f"{query.module}.{query.name}")
def test_whoever_may_see_it_is_told_more_than_nobody(engine: Engine, query: Query):
    nobody = query.ask(_real(query), engine, NOBODY)
    assert query.ask(_real(query), engine, EVERYTHING) != nobody


# Asked twice: without this one the other still keeps the answer back.
TWICE = {
    "services: mine = (_WARD.icb_code == icb_code) & scope.within(_WARD.icb_code)",
    "workforce: scope.within(_WORKER.icb_code),",
}


@pytest.mark.parametrize(("module", "place"), PLACES)
def test_a_scope_forgotten_in_one_place_is_noticed(
    engine: Engine, filled: Path, tmp_path: Path, module: str, place: int
):
    real = importlib.import_module(f"queries.{module}")
    copy, line = planted(module, place)
    noticed = []
    for query in _queries(real):
        for scope in (OUTSIDER, OF_SOUTH):
            before = query.ask(real, _again(filled, tmp_path, engine, query), scope)
            # A write that fails for another reason than the scope was not kept back by it.
            with suppress(ValueError):
                after = query.ask(copy, _again(filled, tmp_path, engine, query), scope)
                if after != before:
                    noticed.append(query.name)
    asked = _source(module).splitlines()[line - 1].strip()
    assert noticed or f"{module}: {asked}" in TWICE, f"queries/{module}.py:{line}: {asked}"


def _again(filled: Path, tmp_path: Path, engine: Engine, query: Query) -> Engine:
    """What was written before is not there for the next that writes."""
    if query.writes:
        engine.dispose()
        shutil.copy(filled, tmp_path / "own.db")
    return engine
