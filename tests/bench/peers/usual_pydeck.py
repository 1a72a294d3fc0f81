"""The usual way to map areas with pydeck in Streamlit: a GeoJSON layer with a colour for each area."""

import pydeck
import streamlit as st
from usual_data import LAYERS, MONTHS, PLACES, read

st.set_page_config(layout="wide")
place = st.selectbox("Integrated care board", list(PLACES), key="place")
month = st.selectbox("As at", MONTHS, key="month")
layer = st.selectbox("Map shows", list(LAYERS), key="layer")
frame, shapes, (west, south, east, north) = st.cache_data(read)(place, month)
values = frame.set_index("ward_code")[LAYERS[layer]]
share = values.rank(pct=True).fillna(0) if values.dtype != object else values.rank(pct=True)
colours = {code: [int(255 * (1 - part)), 120, int(255 * part)] for code, part in share.items()}
features = [
    {**one, "properties": {**one["properties"], "colour": colours.get(one["id"], [255, 255, 255])}}
    for one in shapes["features"]
]
st.pydeck_chart(
    pydeck.Deck(
        layers=[
            pydeck.Layer(
                "GeoJsonLayer",
                {"type": "FeatureCollection", "features": features},
                get_fill_color="properties.colour",
                get_line_width=20,
            )
        ],
        initial_view_state=pydeck.ViewState(
            latitude=(south + north) / 2,
            longitude=(west + east) / 2,
            zoom=5.3 if north - south > 3 else 7.5,
        ),
        map_style=None,
        map_provider=None,
    ),
    height=460,
)
