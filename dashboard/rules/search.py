"""What somebody means by a few words: by code, by name, in part, or with one slip of the keys."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from rapidfuzz.distance import OSA

MOST_HITS = 12
# A slip in a shorter word makes another word of it.
LEAST_LETTERS = 4
# What is found, in the order in which equals stand.
KINDS = (
    "Board", "Ward", "Network", "Locality", "Provider", "Service", "Practice", "Page", "Definition",
)  # fmt: skip
EXACT_CODE, EXACT_NAME, BEGINS, CONTAINS, CLOSE = range(5)


@dataclass(frozen=True)
class Key:
    """One thing by which something is found; `said` is added where it was found by this."""

    text: str
    is_code: bool = False
    said: str = ""

    @cached_property
    def plain(self) -> str:
        """The text as it is compared."""
        return plain(self.text)


@dataclass(frozen=True)
class Hit:
    """What was found and where it is: a page with choices; no page where nothing can be opened."""

    kind: str
    title: str
    detail: str
    page: str | None
    choices: tuple[tuple[str, str], ...] = ()
    anchor: str = ""


@dataclass(frozen=True)
class Entry:
    """Something that can be found, by any of its keys."""

    hit: Hit
    keys: tuple[Key, ...] = field(default=())


def plain(words: str) -> str:
    """Lower case without accents and marks, "&" as "and"."""
    bare = unicodedata.normalize("NFKD", words.casefold())
    bare = "".join(letter for letter in bare if not unicodedata.combining(letter))
    # An apostrophe stands inside a word: St Mary's is St Marys.
    return " ".join(re.findall(r"\w+", re.sub(r"['’]", "", bare.replace("&", " and "))))


def find(entries: Iterable[Entry], words: str) -> list[Hit]:
    """The best of what is meant, at most 12: exact code, exact name, begins with, contains, close.

    What is only close is there where nothing else is.
    """
    asked = plain(words)
    if not asked:
        return []
    found = []
    for entry in entries:
        ranked = [(rank, key) for key in entry.keys if (rank := _rank(asked, key)) is not None]
        if ranked:
            rank, key = min(ranked, key=lambda one: one[0])
            found.append((rank, entry.hit, key.said))
    if any(rank < CLOSE for rank, _, _ in found):
        found = [one for one in found if one[0] < CLOSE]
    found.sort(key=lambda one: (one[0], KINDS.index(one[1].kind), one[1].title, one[2]))
    return [_said(hit, said) for _, hit, said in found[:MOST_HITS]]


def _said(hit: Hit, said: str) -> Hit:
    detail = "; ".join(part for part in (hit.detail, said) if part)
    return Hit(hit.kind, hit.title, detail, hit.page, hit.choices, hit.anchor)


def _rank(asked: str, key: Key) -> int | None:
    name = key.plain
    if key.is_code:
        # One letter of a code off is another code: it is meant whole, or begun.
        whole = asked.replace(" ", "")
        if name.replace(" ", "") == whole:
            return EXACT_CODE
        is_begun = len(whole) >= LEAST_LETTERS and name.replace(" ", "").startswith(whole)
        return BEGINS if is_begun else None
    if name == asked:
        return EXACT_NAME
    if name.startswith(asked):
        return BEGINS
    parts = name.split()
    mine = asked.split()
    if all(any(part.startswith(word) for part in parts) for word in mine) or (
        len(asked) >= LEAST_LETTERS and asked in name
    ):
        return CONTAINS
    slips = 0
    for word in mine:
        if any(part.startswith(word) for part in parts):
            continue
        if slips or len(word) < LEAST_LETTERS or not any(_is_close(word, part) for part in parts):
            return None
        slips += 1
    return CLOSE


def _is_close(word: str, part: str) -> bool:
    """Whether one letter is wrong, missing, too many, or two are the other way round, in a word or
    in what it begins with."""
    lengths = {len(part), *range(len(word) - 1, len(word) + 2)}
    return any(
        OSA.distance(word, part[:length], score_cutoff=1) <= 1
        for length in lengths
        if length <= len(part)
    )
