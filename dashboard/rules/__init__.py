"""What counts mean: pure functions on values and frames; no Streamlit, no SQL, no Plotly."""
