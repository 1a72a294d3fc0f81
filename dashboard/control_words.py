"""Control charts in words: the icons, the mean and the limits."""

from __future__ import annotations

from dashboard.rules.control_chart import ASSURANCE_WORDS, VARIATION_WORDS, Assurance, ControlChart
from dashboard.style import number

# The letters of NHS England's icons: high, low, common cause; passing, failing, hit or miss.
_VARIATION_LETTERS = {"high": "H", "low": "L", "cause": "~"}
_ASSURANCE_LETTERS = {Assurance.PASS: "P", Assurance.FAIL: "F", Assurance.HIT_OR_MISS: "?"}


def icons(judged: ControlChart) -> list[tuple[str, str, str]]:
    """Kind, letter and words of the two icons; none below 13 points."""
    found = []
    if judged.variation:
        kind, side = judged.variation.rsplit("_", 1)
        found.append((kind, _VARIATION_LETTERS[side], VARIATION_WORDS[judged.variation]))
    if judged.assurance:
        found.append(
            (
                judged.assurance,
                _ASSURANCE_LETTERS[judged.assurance],
                ASSURANCE_WORDS[judged.assurance],
            )
        )
    return found


def limits_words(judged: ControlChart, target: float | None) -> str:
    """Mean and limits of the latest phase, and the target, for those who can't see the chart."""
    last = judged.limits[-1]
    words = f"Mean {number(last.mean, 1)}"
    if last.lower is not None and last.upper is not None:
        words += f", limits {number(last.lower, 1)} to {number(last.upper, 1)}"
    return f"{words}." if target is None else f"{words}; target {number(target, 1)}."
