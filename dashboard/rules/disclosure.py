"""The gate: small numbers of people are hidden and the rest rounded before anything else sees them.

Profiles follow NHS England's rule for sub-national counts (1 to 7 hidden, others to the
nearest 5, 0 stays 0), OpenSAFELY's (0 to 7 hidden, then to the nearest 5) and the older
"fewer than 6" rule. Where counts add up, further ones are hidden until nobody can work a hidden
one out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from dashboard.rules.attacker import (
    LEAST_WIDTH,
    Key,
    Range,
    Relation,
    bounds_alone,
    cheapest_cover,
    exposed,
)

HIDDEN_MARK = "*"
# For pages that release counts with their sums, beside the words of the profile.
SECONDARY_WORDS = "further numbers are hidden (*) where they would give one of these away"


@dataclass(frozen=True)
class Profile:
    """Counts from `hide_from` to `hide_to` are hidden; others go to the nearest `round_to`."""

    name: str
    hide_from: int
    hide_to: int
    round_to: int
    words: str
    # Whether figures under it may leave the house.
    may_leave: bool = True

    @property
    def hides(self) -> bool:
        return self.hide_from <= self.hide_to


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("nhs", 1, 7, 5, "1 to 7 people are hidden (*), larger numbers go to the nearest 5"),
        Profile(
            "opensafely",
            0,
            7,
            5,
            "0 to 7 people are hidden (*), larger numbers go to the nearest 5",
        ),
        Profile("lt6", 1, 5, 1, "1 to 5 people are hidden (*)"),
        Profile("internal", 1, 0, 1, "no number is hidden: for use inside only", may_leave=False),
    )
}


@dataclass(frozen=True)
class Released:
    """A frame that has passed the gate: the only thing that pages, charts and files accept.

    Each column of `people` is rounded, missing where hidden, and has a boolean companion
    named `<column>_hidden`.
    """

    frame: pd.DataFrame
    people: tuple[str, ...]
    profile: Profile

    def rows(self, keep: pd.Series[bool]) -> Released:
        """The same release with only the rows marked."""
        return Released(self.frame[keep], self.people, self.profile)


def hidden_flag(column: str) -> str:
    """The name of the column that says where a count was hidden."""
    return f"{column}_hidden"


def release(
    frame: pd.DataFrame,
    profile: Profile,
    *,
    people: Sequence[str],
    derive: Callable[[pd.DataFrame], pd.DataFrame] = lambda frame: frame,
    sums: Collection[Relation] = (),
    steps: Collection[Relation] = (),
) -> Released:
    """Hide and round the counts of people, then derive rates and words from what is left.

    `derive` sees disclosed numbers only, so nothing it makes can give a hidden one back.
    `ValueError` for a negative or broken count: such a frame is not about people.

    `sums` are relations of row labels that hold in each column of people (`Relation("total",
    ("GP", "self"))`); `steps` are relations of columns of people that hold in each row
    (`nested("referred", "accepted")`). With either, what would give a hidden count back is hidden
    too, see `protect`. Release the whole table and take `rows` of it: hidden apart, two parts of
    a table may give away what is hidden in the other.
    """
    disclosed = frame.copy()
    protected = _protected(frame, people, profile, sums, steps) if sums or steps else set[Key]()
    for column in people:
        shown, hidden = disclose(frame[column], profile)
        hidden = hidden | pd.Series(
            [(row, column) in protected for row in frame.index], frame.index
        )
        disclosed[column] = shown.mask(hidden)
        disclosed[hidden_flag(column)] = hidden
    return Released(derive(disclosed), tuple(people), profile)


def disclose(counts: pd.Series[int], profile: Profile) -> tuple[pd.Series[int], pd.Series[bool]]:
    """Counts as they may be shown (`Int64`, missing where hidden), and where they are hidden.

    A missing count stays missing and is not hidden.
    """
    values = counts.astype("Float64")
    if ((values < 0) | (values % 1 != 0)).fillna(False).any():
        raise ValueError(f"{counts.name}: expected counts of people, found negative or broken ones")
    hidden = values.between(profile.hide_from, profile.hide_to).fillna(False).astype(bool)
    # Half a step goes up, never to the nearest even: the published rule, not Python's.
    rounded = ((values + profile.round_to / 2) // profile.round_to) * profile.round_to
    return rounded.mask(hidden).astype("Int64"), hidden


def protect(
    counts: Mapping[Key, int | None],
    relations: Collection[Relation],
    profile: Profile,
) -> set[Key]:
    """Which counts to hide, by key, so that none of them can be worked out: the small ones, then as
    few and as small others as leave `LEAST_WIDTH` values for each hidden one.

    Against somebody who knows all relations, the rule, and which of the hidden ones are small,
    though all look alike. Not against somebody who works through how the others were chosen.
    A total of parts is hidden only where nothing else serves; 0 never is, unless the profile
    hides it. A missing count stays missing and is not hidden: a sum without it is as exact as
    the numbers say. `ValueError` for a count that is none, a relation that does not hold, and a
    table that cannot be protected.
    """
    values: pd.Series = pd.Series(list(counts.values()), dtype="Float64", name="counts")
    disclose(values, profile)  # refuses what is no count
    true = {key: int(value) for key, value in zip(counts, values, strict=True) if pd.notna(value)}
    if not profile.hides:
        return set()
    holding = _holding(true, relations)
    most = _most_of_small(true, holding, profile)
    order = sorted(true, key=lambda key: (true[key], str(key)))
    small = {key for key in order if profile.hide_from <= true[key] <= most[key]}
    shown = {key: shown_range(true[key], profile) for key in order}
    known = shown | {key: (profile.hide_from, most[key]) for key in small}
    totals = {relation.total for relation in holding if relation.is_exact}
    people = sum(true.values()) + 1
    costs = {
        key: 1 + true[key] / people + len(true) * (key in totals)
        for key in order
        if key not in small and true[key] >= profile.hide_from
    }
    hidden = set(small)
    weak = exposed(known, holding, hidden)
    ever_weak = set(weak)
    while weak:
        key = min(weak, key=order.index)
        more = cheapest_cover(key, known, holding, costs, profile.hide_from)
        for other in more:
            known[other] = (profile.hide_from, None)
            del costs[other]
        hidden |= more
        # What was safe stays so: the more is hidden, the less is known.
        weak = exposed(known, holding, weak | more)
        ever_weak |= weak
    for key in sorted(hidden - small, key=order.index, reverse=True):
        fewer = known | {key: shown[key]}
        left = hidden - {key}
        # Those that were exposed come first: mostly they are again.
        if not exposed(fewer, holding, left & ever_weak) and not exposed(fewer, holding, left):
            known = fewer
            hidden.remove(key)
    return hidden


def shown_range(count: int, profile: Profile) -> Range:
    """What a reader knows of a count from what is shown of it alone, where it is not hidden."""
    rounded = (count + profile.round_to // 2) // profile.round_to * profile.round_to
    if rounded == 0:
        return 0, 0
    return rounded - profile.round_to // 2, rounded + (profile.round_to - 1) // 2


def _protected(
    frame: pd.DataFrame,
    people: Sequence[str],
    profile: Profile,
    sums: Collection[Relation],
    steps: Collection[Relation],
) -> set[Key]:
    """Row label and column of each count to hide in a table with sums and steps."""
    if not frame.index.is_unique:
        raise ValueError("expected one row for each label that sums are made of")
    counts: dict[Key, int | None] = {
        (row, column): value for column in people for row, value in frame[column].items()
    }
    down = [
        replace(one, total=(one.total, column), parts=tuple((part, column) for part in one.parts))
        for one in sums
        for column in people
    ]
    across = [
        replace(one, total=(row, one.total), parts=tuple((row, part) for part in one.parts))
        for one in steps
        for row in frame.index
    ]
    return protect(counts, [*down, *across], profile)


def _holding(true: Mapping[Key, int], relations: Collection[Relation]) -> list[Relation]:
    """The relations of the counts that are there; `ValueError` for one that does not hold."""
    holding = []
    for relation in relations:
        # In one order, whatever that of the table is: two pages must not hide differently.
        parts = tuple(sorted((part for part in relation.parts if part in true), key=str))
        if relation.total not in true or not parts:
            continue
        rest = true[relation.total] - sum(true[part] for part in parts)
        is_whole = len(parts) == len(relation.parts)
        if rest < 0 or (rest > 0 and relation.is_exact and is_whole):
            raise ValueError(f"{relation.total}: its parts {relation.parts} don't add up to it")
        holding.append(replace(relation, parts=parts, is_exact=relation.is_exact and rest == 0))
    return sorted(holding, key=str)


def _most_of_small(
    true: Mapping[Key, int], relations: Collection[Relation], profile: Profile
) -> dict[Key, int]:
    """Up to where each count is small: higher for a total of many parts.

    Everybody sees which parts are not 0, so a hidden total of seven is 7 at least: were it
    hidden at 7 only, each part would be 1.
    """
    ends: dict[Key, Range] = {
        key: (profile.hide_from, None) if value >= profile.hide_from else (0, 0)
        for key, value in true.items()
    }
    return {
        key: max(profile.hide_to, least + LEAST_WIDTH - 1)
        for key, (least, _) in bounds_alone(ends, relations).items()
    }


def rounding(profile: Profile) -> Profile:
    """The profile, or NHS England's where it does not round: sums and parts of a count, exact beside
    one another, give a hidden one back."""
    return profile if profile.round_to > 1 or not profile.hides else PROFILES["nhs"]


def stand_in(counts: pd.Series[int], profile: Profile) -> pd.Series[float]:
    """Sums as a public rate may rest on them: rounded, and the middle of the range where hidden.

    A sum that is exact gives the one hidden count in it back, so it is rounded under every
    profile.
    """
    by = rounding(profile)
    shown, hidden = disclose(counts, by)
    return shown.astype("Float64").mask(hidden, _middle(by))


def added_up(released: Released, column: str) -> tuple[int | None, bool]:
    """The counts of a column together, worked out from what is shown of each, and whether that is
    hidden.

    A hidden one counts as the middle of its range, and the sum is then rounded to 5: nothing is
    in it that each reader could not work out. Hidden where nothing but hidden ones is there;
    `None` where nothing is. Of a table released with its `sums` take the total instead: one
    hidden for the sake of another may be large.
    """
    everything = pd.Series("", released.frame.index)
    total, hidden = (part.tolist() for part in added_up_by(released, column, everything))
    if not total:
        return None, False
    return None if pd.isna(total[0]) else int(total[0]), bool(hidden[0])


def added_up_by(
    released: Released, column: str, group: pd.Series[str]
) -> tuple[pd.Series[int], pd.Series[bool]]:
    """The same for each group: the sums (`Int64`), and which of them are hidden, by group."""
    counts, flags = released.frame[column], released.frame[hidden_flag(column)]
    shown = counts.astype("Float64").groupby(group).sum(min_count=1)
    hidden = flags.groupby(group).sum()
    step = rounding(released.profile).round_to
    rounded = ((shown + hidden * _middle(released.profile)) / step + 0.5) // 1 * step
    sums = shown.where(hidden == 0, rounded)
    # As small as what is hidden, a sum of it says no less than that.
    is_hidden = (hidden > 0) & (shown.isna() | (sums <= released.profile.hide_to).fillna(False))
    return sums.mask(is_hidden).astype("Int64"), is_hidden.astype(bool)


def _middle(profile: Profile) -> float:
    return (profile.hide_from + profile.hide_to) / 2
