"""Entries of two sources that may be the same service: pairs to look at, never merged here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
import pandas as pd
from rapidfuzz import fuzz, process

# Likeness of the words of two names, in any order: 1 where one name holds all words of the
# other. Two towns after the same short name stay below.
LEAST_LIKENESS = 0.9
NEAR_METRES = 250
EARTH_METRES = 6_371_009  # mean radius, IUGG
# Two points as near as that share a cell of at least one of four grids, half a cell apart. The
# 50 m to spare are for degrees of longitude, which are shorter in the north.
CELL_METRES = 600
# Entries that share something are put in the order of their names' words, and each is compared
# with so many after it: all with all where 101 or fewer share it. However many share it, n
# entries make at most 700 n pairs: by postcode, address, provider and four grids.
MOST_COMPARED = 100
# What organisations add to their name in one place and leave out in another.
_LEGAL_WORDS = {"the", "ltd", "limited", "cic", "cio", "plc", "llp"}
_REASONS = {
    "postcode": "same postcode",
    "web_address": "same web address",
    "provider": "same provider",
}

Places = npt.NDArray[np.int64]


def near_duplicates(services: pd.DataFrame) -> pd.DataFrame:
    """One row per pair, best first: key, other_key, name_likeness (0.9 to 1), why (in words).

    `services` has one row per service, source and place where it is given: service_key,
    source, service_name, provider, web_address, postcode, latitude, longitude (degrees, of the
    British Isles). All but the first three may be missing. A pair is of two sources and two
    keys (the same key is the same service already), has names alike, and shares the postcode, a
    place within 250 m, the web address or the provider. `key` is the smaller of the two.

    Where more than 101 entries share something, two whose names differ in the first of their
    words by the alphabet can be missed, unless they share something else.
    """
    entries = _plain(services)
    one, other = _candidates(entries)
    shared = _shared(entries, one, other)
    some = np.flatnonzero(shared.to_numpy().any(axis=1))
    one, other, shared = one[some], other[some], shared.iloc[some]
    keys, names = entries["service_key"].to_numpy(), entries["name"].tolist()
    likeness = process.cpdist(
        [names[place] for place in one],
        [names[place] for place in other],
        scorer=fuzz.token_set_ratio,
        # Below it the answer is 0.
        score_cutoff=100 * LEAST_LIKENESS,
        dtype=np.float64,
    )
    pairs = shared.assign(key=keys[one], other_key=keys[other], name_likeness=likeness / 100)
    pairs = pairs.loc[likeness > 0]
    # Once, however many places the two have.
    pairs = pairs.groupby(["key", "other_key"], as_index=False).max()
    reasons = pairs[shared.columns]
    pairs["why"] = pd.Series(
        ["; ".join(["names alike", *reasons.columns[row]]) for row in reasons.to_numpy(dtype=bool)],
        dtype="str",
    )
    pairs["reasons"] = reasons.sum(axis=1)
    pairs = pairs.sort_values(
        ["name_likeness", "reasons", "key", "other_key"],
        ascending=[False, False, True, True],
        ignore_index=True,
    )
    return pairs[["key", "other_key", "name_likeness", "why"]]


def _plain(services: pd.DataFrame) -> pd.DataFrame:
    """The entries as they are compared, "" for what is missing, in the order of their names."""

    def plain(column: str, form: Callable[[str], str]) -> list[str]:
        return [form(text) if isinstance(text, str) else "" for text in services[column]]

    names = plain("service_name", _words)
    entries = pd.DataFrame(
        {
            "name": [" ".join(sorted(name.split())) for name in names],
            "service_key": services["service_key"].to_numpy(),
            "source": services["source"].to_numpy(),
            "postcode": plain("postcode", lambda text: "".join(text.split()).upper()),
            "web_address": plain("web_address", _host_and_path),
            "provider": plain("provider", _provider),
            "latitude": services["latitude"].to_numpy(dtype=float, na_value=np.nan),
            "longitude": services["longitude"].to_numpy(dtype=float, na_value=np.nan),
        }
    )
    return entries.sort_values(list(entries.columns), ignore_index=True)


def _words(text: str) -> str:
    """The words of a name, without accents, apostrophes and signs.

    >>> _words("Men’s  Café & Shed")
    'mens cafe and shed'
    """
    text = re.sub("['’]", "", text.replace("&", " and ")).casefold()
    letters = (c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", "".join(letters)))


def _provider(name: str) -> str:
    """
    >>> _provider("The Lamp Post Ltd.")
    'lamp post'
    """
    return " ".join(word for word in _words(name).split() if word not in _LEGAL_WORDS)


def _host_and_path(address: str) -> str:
    """
    >>> _host_and_path("https://www.Lamp-Post.example/Talk/?from=feed#top")
    'lamp-post.example/talk'
    """
    address = address.strip().casefold()
    try:
        parts = urlsplit(address if "//" in address else f"//{address}")
    except ValueError:  # a host in brackets that is none
        return ""
    return f"{parts.netloc.removeprefix('www.')}{parts.path}".rstrip("/")


def _numbered(texts: pd.Series[str]) -> Places:
    return pd.factorize(texts.where(texts != "", None))[0].astype(np.int64)


def _blocks(entries: pd.DataFrame) -> Iterator[Places]:
    """By each thing that can be shared: a number an entry, the same for those that share it,
    below 0 where it is missing."""
    for column in _REASONS:
        yield _numbered(entries[column])
    north = np.radians(entries["latitude"].to_numpy())
    east = np.radians(entries["longitude"].to_numpy()) * np.cos(north)
    for half_east in (0, 0.5):
        for half_north in (0, 0.5):
            cells = pd.DataFrame(
                {
                    "east": np.floor(east * EARTH_METRES / CELL_METRES + half_east),
                    "north": np.floor(north * EARTH_METRES / CELL_METRES + half_north),
                }
            )
            numbers = cells.groupby(["east", "north"]).ngroup()
            yield numbers.fillna(-1).to_numpy().astype(np.int64)


def _candidates(entries: pd.DataFrame) -> tuple[Places, Places]:
    """The entries to compare, each pair once and its smaller key first."""
    source, key = (
        pd.factorize(entries[column], sort=True)[0] for column in ("source", "service_key")
    )
    found: list[Places] = [np.empty(0, dtype=np.int64)]
    for block in _blocks(entries):
        # Stable: the entries of a block stay in the order of their names.
        order = np.argsort(block, kind="stable")
        order = order[block[order] >= 0]
        for step in range(1, MOST_COMPARED + 1):
            one, other = order[:-step], order[step:]
            together = block[one] == block[other]
            if not together.any():
                break
            differ = (source[one] != source[other]) & (key[one] != key[other])
            one, other = one[together & differ], other[together & differ]
            is_first = key[one] < key[other]
            first, second = np.where(is_first, one, other), np.where(is_first, other, one)
            found.append(first * len(entries) + second)
    pairs = np.unique(np.concatenate(found))
    return pairs // max(len(entries), 1), pairs % max(len(entries), 1)


def _shared(entries: pd.DataFrame, one: Places, other: Places) -> pd.DataFrame:
    """One row per pair, one column per thing, named in words: whether the two share it."""
    shared = {}
    for column, words in _REASONS.items():
        number = _numbered(entries[column])
        shared[words] = (number[one] == number[other]) & (number[one] >= 0)
    north = np.radians(entries["latitude"].to_numpy())
    east = np.radians(entries["longitude"].to_numpy())
    # The great circle: of a missing place it is missing, and that is not near.
    half = (
        np.sin((north[other] - north[one]) / 2) ** 2
        + np.cos(north[one]) * np.cos(north[other]) * np.sin((east[other] - east[one]) / 2) ** 2
    )
    metres = 2 * EARTH_METRES * np.arcsin(np.sqrt(half))
    shared[f"within {NEAR_METRES} m"] = metres <= NEAR_METRES
    return pd.DataFrame(shared)
