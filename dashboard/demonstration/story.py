"""What the demonstration tells: which wards and PCNs are the ones with something to find."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from dashboard.demonstration.places import Places
from dashboard.demonstration.practices import Practices

# Districts whose take-up is judged ward by ward, and so can hold low, high and small numbers.
JUDGED = (
    "Ashford",
    "Canterbury",
    "Dartford",
    "Dover",
    "Folkestone and Hythe",
    "Gravesham",
    "Sevenoaks",
    "Swale",
    "Tonbridge and Malling",
)


@dataclass(frozen=True)
class Story:
    """Codes of the PCNs and wards of which something is told."""

    without_workforce_return: str  # a PCN in Dover, for the last months
    without_link_worker: tuple[str, str]  # two neighbouring PCNs in Swale
    stopped_referrals: str  # a PCN in Sevenoaks
    in_two_pcns: tuple[str, str]  # one person works in both, in Maidstone
    served_in_thanet: tuple[str, ...]  # the only two its return names
    stale: tuple[str, ...]  # Gravesham: entries nobody confirmed for over a year
    without_services: tuple[str, ...]  # Gravesham and Ashford: no entry at all
    one_provider: tuple[str, ...]  # Canterbury: what is lost if one funding ends
    not_reached: tuple[str, ...]  # all three components, nobody referred
    few: tuple[str, ...]  # so few referrals that the number is hidden
    low: tuple[str, ...]
    high: tuple[str, ...]
    without_posts_return: tuple[str, str]  # PCNs in Gravesham and in Tonbridge and Malling
    fixed_term: str  # a PCN in Ashford: the money for its newest post ends in December 2026
    without_plan: tuple[str, ...]  # PCNs in Dartford, Thanet and Medway
    expired_target: str  # a PCN in Canterbury: its target held until March 2026
    without_plan_dates: str  # a PCN in Folkestone and Hythe: its referrals never say "plan agreed"
    few_contacted: str  # a PCN in Dartford: fewer are reached than in the others
    fewer_contacted_lately: str  # a PCN in Ashford: fewer are reached since October 2025
    without_outcomes: str  # a PCN in Gravesham: it measures none
    outcomes_at_start_only: str  # a PCN in Sevenoaks
    without_gp_contacts: str  # a PCN in Swale


def make_story(places: Places, made: Practices, rng: np.random.Generator) -> Story:
    """Choose them by where they lie, and the low and the high ones by lot."""
    pcns: dict[str, list[str]] = {}
    for pcn in made.pcns:
        pcns.setdefault(pcn.district, []).append(pcn.code)
    thanet = _wards(places, "Thanet").sort_values(["imd_rank", "WD25CD"])
    gravesham = _outward(places, "Gravesham")
    ashford = _outward(places, "Ashford")
    canterbury = _wards(places, "Canterbury").sort_values(["northing", "WD25CD"])
    stale, without = gravesham[2:7], (*gravesham[:2], *ashford[:4])
    one_provider = tuple(canterbury["WD25CD"].iloc[-4:])
    lots = _lots(places, {*stale, *without, *one_provider}, rng)
    return Story(
        without_workforce_return=pcns["Dover"][0],
        without_link_worker=(pcns["Swale"][2], pcns["Swale"][3]),
        stopped_referrals=pcns["Sevenoaks"][0],
        in_two_pcns=(pcns["Maidstone"][0], pcns["Maidstone"][1]),
        served_in_thanet=tuple(thanet["WD25CD"].iloc[:2]),
        stale=stale,
        without_services=without,
        one_provider=one_provider,
        not_reached=tuple(
            lots[district].pop() for district in ("Ashford", "Dartford", "Tonbridge and Malling")
        ),
        few=tuple(lots[district].pop() for district in JUDGED[:7]),
        low=tuple(lots[district].pop() for district in JUDGED for _ in range(2)),
        high=tuple(lots[district].pop() for district in JUDGED),
        without_posts_return=(pcns["Gravesham"][0], pcns["Tonbridge and Malling"][0]),
        fixed_term=pcns["Ashford"][0],
        without_plan=(pcns["Dartford"][1], pcns["Thanet"][1], pcns["Medway"][5]),
        expired_target=pcns["Canterbury"][1],
        without_plan_dates=pcns["Folkestone and Hythe"][0],
        few_contacted=pcns["Dartford"][0],
        fewer_contacted_lately=pcns["Ashford"][2],
        without_outcomes=pcns["Gravesham"][1],
        outcomes_at_start_only=pcns["Sevenoaks"][2],
        without_gp_contacts=pcns["Swale"][0],
    )


def _wards(places: Places, district: str) -> pd.DataFrame:
    return places.wards[places.wards["LAD25NM"] == district]


def _outward(places: Places, district: str) -> tuple[str, ...]:
    """Ward codes of the district, the furthest from its middle first."""
    wards = _wards(places, district)
    at = wards[["easting", "northing"]].to_numpy(dtype=float)
    far = ((at - np.average(at, axis=0, weights=wards["people"])) ** 2).sum(axis=1)
    return tuple(wards["WD25CD"].to_numpy()[np.argsort(-far, kind="stable")])


def _lots(places: Places, taken: set[str], rng: np.random.Generator) -> dict[str, list[str]]:
    """The other wards of each judged district in an order drawn by lot."""
    return {
        district: [
            code for code in rng.permutation(_outward(places, district)) if code not in taken
        ]
        for district in JUDGED
    }
