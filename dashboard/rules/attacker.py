"""What somebody can work out of hidden counts from everything shown beside them, exactly."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

# By what a count is known, whatever is hashable: a month, or a row and a column.
Key = Any
# The least and the most that a count can be; `None` where there is no most.
Range = tuple[int, int | None]

# So many values must be left for a hidden count: with two, a guess is right every other time, and
# who knows of one person more than is shown has settled it.
LEAST_WIDTH = 3
# Bounds settle in a few passes; what has not is left to the programs.
_MOST_PASSES = 20
# How far a count may stray from the true one while it is asked which to hide.
_MOST_STRAY = 10 * LEAST_WIDTH
# In larger tables only the smallest counts of each relation are asked first, and near ones.
_SMALL_TABLE, _SMALLEST, _STEPS_AWAY = 150, 4, 3
# Numbers that near are the same: HiGHS keeps to bounds within 1e-7.
_NEARLY = 1e-6
# What scipy's `milp` says of a program.
_INFEASIBLE, _UNBOUNDED, _ONE_OF_THE_TWO = 2, 3, 4


@dataclass(frozen=True)
class Relation:
    """What everybody knows of counts: the total is the sum of the parts, or (`is_exact=False`) at
    least that sum."""

    total: Key
    parts: tuple[Key, ...]
    is_exact: bool = True

    def cells(self) -> tuple[Key, ...]:
        """The total and its parts; `ValueError` where one is there twice."""
        cells = (self.total, *self.parts)
        if len(set(cells)) < len(cells):
            raise ValueError(f"expected each count once in a relation, found {cells}")
        return cells


def nested(*steps: Key) -> list[Relation]:
    """Each step is at least the next: those accepted are among those referred."""
    return [Relation(before, (after,), is_exact=False) for before, after in pairwise(steps)]


def worked_out(
    known: Mapping[Key, Range], relations: Iterable[Relation], of: Iterable[Key] | None = None
) -> dict[Key, Range]:
    """The exact range of each count (of those in `of`, where given), by key.

    `known` says what is known of each count by itself: (8, 12) of one shown as 10, (1, 7) of one
    hidden as small, (0, None) of one that may be hidden for the sake of another. Bounds first,
    then two integer programs for each count that they don't settle. `ValueError` where no counts
    fit.
    """
    asked = list(known) if of is None else list(of)
    return _whole(_ranges(known, relations, asked, math.inf))


def bounds_alone(known: Mapping[Key, Range], relations: Iterable[Relation]) -> dict[Key, Range]:
    """The same without programs: quick, never too narrow, perhaps too wide."""
    return _whole(_settled(known, relations)[0])


def exposed(
    known: Mapping[Key, Range],
    relations: Iterable[Relation],
    hidden: Iterable[Key],
    least_width: int = LEAST_WIDTH,
) -> set[Key]:
    """The hidden counts of which fewer than `least_width` values are left."""
    found = _ranges(known, relations, list(hidden), least_width)
    return {key for key, (low, high) in found.items() if high - low + 1 < least_width}


def cheapest_cover(
    key: Key,
    known: Mapping[Key, Range],
    relations: Collection[Relation],
    costs: Mapping[Key, float],
    least: int,
) -> set[Key]:
    """What to hide besides, so that `LEAST_WIDTH` values are left for the hidden count `key`: the
    cheapest by `costs`, which has every count that may be hidden.

    Those hidden are known to be `least` or more. `ValueError` where hiding does not help.
    """
    near = costs if len(costs) <= _SMALL_TABLE else _nearest(key, relations, costs)
    found = _cover(key, known, relations, near, least)
    if found is None and len(near) < len(costs):
        found = _cover(key, known, relations, costs, least)
    if found is None:
        raise ValueError(f"the count of {key} can be worked out whatever else is hidden")
    return found


def given_back(rate: float, of: int, decimals: int, per: int) -> range:
    """The counts that make this rate per `per`, rounded half up to `decimals`, when divided by `of`.

    One alone is given back by its rate, and a few small ones are shown to be small.
    """
    half, middle = Fraction(1, 2 * 10**decimals), Fraction(str(rate))
    least = max(0, math.ceil((middle - half) * of / per))
    most = math.ceil((middle + half) * of / per) - 1
    # A part of something is no larger than it.
    return range(least, (min(most, of) if rate <= per else most) + 1)


_Bounds = dict[Key, tuple[float, float]]


@dataclass(frozen=True)
class _Row:
    """`low <= sum of sign * count <= high`, each sign 1 or -1."""

    signs: dict[Key, int]
    low: float
    high: float


class _Sum:
    """A sum of bounds, and what it is without one of them: infinite ones are counted apart."""

    def __init__(self, ends: Iterable[float]) -> None:
        self.finite, self.infinite, self.sign = 0.0, 0, 1.0
        for end in ends:
            if math.isinf(end):
                self.infinite, self.sign = self.infinite + 1, math.copysign(1, end)
            else:
                self.finite += end

    def total(self) -> float:
        return self.sign * math.inf if self.infinite else self.finite

    def without(self, end: float) -> float:
        if math.isinf(end):
            return self.sign * math.inf if self.infinite > 1 else self.finite
        return self.sign * math.inf if self.infinite else self.finite - end


def _whole(bounds: _Bounds) -> dict[Key, Range]:
    return {
        key: (int(low), None if high == math.inf else int(high))
        for key, (low, high) in bounds.items()
    }


def _ends(bounds: _Bounds, key: Key, sign: int) -> tuple[float, float]:
    low, high = bounds[key]
    return (low, high) if sign > 0 else (-high, -low)


def _ranges(
    known: Mapping[Key, Range], relations: Iterable[Relation], asked: list[Key], enough: float
) -> _Bounds:
    """The range of each count asked for, or as much of it as has `enough` values."""
    bounds, rows, is_settled = _settled(known, relations)
    rows = _lighter(bounds, rows, set(asked))
    ranges = {key: bounds[key] for key in asked}
    for part in _parts(rows):
        inside = set().union(*(row.signs for row in part))
        # Where no circle of counts and rows is left, bounds that have settled are exact.
        has_circle = sum(len(row.signs) for row in part) >= len(inside) + len(part)
        if has_circle or not is_settled:
            todo = [key for key in ranges if key in inside]
            ranges |= _Program(bounds, part).ranges(todo, enough)
    return ranges


def _settled(
    known: Mapping[Key, Range], relations: Iterable[Relation]
) -> tuple[_Bounds, list[_Row], bool]:
    """Bounds narrowed by one row after the other, the rows, and whether nothing more changes."""
    bounds: _Bounds = {
        key: (low, math.inf if high is None else high) for key, (low, high) in known.items()
    }
    rows = [
        _Row(
            {key: -1 if key == relation.total else 1 for key in relation.cells()},
            0 if relation.is_exact else -math.inf,
            0,
        )
        for relation in relations
    ]
    waiting = rows
    for _ in range(_MOST_PASSES):
        changed = {key for row in waiting for key in _narrow(bounds, row)}
        if not changed:
            return bounds, rows, True
        waiting = [row for row in rows if not changed.isdisjoint(row.signs)]
    return bounds, rows, False


def _narrow(bounds: _Bounds, row: _Row) -> Iterator[Key]:
    """Narrow the row's counts by what the others leave to each; yields those that change."""
    ends = [(key, sign, *_ends(bounds, key, sign)) for key, sign in row.signs.items()]
    least, most = _Sum(low for *_, low, _ in ends), _Sum(high for *_, high in ends)
    if row.low <= least.total() and most.total() <= row.high:
        return
    for key, sign, low, high in ends:
        new_low = max(low, row.low - most.without(high))
        new_high = min(high, row.high - least.without(low))
        if new_low > new_high:
            raise ValueError(f"no counts fit what is shown: {list(row.signs)} don't add up")
        if (new_low, new_high) != (low, high):
            bounds[key] = (new_low, new_high) if sign > 0 else (-new_high, -new_low)
            yield key


