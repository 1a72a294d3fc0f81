"""Link workers of PCNs, shared out to the wards where their patients live."""

from __future__ import annotations

import pandas as pd

PER_PEOPLE = 10_000


def apportion(patients: pd.DataFrame, pcns: pd.DataFrame, served_share: float) -> pd.DataFrame:
    """One row per ward and PCN with patients there: shares (0-1), the FTE that falls to the ward.

    `patients`: ward_code, pcn_code, patients, pcn_patients (the PCN's whole list in the same
    source). `pcns`: pcn_code, pcn_name, fte (missing where not returned). `ward_share` is the
    PCN's part of the ward's registered people, `list_share` the ward's part of the PCN's list;
    `serves` says whether the first reaches `served_share`. A PCN is never assigned whole.
    """
    known = pcns[["pcn_code", "pcn_name", "fte"]]
    shares = patients[patients["pcn_code"] != "U"].merge(known, on="pcn_code", how="left")
    # A PCN of another board serves wards across the border; its name may not be loaded here.
    shares["pcn_name"] = shares["pcn_name"].fillna(shares["pcn_code"])
    in_ward = patients.groupby("ward_code")["patients"].sum()
    shares["ward_share"] = shares["patients"] / shares["ward_code"].map(in_ward).astype("float64")
    shares["list_share"] = shares["patients"] / shares["pcn_patients"]
    shares["serves"] = shares["ward_share"] >= served_share
    shares["ward_fte"] = (shares["list_share"] * shares["fte"]).astype("Float64")
    return shares.sort_values(["ward_code", "ward_share"], ascending=[True, False])


def silent_pcns(shares: pd.DataFrame) -> pd.Series[str]:
    """Why a ward has no FTE: the PCNs serving it that have not returned, indexed by ward code."""
    silent = shares[shares["serves"] & shares["fte"].isna()]
    names = silent.groupby("ward_code")["pcn_name"].agg(lambda each: " and ".join(each.unique()))
    return "no workforce return from " + names.astype("str")


def fte_by_ward(shares: pd.DataFrame) -> pd.Series[float]:
    """FTE that falls to each ward, indexed by ward code.

    Missing where a PCN that serves the ward has not returned: what it has is unknown, not 0.
    """
    total = shares.groupby("ward_code")["ward_fte"].sum(min_count=1)
    silent = shares[shares["serves"] & shares["fte"].isna()]["ward_code"]
    return total.mask(total.index.isin(silent)).astype("Float64")
