"""Objects of a JSON file as rows of text, so that they are checked as a table is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard.intake.dataset import Check
from dashboard.intake.source import Source

# What neither a database nor a page takes: control characters and halves of a character.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")
Kinds = tuple[type, ...]
TEXT: Kinds = (str,)
NUMBER: Kinds = (int, float, str)
EITHER: Kinds = (int, str)
_CALLED = {TEXT: "a text", NUMBER: "a number", EITHER: "a text or a whole number"}


def at(found: Any, path: str) -> Any:
    """What stands at a dotted path of nested objects; `None` when nothing does.

    A thing on the way that is no object is given back in a list, which no column takes.

    >>> at({"a": {"b": 1}}, "a.b"), at({"a": None}, "a.b"), at({"a": "x"}, "a.b")
    (1, None, ['x'])
    """
    for key in path.split("."):
        if found is None:
            return None
        if not isinstance(found, dict):
            return [found]
        found = found.get(key)
    return found


def is_of(value: Any, kinds: Kinds) -> bool:
    """Whether it is missing or of one of the kinds; true and false are no numbers."""
    return value is None or (isinstance(value, kinds) and not isinstance(value, bool))


def plain(value: Any) -> str:
    """A value as one line of text; missing is blank, and of a list or object only its kind."""
    if isinstance(value, (str, int, float)):
        return _UNPRINTABLE.sub(" ", str(value)).strip()
    return "" if value is None else type(value).__name__


def check_of(source: Source, objects: Sequence[Any], columns: Mapping[str, Kinds]) -> Check:
    """A check over one row an object (from 1) and one column a dotted path.

    What is not of the column's kinds is a problem of its row.
    """
    # What is no object has no values: it lacks every column that is required.
    entries = [item if isinstance(item, dict) else {} for item in objects]
    found = {path: [at(entry, path) for entry in entries] for path in columns}
    index = pd.RangeIndex(1, len(objects) + 1)
    frame = pd.DataFrame(
        {path: [plain(value) for value in values] for path, values in found.items()},
        index=index,
        dtype="str",
    )
    check = Check(source, frame)
    for path, kinds in columns.items():
        wrong = [not is_of(value, kinds) for value in found[path]]
        rule = f"expected {_CALLED[kinds]}, found another type"
        check.fail(pd.Series(wrong, index), frame[path], path, rule)
    return check
