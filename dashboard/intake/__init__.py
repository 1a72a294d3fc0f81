"""Brings files in: recognise, read, check, and write in one transaction."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

import pandas as pd
from sqlalchemy import Engine

from dashboard.intake import (
    deprivation,
    list_sizes,
    lsoa_icb,
    lsoa_ward,
    practices,
    referrals,
    registered_patients,
    scheme_areas,
    services,
    ward_boundaries,
    ward_population,
    workforce,
)
from dashboard.intake.dataset import Dataset
from dashboard.intake.problems import Problem, RefusedError
from dashboard.intake.source import Source, shown_headings
from queries import load, lookups

# One module a dataset; the order is that in which a month's files are loaded, since a
# referral by LSOA needs the lookup that places it.
DATASETS: tuple[Dataset, ...] = (
    ward_boundaries.DATASET,
    lsoa_ward.DATASET,
    lsoa_icb.DATASET,
    ward_population.DATASET,
    deprivation.DATASET,
    practices.DATASET,
    list_sizes.DATASET,
    registered_patients.DATASET,
    workforce.DATASET,
    scheme_areas.DATASET,
    services.DATASET,
    referrals.DATASET,
)


@dataclass(frozen=True)
class EarlierLoads:
    """What the database already knows, for readers that need it; see `dataset.Lookups`."""

    engine: Engine
    hash_key: bytes

    def ward_of_lsoa(self) -> pd.Series[str]:
        return lookups.ward_of_lsoa(self.engine)

    def pcn_of_practice(self) -> pd.Series[str]:
        return lookups.pcn_of_practice(self.engine)

    def hashed(self, references: pd.Series[str]) -> pd.Series[str]:
        """Keyed hashes: the same person's reference can be matched, never read back."""
        return references.map(
            lambda text: hmac.new(self.hash_key, text.encode(), hashlib.sha256).hexdigest()
        )


def recognise(source: Source) -> Dataset:
    """The dataset this file is, told from its content; `RefusedError` when it is none."""
    for dataset in DATASETS:
        if dataset.recognises(source):
            return dataset
    known = "; ".join(dataset.title for dataset in DATASETS)
    if source.json is not None:
        found = "JSON of another form"
    else:
        found = "; ".join(shown_headings(sheet) for sheet in source.sheets)
    rule = f"this is none of the files known here; found {found}. Known are: {known}"
    raise RefusedError(source.name, [Problem(rule)])


def take_in(
    engine: Engine, source: Source, hash_key: bytes, *, is_demonstration: bool = False
) -> load.LoadRecord:
    """Recognise, check and load one file, all of it or nothing of it.

    `RefusedError` when it is not known or breaks a rule, `load.AlreadyLoadedError` when the
    same bytes are in force.
    """
    clean = recognise(source).read(source, EarlierLoads(engine, hash_key))
    return load.save(engine, clean, is_demonstration=is_demonstration)


def in_loading_order(sources: list[Source]) -> list[Source]:
    """Files sorted so that each finds what it needs; unknown ones last, to be refused."""

    def position(source: Source) -> int:
        try:
            return DATASETS.index(recognise(source))
        except RefusedError:
            return len(DATASETS)

    return sorted(sources, key=position)
