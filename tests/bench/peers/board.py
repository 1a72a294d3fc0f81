"""Coverage and This week as they are usually written in Streamlit: the same selects, metrics, map and
rows, from the same database by `pd.read_sql`, kept by `st.cache_data`.

The rows are those that this project has judged, which the benchmark wrote into the file: what is
compared is how they are shown.
"""

import json
import os
import sqlite3
from pathlib import Path

import pandas as pd
import plotly.express as px
import streamlit as st

FOLDER = Path(os.environ["BENCH_FOLDER"])
LAYERS = json.loads((FOLDER / "layers.json").read_text(encoding="utf-8"))
ALL_LOCALITIES, ALL_NETWORKS, NO_WARD = "All localities", "All networks", "Pick a ward"


@st.cache_data
def rows(sql: str) -> pd.DataFrame:
    with sqlite3.connect(FOLDER / "bench.db") as connection:
        return pd.read_sql(sql, connection)


@st.cache_data
def shapes() -> tuple[dict, list[float]]:
    found = json.loads((FOLDER / "shapes.json").read_text(encoding="utf-8"))
    return found, json.loads((FOLDER / "bounds.json").read_text(encoding="utf-8"))


def coverage() -> None:
    st.title("Which wards have no social prescribing?")
    st.caption(f"{icb} > {locality} > {network}, as at {as_at}")
    gaps = wards["status"].isin(["No provision", "No link worker", "Nothing to refer to"])
    first, second, third, fourth = st.columns(4)
    first.metric("Wards with a gap", f"{gaps.sum()} of {len(wards)}")
    second.metric("Link workers serving these wards", f"{wards['fte'].sum():.1f} FTE")
    third.metric("Link workers per 10,000", f"{wards['fte_per_10k'].mean():.2f}")
    fourth.metric("Referrals in 12 months", f"{wards['referrals_12_months'].sum():,.0f}")
    ward = st.selectbox("Ward", [NO_WARD, *wards["ward_name"]], key="ward")
    picture, beside = st.columns([7, 3])
    layer = beside.selectbox("Map shows", list(LAYERS), key="layer")
    outlines, (west, south, east, north) = shapes()
    figure = px.choropleth_map(
        wards,
        geojson=outlines,
        locations="ward_code",
        color=LAYERS[layer],
        hover_name="ward_name",
        map_style="white-bg",
        center={"lat": (south + north) / 2, "lon": (west + east) / 2},
        zoom=8,
        height=460,
    )
    picture.plotly_chart(figure, key="ward_map", on_select="rerun")
    beside.dataframe(wards[LAYERS[layer]].describe())
    if ward != NO_WARD:
        st.subheader(ward)
        st.table(wards[wards["ward_name"] == ward].T)
    st.dataframe(wards, hide_index=True, key="ward_list", on_select="rerun")


def this_week() -> None:
    st.title("What changed since we last met, and what do we decide?")
    st.caption(f"{icb} > {locality} > {network}, as at {as_at}")
    since = st.selectbox("Since", ["23 June 2026", "16 June 2026", "31 May 2026"], key="since")
    changes = rows("SELECT * FROM peer_change")
    services = rows("SELECT * FROM peer_service")
    first, second, third, fourth = st.columns(4)
    first.metric("Changes", len(changes))
    second.metric("Services that are full", int(services["is_full"].sum()))
    third.metric("Services whose funding ends soon", int((services["ends_soon"] != "").sum()))
    fourth.metric("Wards", len(wards))
    st.header(f"What changed since {since}")
    for change in changes.head(10).itertuples():
        st.markdown(f"**{change.name}**: {change.kind}")
    with st.expander("More changes"):
        st.dataframe(changes)
    st.header("Services")
    st.dataframe(services, hide_index=True)


st.set_page_config(page_title="Social prescribing coverage", layout="wide")
page = st.navigation(
    [
        st.Page(this_week, title="This week", default=True),
        st.Page(coverage, title="Coverage", url_path="coverage"),
    ]
)
with st.sidebar:
    icb = st.selectbox("Integrated care board", ["Kent (demonstration)"], key="icb")
    every_ward = rows("SELECT * FROM peer_ward")
    localities = [ALL_LOCALITIES, *sorted(every_ward["lad_name"].unique())]
    locality = st.selectbox("Locality (district)", localities, key="locality")
    names = rows("SELECT pcn_name FROM peer_network")["pcn_name"]
    network = st.selectbox("Primary care network", [ALL_NETWORKS, *names], key="pcn")
    ends = pd.date_range(end="2026-06-30", periods=36, freq="ME")[::-1].strftime("%d %B %Y")
    as_at = st.selectbox("As at", list(ends), key="as_at")
    st.selectbox("Months in trends", [12, 24, 36], index=1, key="months")
    st.selectbox("Entries not confirmed for 12 months", ["Left out", "Counted"], key="stale")
chosen = every_ward["lad_name"].isin([locality]) | (locality == ALL_LOCALITIES)
wards = every_ward[chosen]
page.run()
