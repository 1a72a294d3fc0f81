"""The usual way to map areas with Folium in Streamlit: coloured shapes in a component of its own."""

import folium
import streamlit as st
from branca.colormap import linear
from streamlit_folium import st_folium
from usual_data import LAYERS, MONTHS, PLACES, read

st.set_page_config(layout="wide")
place = st.selectbox("Integrated care board", list(PLACES), key="place")
month = st.selectbox("As at", MONTHS, key="month")
layer = st.selectbox("Map shows", list(LAYERS), key="layer")
frame, shapes, (west, south, east, north) = st.cache_data(read)(place, month)
chart = folium.Map(tiles=None, prefer_canvas=True)
values = frame.set_index("ward_code")[LAYERS[layer]]
if values.dtype == object or str(values.dtype) in ("str", "string"):
    values = values.astype("category").cat.codes
# Not folium.Choropleth, whose legend fetches a script from another host: it is the same layer.
colours = linear.YlGnBu_09.scale(values.min(), values.max())
fills = {code: colours(value) for code, value in values.dropna().items()}
folium.GeoJson(
    shapes,
    style_function=lambda feature: {
        "fillColor": fills.get(feature["id"], "#808080"),
        "fillOpacity": 1,
        "weight": 0.5,
        "color": "black",
    },
).add_to(chart)
chart.fit_bounds([[south, west], [north, east]])
st_folium(chart, key="ward_map", height=460, use_container_width=True, returned_objects=[])
