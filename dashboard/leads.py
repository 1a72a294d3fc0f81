"""Who leads social prescribing in each locality, and who supervises the link workers there."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
from sqlalchemy import Engine

from dashboard.own_networks import own_rows
from dashboard.rules import moves
from dashboard.rules.leads import judge_supervision, leads_at
from dashboard.settings import settings
from dashboard.workforce import pcn_workforce
from queries import needs, places, posts
from queries.scope import Scope


def locality_leads(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> pd.DataFrame:
    """One row per locality and lead it has at the date, localities without one first: lad_code,
    lad_name, post_name, profession, valid_from (missing without a lead), and `last_lead`, who led
    it last and until when."""
    wards = places.wards(engine, scope, icb_code)
    localities = wards[["lad_code", "lad_name"]].dropna(subset="lad_code").drop_duplicates()
    return leads_at(localities, needs.named_leads(engine, scope, icb_code), as_at)


def lead_history(engine: Engine, scope: Scope, icb_code: str) -> pd.DataFrame:
    """One row per locality, post that led or leads it and spell, the newest first, with lad_name."""
    wards = places.wards(engine, scope, icb_code)
    names = wards[["lad_code", "lad_name"]].drop_duplicates("lad_code")
    return needs.named_leads(engine, scope, icb_code).merge(names, on="lad_code", how="left")


def supervision(engine: Engine, scope: Scope, icb_code: str, as_at: date) -> pd.DataFrame:
    """One row per filled post of a link worker at the date, the longest overdue first: post_id,
    pcn_code, pcn_name, lad_code (where most of its patients live), role_title, supervised_by,
    last_supervision_on, due_on and `state`."""
    now = moves.posts_at(posts.posts(engine, scope, icb_code, as_at), as_at)
    filled = own_rows(scope, icb_code, now[now["status"] == moves.FILLED])
    pcns = pcn_workforce(engine, scope, icb_code, as_at).pcns.frame
    pcns = pcns[["pcn_code", "pcn_name", "lad_code"]]
    judged = judge_supervision(filled, as_at, timedelta(weeks=settings().supervision_weeks))
    return judged.merge(pcns, on="pcn_code", how="left").reset_index(drop=True)
