"""What is lost when funding ends, and where money for services goes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pandas as pd

# A date after every other, for money whose end nobody named.
_NO_END = pd.Timestamp(2200, 1, 1)
PER_PEOPLE = 1_000


def ending(services: pd.DataFrame, as_at: date, months: int) -> pd.DataFrame:
    """The services whose funding ends from the date on, within so many months, first ones first;
    `month` is the first day of the month in which it does.

    Money that ended before the date is not lost again: those services found other money, or
    nobody said so.
    """
    first, last = pd.Timestamp(as_at), pd.Timestamp(as_at) + pd.DateOffset(months=months)
    ends = pd.to_datetime(services["funding_ends"])
    found = services[(ends >= first) & (ends <= last)]
    month = [day.replace(day=1) for day in found["funding_ends"]]
    return found.assign(month=pd.Series(month, found.index, dtype=object)).sort_values(
        ["funding_ends", "service_name"], ignore_index=True
    )


def losses_by_month(
    found: pd.DataFrame, serving: pd.DataFrame, everywhere: pd.DataFrame, wards: int
) -> pd.DataFrame:
    """One row per month in which funding ends, oldest first: services, wards and places lost up
    to its end (`services`, `wards`, `places`), and services of the month alone (`ending`).

    `found` as `ending` answers; `serving`: service_key, ward_code; one of `everywhere` is lost to each
    of the `wards`. Places of services that did
    not say how many are not in it: `places_unknown` counts those services.
    """
    rows = []
    for month in sorted(found["month"].unique()):
        lost = found[found["month"] <= month]
        touched = serving[serving["service_key"].isin(lost["service_key"])]["ward_code"].nunique()
        is_wide = bool(everywhere["service_key"].isin(lost["service_key"]).any())
        rows.append(
            {
                "month": month,
                "ending": int((found["month"] == month).sum()),
                "services": len(lost),
                "wards": wards if is_wide else touched,
                "places": int(lost["places_offered"].sum()),
                "places_unknown": int(lost["places_offered"].isna().sum()),
            }
        )
    return pd.DataFrame(
        rows, columns=["month", "ending", "services", "wards", "places", "places_unknown"]
    )


def last_funded(
    services: pd.DataFrame,
    serving: pd.DataFrame,
    everywhere: pd.DataFrame,
    themes: pd.DataFrame,
    ward_codes: Sequence[str],
) -> pd.DataFrame:
    """One row per ward and need theme that has a service, whose services all lose their funding:
    `ends` is the day after which nothing is left there for it.

    `services` (service_key, funding_ends) are those that count; `serving` has ward_code as well,
    `everywhere` serves each of the wards.
    """
    ends = pd.to_datetime(services.set_index("service_key")["funding_ends"]).fillna(_NO_END)
    of_need = themes[themes["service_key"].isin(ends.index)]
    of_need = of_need.assign(ends=pd.to_datetime(of_need["service_key"].map(ends.to_dict())))
    own = serving.merge(of_need, on="service_key")[["ward_code", "theme", "ends"]]
    wide = (
        everywhere.merge(of_need, on="service_key").groupby("theme", as_index=False)["ends"].max()
    )
    each = pd.DataFrame({"ward_code": pd.Series(list(ward_codes), dtype="str")})
    together = pd.concat(
        [own[own["ward_code"].isin(each["ward_code"])], each.merge(wide, how="cross")]
    )
    last = together.groupby(["ward_code", "theme"], as_index=False)["ends"].max()
    lost: pd.DataFrame = last[last["ends"] < _NO_END].reset_index(drop=True)
    return lost.assign(ends=lost["ends"].dt.date.astype(object))


def worth(services: pd.DataFrame) -> pd.Series[float]:
    """Pounds that the places of the next 4 weeks are worth, at the service's cost per place;
    missing where either is not known."""
    return (services["places_offered"] * services["cost_per_place"]).astype("Float64")


def shared_out(
    services: pd.DataFrame, serving: pd.DataFrame, everywhere: pd.DataFrame, wards: pd.DataFrame
) -> pd.Series[float]:
    """By district code: `worth` of the services, shared out over the wards each serves by how
    many people live there.

    `services`: service_key, worth; `wards`: ward_code, lad_code, population. What is not known is
    left out, and wards without a population take no share. Missing for a district where services
    are, none of which is known to be worth anything.
    """
    people = wards.dropna(subset=["population", "lad_code"])[
        ["ward_code", "lad_code", "population"]
    ]
    known = services.dropna(subset="worth")[["service_key", "worth"]]
    wide = known[known["service_key"].isin(everywhere["service_key"])]
    own = serving[~serving["service_key"].isin(wide["service_key"])].merge(known)
    placed = own.merge(people)
    total = placed.groupby("service_key")["population"].transform("sum")
    placed["pounds"] = placed["worth"] * placed["population"] / total
    by_district = people.groupby("lad_code")["population"].sum()
    pounds = placed.groupby("lad_code")["pounds"].sum().reindex(by_district.index, fill_value=0)
    if len(wide) and by_district.sum():
        pounds = pounds + wide["worth"].sum() * by_district / by_district.sum()
    unknown = services[services["worth"].isna()]["service_key"]
    silent = people[
        people["ward_code"].isin(serving[serving["service_key"].isin(unknown)]["ward_code"])
    ]["lad_code"]
    is_silent = pounds.index.isin(silent) | bool(everywhere["service_key"].isin(unknown).any())
    return pounds.astype("Float64").mask(is_silent & (pounds == 0))
