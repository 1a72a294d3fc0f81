"""Complex need: several long-term conditions, high complexity, and the way to occupational therapy."""

from __future__ import annotations

import pandas as pd

# Source: NICE guideline NG56 (2016), multimorbidity is two or more long-term conditions.
SEVERAL_CONDITIONS = 2
# Boards return complexity in levels of their own; these are the words for the highest.
HIGHEST_LEVELS = ("high", "very high", "complex", "severe")


def complex_need(referrals: pd.DataFrame) -> pd.DataFrame:
    """Counts to be added up, 0 or 1 a referral: conditions_told, several_conditions,
    complexity_told, highly_complex, ot_referred, ot_accepted, ot_waiting.

    `referrals`: one row each with long_term_conditions, complexity, ot_referred_on,
    ot_accepted_on, declined_on and closed_on. Who was accepted by occupational therapy was
    referred there, whatever the return forgot. Waiting is who was referred on, not accepted, and
    whose referral has not ended.
    """
    conditions = referrals["long_term_conditions"]
    level = referrals["complexity"].astype("str").str.strip().str.casefold()
    accepted = referrals["ot_accepted_on"].notna()
    referred = referrals["ot_referred_on"].notna()
    ended = referrals["closed_on"].notna() | referrals["declined_on"].notna()
    return pd.DataFrame(
        {
            "conditions_told": conditions.notna(),
            "several_conditions": (conditions >= SEVERAL_CONDITIONS).fillna(False).astype(bool),
            "complexity_told": referrals["complexity"].notna(),
            "highly_complex": level.isin(HIGHEST_LEVELS),
            "ot_referred": referred | accepted,
            "ot_accepted": accepted,
            "ot_waiting": referred & ~accepted & ~ended,
        }
    ).astype("int64")