def _lighter(bounds: _Bounds, rows: list[_Row], keep: set[Key]) -> list[_Row]:
    """The rows without what changes nothing: rows that the bounds imply, counts that are settled,
    and counts of one row alone that nobody asks for, which only loosen it."""
    size = -1
    while size != (size := sum(len(row.signs) for row in rows)):
        uses = Counter(key for row in rows for key in row.signs)
        lighter = []
        for row in rows:
            low, high, least, most, signs = row.low, row.high, 0.0, 0.0, {}
            for key, sign in row.signs.items():
                lower, upper = _ends(bounds, key, sign)
                if lower == upper or (uses[key] == 1 and key not in keep):
                    low, high = low - upper, high - lower
                else:
                    signs[key] = sign
                    least, most = least + lower, most + upper
            if least < low or most > high:
                lighter.append(_Row(signs, low, high))
        rows = lighter
    return rows


def _parts(rows: list[_Row]) -> list[list[_Row]]:
    """The rows in groups that share no count."""
    rows_of = defaultdict(list)
    for number, row in enumerate(rows):
        for key in row.signs:
            rows_of[key].append(number)
    parts, seen = [], set[int]()
    for first in range(len(rows)):
        if first in seen:
            continue
        seen.add(first)
        part = [first]
        for number in part:
            for key in rows[number].signs:
                fresh = [other for other in rows_of.pop(key, []) if other not in seen]
                seen.update(fresh)
                part += fresh
        parts.append([rows[number] for number in part])
    return parts


