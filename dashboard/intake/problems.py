"""Why a file was not taken: what was expected, what was found, where, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# A message shows enough of a value to find it, never enough to tell whose it is.
SHOWN_CHARACTERS = 2


def masked(value: object) -> str:
    """The first characters of a value and its length: 'Ab… (11 characters)'."""
    text = str(value)
    if len(text) <= SHOWN_CHARACTERS:
        return repr(text)
    return f"'{text[:SHOWN_CHARACTERS]}…' ({len(text)} characters)"


@dataclass(frozen=True)
class Problem:
    """One broken rule: at which row of the file (1 is the heading), in which column."""

    rule: str
    row: int | None = None
    column: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        place = ", ".join(
            part
            for part in (
                f"row {self.row}" if self.row is not None else "",
                f"column {self.column!r}" if self.column else "",
            )
            if part
        )
        found = f"; found {self.value}" if self.value is not None else ""
        return f"{place}: {self.rule}{found}" if place else f"{self.rule}{found}"


class RefusedError(ValueError):
    """The whole file is refused, with every problem found in it; nothing was loaded."""

    # As many as a person reads before mending the file and trying again.
    SHOWN = 20

    def __init__(self, file_name: str, problems: Sequence[Problem]):
        self.file_name = file_name
        self.problems = tuple(problems)
        lines = [f"{file_name} was refused and nothing of it was loaded:"]
        lines += [f"  - {problem}" for problem in self.problems[: self.SHOWN]]
        if len(self.problems) > self.SHOWN:
            lines.append(f"  - and {len(self.problems) - self.SHOWN} more")
        super().__init__("\n".join(lines))


class UnknownFileError(RefusedError):
    """The file is none of those known. `columns` says what a person needs to tell what is
    what in it: for each heading up to three samples, and its words where they are few."""

    def __init__(
        self,
        file_name: str,
        problems: Sequence[Problem],
        columns: Sequence[Mapping[str, Any]] = (),
    ):
        super().__init__(file_name, problems)
        self.columns = tuple(columns)
