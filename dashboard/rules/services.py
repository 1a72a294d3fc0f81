"""Entries of services as services: the return and the directory's entry of one are one."""

from __future__ import annotations

from datetime import date

import pandas as pd

RETURN, DIRECTORY = "services", "directory"
FULL = ("full", "full with waiting list")


def service_keys(entries: pd.DataFrame, matches: pd.DataFrame) -> pd.Series[str]:
    """What tells the service of each entry from others: the directory's id where it has one.

    `entries`: dataset, service_id, provider; `matches`: provider, service_id, other_service_id,
    is_same. An entry of a provider's return stands for the directory's entry with its id, or with
    the id that somebody said is the same; else it is the provider's own, since two providers may
    number theirs alike.
    """
    listed = set(entries.loc[entries["dataset"] == DIRECTORY, "service_id"])
    returned = entries[entries["dataset"] == RETURN]
    # A number that two providers use is no id of a directory.
    claims = returned.groupby("service_id")["provider"].nunique()
    shared = set(claims.index[claims > 1])
    same, other = matches[matches["is_same"]], matches[~matches["is_same"]]
    denied = set(
        zip(other["provider"], other["service_id"], other["other_service_id"], strict=True)
    )
    said = dict(
        zip(zip(same["provider"], same["service_id"], strict=True), same["other_service_id"],
            strict=True)
    )  # fmt: skip
    keys = []
    for dataset, provider, service_id in zip(
        entries["dataset"], entries["provider"], entries["service_id"], strict=True
    ):
        listed_id = said.get((provider, service_id), service_id)
        is_said = (provider, service_id) in said
        is_joined = listed_id in listed and (provider, service_id, listed_id) not in denied
        is_joined &= is_said or service_id not in shared
        is_listed = dataset == DIRECTORY or is_joined
        keys.append(listed_id if is_listed else f"{provider} / {service_id}")
    return pd.Series(keys, entries.index, dtype="str")


def is_open(entries: pd.DataFrame, as_at: date) -> pd.Series[bool]:
    """Which entries are open at the date: `closed_on` is the first day on which one is not, and
    `closes_on` the last on which it is.

    A directory may go on listing what its provider says has closed: the provider is believed.
    `entries` have service_key and dataset as well.
    """
    day = pd.Timestamp(as_at)
    closed, closes = (pd.to_datetime(entries[name]) for name in ("closed_on", "closes_on"))
    is_open_itself = ~((closed <= day) | (closes < day))
    returned = entries["dataset"] == RETURN
    told = set(entries.loc[returned, "service_key"])
    told_open = set(entries.loc[returned & is_open_itself, "service_key"])
    return is_open_itself & ~entries["service_key"].isin(told - told_open)


def joined(entries: pd.DataFrame) -> pd.DataFrame:
    """One row per service_key: of each column what the provider says, else the directory.

    Confirmed is the newest that either says; online is what either says; `said_by` names who
    speaks of it. `entries` have service_key, dataset, confirmed_on, is_online and whatever else.
    """
    ordered = entries.assign(
        said_by=entries["dataset"].map(
            {RETURN: "the provider's return", DIRECTORY: "the directory"}
        )
    ).sort_values("dataset", key=lambda names: names == DIRECTORY, kind="stable")
    by_key = ordered.groupby("service_key", sort=False)
    first = by_key.first()
    if len(first) < len(entries):
        first["is_online"] = by_key["is_online"].any()
        days = pd.to_datetime(ordered["confirmed_on"])
        newest = days.groupby(ordered["service_key"], sort=False).max()
        first["confirmed_on"] = newest.dt.date.astype(object).where(newest.notna(), None)
        first["said_by"] = by_key["said_by"].agg(lambda who: " and ".join(dict.fromkeys(who)))
    return first.reset_index()


def is_full(services: pd.DataFrame) -> pd.Series[bool]:
    """Which services have no room: by the state they returned, else by their places."""
    by_places = services["places_filled"] >= services["places_offered"]
    full = services["state"].isin(FULL) | (services["state"].isna() & by_places.fillna(False))
    return full.astype(bool)


def free_places(services: pd.DataFrame) -> pd.Series[int]:
    """Places offered less filled, at least 0; 0 where the service says it is full; missing where
    one of the two was not returned."""
    free = (services["places_offered"] - services["places_filled"]).clip(lower=0)
    return free.mask(is_full(services) & services["places_offered"].notna(), 0).astype("Int64")
