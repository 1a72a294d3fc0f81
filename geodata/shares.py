"""Patients of each practice by ward, modelled where the published split is not loaded."""

import numpy as np
import pandas as pd

# An assumption, not calibrated: it puts most patients within about 4 km of their practice. The
# published counts of patients by practice and small area replace the model once they are loaded.
DECAY_METRES = 2_000.0
LEAST_PATIENTS = 0.5  # an assumption: a cell that would be shown as nobody is left out
MOST_ROUNDS = 200  # a county settles in fewer than 150
CLOSE_ENOUGH = 0.01  # relative error of a ward's total at which fitting stops


def modelled_patients(
    practices: pd.DataFrame, wards: pd.DataFrame, decay_metres: float = DECAY_METRES
) -> pd.DataFrame:
    """One row per practice and ward with patients: practice_code, ward_code, patients (float).

    A doubly constrained gravity model, attraction exp(-distance / decay): each practice keeps its
    list size exactly, and each ward is served nearly in proportion to its people.

    `practices` has practice_code, easting, northing (EPSG:27700 metres), patients; `wards` has
    ward_code, easting, northing, people. Raises ValueError for missing or negative numbers and
    for wards without people.
    """
    _refuse_unusable(practices, ["easting", "northing", "patients"], "practice")
    _refuse_unusable(wards, ["easting", "northing", "people"], "ward")
    lists = practices["patients"].to_numpy(float)
    people = wards["people"].to_numpy(float)
    if lists.sum() > 0 and people.sum() == 0:
        raise ValueError("Expected wards with people to place patients in; found none.")

    patients = _fitted(_attraction(practices, wards, decay_metres), lists, people)
    largest = patients.max(axis=1, keepdims=True, initial=0)
    # A practice whose cells are all small keeps its largest, or its patients would be lost.
    patients[(patients < LEAST_PATIENTS) & (patients < largest)] = 0
    patients = _scaled(patients, lists, axis=1)

    practice, ward = np.nonzero(patients)
    return pd.DataFrame(
        {
            "practice_code": practices["practice_code"].to_numpy()[practice],
            "ward_code": wards["ward_code"].to_numpy()[ward],
            "patients": patients[practice, ward],
        }
    )


def _refuse_unusable(frame: pd.DataFrame, columns: list[str], kind: str) -> None:
    numbers = frame[columns].to_numpy(float, na_value=np.nan)
    bad = ~np.isfinite(numbers).all(axis=1) | (numbers[:, 2] < 0)
    if bad.any():
        first = frame[f"{kind}_code"].iloc[int(bad.argmax())]
        raise ValueError(
            f"Expected a place and a count of 0 or more for every {kind}; "
            f"found {bad.sum()} without, first {first}. Leave those out first."
        )


def _attraction(practices: pd.DataFrame, wards: pd.DataFrame, decay_metres: float) -> np.ndarray:
    here = practices[["easting", "northing"]].to_numpy(float)
    there = wards[["easting", "northing"]].to_numpy(float)
    distance = np.hypot(*(here[:, None] - there[None]).transpose(2, 0, 1))
    # Measured from the nearest ward, so that a far practice does not underflow to nothing; the
    # totals of practices take the constant factor out again.
    nearest = distance.min(axis=1, keepdims=True, initial=np.inf)
    attraction: np.ndarray = np.exp((nearest - distance) / decay_metres)
    return attraction


def _fitted(attraction: np.ndarray, lists: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Iterative proportional fitting: rows add up to `lists`, columns nearly like `people`."""
    wanted = people * (lists.sum() / max(people.sum(), 1))
    patients = _scaled(attraction * people, lists, axis=1)
    for _ in range(MOST_ROUNDS):
        error = np.abs(patients.sum(axis=0) - wanted)
        if (error <= CLOSE_ENOUGH * wanted).all():
            break
        patients = _scaled(_scaled(patients, wanted, axis=0), lists, axis=1)
    return patients


def _scaled(patients: np.ndarray, totals: np.ndarray, axis: int) -> np.ndarray:
    now = patients.sum(axis=axis)
    factor = np.divide(totals, now, out=np.zeros_like(totals), where=now > 0)
    scaled: np.ndarray = patients * np.expand_dims(factor, axis)
    return scaled
