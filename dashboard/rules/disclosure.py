"""The gate: small numbers of people are hidden and the rest rounded before anything else sees them.

Profiles follow NHS England's rule for sub-national counts (1 to 7 hidden, others to the
nearest 5, 0 stays 0), OpenSAFELY's (0 to 7 hidden, then to the nearest 5) and the older
"fewer than 6" rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

HIDDEN_MARK = "*"


@dataclass(frozen=True)
class Profile:
    """Counts from `hide_from` to `hide_to` are hidden; others go to the nearest `round_to`."""

    name: str
    hide_from: int
    hide_to: int
    round_to: int
    words: str


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
) -> Released:
    """Hide and round the counts of people, then derive rates and words from what is left.

    `derive` sees disclosed numbers only, so nothing it makes can give a hidden one back.
    `ValueError` for a negative or broken count: such a frame is not about people.
    """
    disclosed = frame.copy()
    for column in people:
        shown, hidden = disclose(frame[column], profile)
        disclosed[column] = shown
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


def rounding(profile: Profile) -> Profile:
    """The profile, or NHS England's where it does not round: sums and parts of a count, exact beside
    one another, give a hidden one back."""
    return profile if profile.round_to > 1 else PROFILES["nhs"]


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
    `None` where nothing is.
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
