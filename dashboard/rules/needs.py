"""The needs that services answer and people are referred for, under one name each."""

from __future__ import annotations

import re

NEED_THEMES = (
    "loneliness",
    "mental health",
    "money and debt",
    "housing",
    "physical activity",
    "long-term condition",
    "carers",
    "employment and learning",
    "arts and culture",
    "nature",
    "food",
    "alcohol or smoking",
    "complex social need",
    "other",
)
OTHER = "other"
# What returns call a need beside its own name, casefolded.
_ALSO_CALLED = {
    "money": "money and debt",
    "debt": "money and debt",
    "finance": "money and debt",
    "benefits": "money and debt",
    "isolation": "loneliness",
    "loneliness and isolation": "loneliness",
    "social isolation": "loneliness",
    "long term condition": "long-term condition",
    "long-term conditions": "long-term condition",
    "long term conditions": "long-term condition",
    "carer": "carers",
    "caring": "carers",
    "exercise": "physical activity",
    "employment": "employment and learning",
    "work": "employment and learning",
    "learning": "employment and learning",
    "arts": "arts and culture",
    "alcohol": "alcohol or smoking",
    "smoking": "alcohol or smoking",
}
_NO_SERVICE = re.compile(r"\bno (suitable |appropriate |available )?services?\b", re.IGNORECASE)


def themes_of(reasons: str) -> tuple[str, ...]:
    """The need themes of a referral's reasons, which stand separated by ; or |; each once.

    A reason under no known name is "other"; no reason is no theme.

    >>> themes_of("money; Housing"), themes_of("debt|money|a cat"), themes_of(" ")
    (('money and debt', 'housing'), ('money and debt', 'other'), ())
    """
    said = (reason.strip().casefold() for reason in re.split("[;|]", reasons))
    named = (_ALSO_CALLED.get(reason, reason) for reason in said if reason)
    return tuple(dict.fromkeys(name if name in NEED_THEMES else OTHER for name in named))


def is_for_lack_of_service(closed_reason: str) -> bool:
    """Whether a referral was closed because there was nothing to send the person to.

    >>> is_for_lack_of_service("No suitable service"), is_for_lack_of_service("moved away")
    (True, False)
    """
    return bool(_NO_SERVICE.search(closed_reason))
