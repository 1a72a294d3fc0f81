"""Brings files in: recognise, read, check, and write in one transaction."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import pandas as pd
from sqlalchemy import Engine

from dashboard.intake import (
    appointments,
    candidate_sites,
    capacity,
    charities,
    deprivation,
    directory,
    gp_contacts,
    health_budgets,
    list_sizes,
    lsoa_icb,
    lsoa_index,
    lsoa_ward,
    named_leads,
    outcomes,
    pcn_members,
    posts,
    practice_register,
    practices,
    recruitment_plan,
    referrals,
    registered_patients,
    scheme_areas,
    service_matches,
    services,
    targets,
    travel_times,
    ward_boundaries,
    ward_population,
    workforce,
)
from dashboard.intake.dataset import Dataset
from dashboard.intake.identifiers import refuse_nhs_numbers
from dashboard.intake.known import Known
from dashboard.intake.mapping import Mapping, apply, described, fingerprint
from dashboard.intake.problems import Problem, RefusedError, UnknownFileError
from dashboard.intake.source import Source, shown_headings
from queries import load, lookups, mappings
from queries.load import Reading

# One module a dataset; the order is that in which a month's files are loaded, since a
# referral by LSOA needs the lookup that places it.
DATASETS: tuple[Dataset, ...] = (
    ward_boundaries.DATASET,
    lsoa_ward.DATASET,
    lsoa_icb.DATASET,
    ward_population.DATASET,
    deprivation.DATASET,
    lsoa_index.DATASET,
    practices.DATASET,
    pcn_members.DATASET,
    practice_register.DATASET,
    list_sizes.DATASET,
    registered_patients.DATASET,
    workforce.DATASET,
    appointments.DATASET,
    scheme_areas.DATASET,
    # A file of weeks may also name the services and what they serve.
    capacity.DATASET,
    services.DATASET,
    directory.DATASET,
    service_matches.DATASET,
    charities.DATASET,
    referrals.DATASET,
    outcomes.DATASET,
    gp_contacts.DATASET,
    posts.DATASET,
    named_leads.DATASET,
    health_budgets.DATASET,
    recruitment_plan.DATASET,
    targets.DATASET,
    travel_times.DATASET,
    candidate_sites.DATASET,
)


def dataset_named(name: str) -> Dataset:
    """The dataset of this name; `LookupError` when there is none."""
    for dataset in DATASETS:
        if dataset.name == name:
            return dataset
    raise LookupError(f"there is no dataset {name!r}")


def recognise(source: Source) -> Dataset:
    """The dataset this file is, told from its content; `UnknownFileError` when it is none."""
    for dataset in DATASETS:
        if dataset.recognises(source):
            return dataset
    if source.json is not None:
        found = "JSON of another form"
    else:
        found = "; ".join(shown_headings(sheet) for sheet in source.sheets)
    rule = (
        f"this is none of the files known here; found {found}. The README lists those that are "
        "known; for an export with other headings, say on the page Data which column is which"
    )
    raise UnknownFileError(source.name, [Problem(rule)])


def known_so_far(engine: Engine, hash_key: bytes) -> Known:
    """What the loads in force, and the saved mappings, tell the readers."""
    saved = mappings.saved_mappings(engine)
    wards, pcns, directory = _lookups(engine, lookups.mark(engine))
    return Known(
        hash_key,
        wards,
        pcns,
        {
            headings: Mapping.from_json(content)
            for headings, content in zip(saved["headings"], saved["content"], strict=True)
        },
        directory,
    )


# One state of one database: files are loaded one after the other, and few of them change a lookup.
@lru_cache(maxsize=1)
def _lookups(
    engine: Engine, _mark: lookups.Mark
) -> tuple[pd.Series[str], pd.Series[str], pd.DataFrame]:
    return (
        lookups.ward_of_lsoa(engine),
        lookups.pcn_of_practice(engine),
        lookups.directory_services(engine),
    )


def read(
    source: Source, known: Known, *, dataset: str | None = None, mapping: Mapping | None = None
) -> Reading:
    """A file as checked rows: recognised by its content, or taken for the dataset named.

    A file that is none of those known is read by the saved mapping its headings fit.
    `RefusedError` when it is not known, breaks a rule, or says who a person is.
    """
    if mapping is None and dataset is None:
        mapping = _mapping_for(source, known)
    if mapping is not None:
        # Every column is searched, also those the mapping leaves out.
        refuse_nhs_numbers(source, is_local=True)
        source, dataset = replace(source, mapped=apply(source, mapping)), mapping.dataset
    try:
        chosen = recognise(source) if dataset is None else _named(source, dataset)
    except UnknownFileError as error:
        # It may be an export of a supplier: somebody has to say which column is what.
        refuse_nhs_numbers(source, is_local=True)
        raise UnknownFileError(source.name, error.problems, described(source)) from None
    if mapping is None:
        refuse_nhs_numbers(source, is_local=chosen.template is not None)
    found = chosen.read(source, known)
    return load.at_once(found) if isinstance(found, load.CleanLoad) else found


def needs_lookups(source: Source) -> bool:
    """Whether the file is read better after other files: one by LSOA, after the lookups."""
    return all(dataset.uses_lookups for dataset in DATASETS if dataset.recognises(source))


def _mapping_for(source: Source, known: Known) -> Mapping | None:
    if not known.mappings or any(dataset.recognises(source) for dataset in DATASETS):
        return None
    fitting = (known.mappings.get(fingerprint(sheet.headings)) for sheet in source.sheets)
    return next((mapping for mapping in fitting if mapping), None)


def _named(source: Source, name: str) -> Dataset:
    chosen = dataset_named(name)
    if not chosen.recognises(source):
        rule = f"is not a file of {chosen.title!r}: its headings or form are others"
        raise RefusedError(source.name, [Problem(rule)])
    return chosen


def take_in(
    engine: Engine, source: Source, hash_key: bytes, *, is_demonstration: bool = False
) -> load.LoadRecord:
    """Read and load one file in this process, all of it or nothing of it.

    `RefusedError` when it is not known or breaks a rule, `load.AlreadyLoadedError` when the
    same bytes are in force.
    """
    reading = read(source, known_so_far(engine, hash_key))
    return load.save(engine, reading, is_demonstration=is_demonstration)


def in_loading_order(sources: list[Source]) -> list[Source]:
    """Files sorted so that each finds what it needs; unknown ones last, to be refused."""

    def position(source: Source) -> int:
        try:
            return DATASETS.index(recognise(source))
        except RefusedError:
            return len(DATASETS)

    return sorted(sources, key=position)
