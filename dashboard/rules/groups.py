"""Groups of people under one name each, whatever words or codes a return uses for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dashboard.rules.ages import AGE_BANDS

NOT_STATED = "not stated"
SEXES = ("female", "male", "other", NOT_STATED)
# The five groups of the census of England and Wales 2021 (Office for National Statistics).
ETHNICITY_GROUPS = ("Asian", "Black", "Mixed", "White", "Other", NOT_STATED)

_SEXES = {
    "f": "female", "female": "female", "woman": "female", "women": "female",
    "m": "male", "male": "male", "man": "male", "men": "male",
    # Codes of the NHS Data Dictionary, person stated gender; 9 is indeterminate.
    "1": "male", "2": "female", "9": "other", "x": NOT_STATED, "0": NOT_STATED,
    "u": NOT_STATED,
}  # fmt: skip
_UNSAID = ("not ", "unknown", "prefer", "declined", "refused", "withheld", "no answer")
# Codes of the NHS Data Dictionary, ethnic category 2001: the first letter says the group.
_CODES = {
    **dict.fromkeys("ABC", "White"),
    **dict.fromkeys("DEFG", "Mixed"),
    **dict.fromkeys("HJKL", "Asian"),
    **dict.fromkeys("MNP", "Black"),
    **dict.fromkeys("RS", "Other"),
    "Z": NOT_STATED,
    "99": NOT_STATED,
}
# In this order: "Mixed: White and Asian" is mixed, "Asian or Asian British: Chinese" is Asian.
_WORDS = (
    ("Mixed", ("mixed", "multiple", "white and")),
    ("Black", ("west indian",)),
    ("White", ("white",)),
    ("Asian", ("asian", "indian", "pakistani", "bangladeshi", "chinese")),
    ("Black", ("black", "african", "caribbean")),
    ("White", ("irish", "gypsy", "roma")),
)


def sex_of(said: str) -> str:
    """One of `SEXES`; a word under no known name is "other".

    >>> sex_of("F"), sex_of(" Male "), sex_of("prefer not to say"), sex_of("non-binary")
    ('female', 'male', 'not stated', 'other')
    """
    plain = said.strip().casefold()
    if plain.startswith(_UNSAID):
        return NOT_STATED
    # "Male (including trans man)" is how a census asks.
    return _SEXES.get(plain) or _SEXES.get(plain.split(" (")[0], "other")


def ethnicity_group_of(said: str) -> str:
    """One of `ETHNICITY_GROUPS`; a word under no known name is "Other".

    >>> ethnicity_group_of("White British"), ethnicity_group_of("White and Black Caribbean")
    ('White', 'Mixed')
    >>> ethnicity_group_of("M"), ethnicity_group_of("Not known"), ethnicity_group_of("Arab")
    ('Black', 'not stated', 'Other')
    """
    plain = said.strip()
    if plain.upper() in _CODES:
        return _CODES[plain.upper()]
    plain = plain.casefold()
    if plain.startswith(_UNSAID):
        return NOT_STATED
    return next((name for name, words in _WORDS if any(word in plain for word in words)), "Other")


# The categories whose values have an order of their own on the screen.
ORDERS = {"age band": AGE_BANDS, "sex": SEXES, "ethnicity": ETHNICITY_GROUPS}


def in_order(
    values: Iterable[str], category: str, names: Mapping[str, str] | None = None
) -> list[str]:
    """Values of a category in an order that says nothing of their numbers: their own where they have
    one, else by name."""
    order = {value: place for place, value in enumerate(ORDERS.get(category, ()))}
    called = names or {}
    return sorted(
        values, key=lambda value: (order.get(value, len(order)), called.get(value, value))
    )
