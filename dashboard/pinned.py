"""A chart over time with the notes that somebody pinned to its days."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_uppercase

from dashboard import show
from dashboard.charts import Figure
from dashboard.charts.pinned import with_notes, within
from dashboard.data import fetch_written
from dashboard.filters import Choices
from dashboard.rules.disclosure import Released
from dashboard.style import day
from queries.actions import actions_mark, pinned_notes
from queries.frames import each_row
from queries.scope import Scope


def chart(
    scope: Scope,
    choices: Choices,
    figure: Figure,
    released: Released,
    *,
    measure: str,
    name: str,
    alt: str,
    provider: str = "",
) -> None:
    """The chart of a measure (by its name in `MEASURES`) with what is pinned to the measure, to the
    chosen network, and to the provider; the words of each note stand below."""
    pins: Sequence[tuple[str, str]] = (
        ("measure", measure), ("pcn", choices.pcn_code), ("provider", provider),
    )  # fmt: skip
    told = [
        (note.pinned_on, note.words)
        for kind, code in pins
        if code
        for note in each_row(
            fetch_written(pinned_notes, actions_mark, scope, choices.icb_code, kind, code)
        )
    ]
    days = within(figure, [on for on, _ in told])
    if days:
        figure = with_notes(figure, days, ink=show.theme().ink)
    lines = [
        f"{letter}, {day(each)}: {'; '.join(words for on, words in told if on == each)}"
        for letter, each in zip(ascii_uppercase, days, strict=False)
    ]
    show.chart(figure, released, name=name, alt=" ".join([alt, *lines]))
    if lines:
        show.lines(lines)
