"""What the PDF files share: the font, and words that break where no space is."""

from __future__ import annotations

import importlib.util
import re
from functools import lru_cache
from pathlib import Path

import typst

from dashboard.pack.content import plain

# Longer than any English word: may break anywhere.
LONGEST_WORD = 25
ZERO_WIDTH_SPACE = "\u200b"


@lru_cache(maxsize=1)
def fonts() -> typst.Fonts:
    """One font on every machine: the one that comes with matplotlib, which need not be imported."""
    found = importlib.util.find_spec("matplotlib")
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(folder)]
    )


def breakable(text: str, longest: int = LONGEST_WORD) -> str:
    """On one line, with a break allowed after each letter of a word of `longest` or more."""
    return re.sub(
        rf"[^\s-]{{{longest},}}", lambda word: ZERO_WIDTH_SPACE.join(word[0]), plain(text)
    )
