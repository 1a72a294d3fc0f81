"""The usual way to map areas in Streamlit: `px.choropleth_map` with the shapes in the figure.

Reads the frame and shapes that the benchmark wrote, once; without tiles, so that nothing is
fetched from another host.
"""

import plotly.express as px
import streamlit as st
from usual_data import LAYERS, MONTHS, PLACES, read

st.set_page_config(layout="wide")
place = st.selectbox("Integrated care board", list(PLACES), key="place")
month = st.selectbox("As at", MONTHS, key="month")
layer = st.selectbox("Map shows", list(LAYERS), key="layer")
frame, shapes, (west, south, east, north) = st.cache_data(read)(place, month)
figure = px.choropleth_map(
    frame,
    geojson=shapes,
    locations="ward_code",
    color=LAYERS[layer],
    hover_name="ward_name",
    map_style="white-bg",
    center={"lat": (south + north) / 2, "lon": (west + east) / 2},
    zoom=8,
    height=460,
)
figure.update_layout(meta=layer)
st.plotly_chart(figure, key="ward_map")