class _Program:
    """Integer programs over the counts of rows that share them (HiGHS)."""

    def __init__(self, bounds: _Bounds, rows: list[_Row]) -> None:
        self.keys = list(dict.fromkeys(key for row in rows for key in row.signs))
        self.place = {key: place for place, key in enumerate(self.keys)}
        self.low = np.array([bounds[key][0] for key in self.keys])
        self.high = np.array([bounds[key][1] for key in self.keys])
        self.rows = _sparse(
            [{self.place[key]: sign for key, sign in row.signs.items()} for row in rows],
            len(self.keys),
        )
        self.sides = np.array([row.low for row in rows]), np.array([row.high for row in rows])

    def ranges(self, asked: list[Key], enough: float) -> _Bounds:
        """The exact range of each, or as much of it as has `enough` values."""
        # Each table that fits says something of every count, so that few are asked for alone.
        lowest, highest = np.full(len(self.keys), np.inf), np.full(len(self.keys), -np.inf)
        # Counts without a most are sought up to here, more than all others make up: one that comes
        # so far has none.
        ceiling = 2 * (np.abs(self.low).sum() + self.high[np.isfinite(self.high)].sum()) + 1

        capped = np.minimum(self.high, self.low + ceiling)

        def look(places: list[int], signs: Any) -> None:
            """Note the tables where the sum of those counts is least and where it is most."""
            weights = np.zeros(len(self.keys))
            weights[places] = signs
            for weighted in (weights, -weights):
                found = _solve(weighted, self.rows, *self.sides, self.low, capped)
                if found is None:
                    raise ValueError("no counts fit what is shown")
                np.minimum(lowest, found, out=lowest)
                np.maximum(highest, found, out=highest)

        def is_open(place: int) -> bool:
            whole = lowest[place] == self.low[place] and highest[place] == capped[place]
            return not whole and highest[place] - lowest[place] + 1 < enough

        todo, before = [self.place[key] for key in asked], -1
        # Some up and some down: all together cannot move where their sum is known. The same ones
        # at each run.
        toss = np.random.default_rng(0)
        while todo and len(todo) != before:
            before = len(todo)
            look(todo, toss.choice([-1, 1], len(todo)))
            todo = [place for place in todo if is_open(place)]
        for place in todo:
            if is_open(place):
                look([place], 1)
        highest[(highest == capped) & np.isinf(self.high)] = np.inf
        return {key: (lowest[self.place[key]], highest[self.place[key]]) for key in asked}


