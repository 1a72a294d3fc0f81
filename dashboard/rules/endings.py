"""How a referral ended, in a few words for the many in which it is returned."""

from __future__ import annotations

import re
from enum import StrEnum

from dashboard.rules.needs import is_for_lack_of_service


class Ending(StrEnum):
    """How a referral ended, in the order of the screen."""

    COMPLETED = "completed"
    DECLINED = "declined"
    NOT_REACHED = "could not be reached"
    NO_SERVICE = "no suitable service"
    WAITING = "waiting too long"
    MOVED = "moved"
    NEEDS_MET = "needs met"
    HANDED_ON = "handed to another service"
    OTHER = "other"
    NOT_SAID = "not said"


ENDINGS = tuple(Ending)
# What returns say, casefolded; the first that is found counts. A reason that names two things
# ("moved away, could not be reached") is the one further up.
_SAID = (
    (
        Ending.MOVED,
        r"\bmoved?\b(?! on\b)|\bmoving\b|\brelocated\b|\bout of area\b|\bleft (the )?area\b",
    ),
    (
        Ending.NOT_REACHED,
        r"\b(not|never|un)\W*(be )?(reached|contactable)|\bno (contact|response|reply|answer)\b"
        r"|\b(unable|failed) to (contact|reach)\b|(\bnot|n't) (respond|answer|reply)|\blost contact\b",
    ),
    (Ending.WAITING, r"\bwait"),
    (
        Ending.DECLINED,
        r"\bdeclin|\brefus|\bwithdr[ae]w|\bopted out\b|(\bnot|n't|\bno longer) (want|wish)"
        r"|\bnot interested\b",
    ),
    (
        Ending.COMPLETED,
        r"^(?!.*(\bnot|n't|\bnever) (yet |been )*complet).*\bcomplet|\bgoals? (met|achieved)\b",
    ),
    (Ending.HANDED_ON, r"\b(handed|referred|signposted|transferred)\b|\bonward"),
    (Ending.NEEDS_MET, r"\bneeds? (is |are |were |all |already |now |been )*met\b"),
)
_PATTERNS = tuple((ending, re.compile(pattern)) for ending, pattern in _SAID)


def ending_of(closed_reason: str | None, has_declined: bool) -> Ending:
    """How a referral ended, by the reason said; without one, "declined" where a day is there on
    which the person declined, else "not said".

    A reason under no known words is "other". What was said counts before the day: who declined at
    first and is closed as completed has completed.

    >>> ending_of("Needs met elsewhere", False), ending_of("", True), ending_of(None, False)
    (<Ending.NEEDS_MET: 'needs met'>, <Ending.DECLINED: 'declined'>, <Ending.NOT_SAID: 'not said'>)
    """
    said = " ".join((closed_reason or "").split()).casefold().replace("’", "'")
    if not said:
        return Ending.DECLINED if has_declined else Ending.NOT_SAID
    if is_for_lack_of_service(said):
        return Ending.NO_SERVICE
    return next((ending for ending, pattern in _PATTERNS if pattern.search(said)), Ending.OTHER)