def _nearest(
    key: Key, relations: Iterable[Relation], costs: Mapping[Key, float]
) -> dict[Key, float]:
    """The cheapest counts of the relations around one, and of those around them."""
    relations_of = defaultdict(list)
    for relation in relations:
        for one in relation.cells():
            relations_of[one].append(relation)
    near, edge = dict[Key, float](), {key}
    for _ in range(_STEPS_AWAY):
        found: set[Key] = set()
        for relation in {relation for one in edge for relation in relations_of[one]}:
            some = sorted((one for one in relation.cells() if one in costs), key=costs.__getitem__)
            found.update(some[:_SMALLEST])
        edge = found - near.keys()
        near |= {one: costs[one] for one in edge}
    return near


def _cover(
    key: Key,
    known: Mapping[Key, Range],
    relations: Iterable[Relation],
    costs: Mapping[Key, float],
    least: int,
) -> set[Key] | None:
    """The cheapest counts to hide: two tables that show the same, with `key` that far apart."""
    hidden = dict(known)
    for one in costs:
        low, high = known[one]
        assert high is not None
        hidden[one] = (max(least, low - _MOST_STRAY), high + _MOST_STRAY)
    bounds, rows, _ = _settled(hidden, relations)
    rows = _lighter(bounds, rows, {key, *costs})
    part = next((part for part in _parts(rows) if any(key in row.signs for row in part)), None)
    if part is None:
        return None
    program = _Program(bounds, part)
    size, may_hide = len(program.keys), [one for one in program.keys if one in costs]
    # Counts of the one table, of the other, and 1 for each count that is hidden.
    signs: list[dict[int, float]] = []
    sides: list[tuple[float, float]] = []
    for start in (0, size):
        for row in part:
            signs.append({start + program.place[one]: sign for one, sign in row.signs.items()})
            sides.append((row.low, row.high))
        for number, one in enumerate(may_hide, 2 * size):
            (low, high), (lowest, highest) = known[one], bounds[one]
            assert high is not None
            place = start + program.place[one]
            signs += [{place: 1, number: low - lowest}, {place: 1, number: high - highest}]
            sides += [(low, np.inf), (-np.inf, high)]
    signs.append({program.place[key]: -1, size + program.place[key]: 1})
    sides.append((LEAST_WIDTH - 1, np.inf))
    row_low, row_high = np.array(sides).T
    found = _solve(
        np.array([0] * 2 * size + [costs[one] for one in may_hide]),
        _sparse(signs, 2 * size + len(may_hide)),
        row_low,
        row_high,
        np.concatenate([program.low, program.low, np.zeros(len(may_hide))]),
        np.concatenate([program.high, program.high, np.ones(len(may_hide))]),
    )
    if found is None:
        return None
    return {one for one, is_hidden in zip(may_hide, found[2 * size :], strict=True) if is_hidden}


def _sparse(rows: list[dict[int, float]], width: int) -> Any:
    from scipy.sparse import csr_array  # ours are read at every start, programs seldom run

    starts = np.cumsum([0, *(len(row) for row in rows)])
    places = [place for row in rows for place in row]
    values = [float(value) for row in rows for value in row.values()]
    return csr_array((values, places, starts), shape=(len(rows), width))


def _solve(
    weights: npt.NDArray[np.float64],
    rows: Any,
    row_low: npt.NDArray[np.float64],
    row_high: npt.NDArray[np.float64],
    low: npt.NDArray[np.float64],
    high: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64] | None:
    """The whole numbers between the bounds with the least weighted sum; `None` where there are
    none."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    # Of most tables the corners are whole numbers, and without whole-number search they are found
    # five times faster; a corner that is whole is the whole-number optimum too.
    for is_whole in (0, 1):
        found = milp(
            weights,
            integrality=np.full(len(weights), is_whole),
            bounds=Bounds(low, high),
            constraints=LinearConstraint(rows, row_low, row_high),
            options={"mip_rel_gap": 0},
        )
        if found.status in (_INFEASIBLE, _UNBOUNDED, _ONE_OF_THE_TWO):
            return None
        if found.x is None:
            raise RuntimeError(f"the program was not solved: {found.message}")
        whole: npt.NDArray[np.float64] = np.round(found.x)
        if np.abs(found.x - whole).max() < _NEARLY:
            break
    return whole
