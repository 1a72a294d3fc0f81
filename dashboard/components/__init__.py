"""Scripts and styles of what Streamlit does not have, fetched by address and kept by the browser.

Streamlit sends a component's script and style again with each new value of its data. Here a message
holds their addresses, which name what is in the files.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent
MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css"}


def script(name: str) -> str:
    """A module that stands for the one in `{name}.js`."""
    # Two lines: Streamlit takes a single one for the name of a file.
    return (
        f'const found = await import(new URL("{_address(f"{name}.js")}", location));\n'
        "export default found.default;"
    )


def style(name: str) -> str:
    """The HTML element that fetches `{name}.css`."""
    return f'<link rel="stylesheet" href="{_address(f"{name}.css")}">'


@lru_cache
def gzipped(file_name: str) -> tuple[bytes, str] | None:
    """A script or style, compressed, and its mark; None for a name that is none of them."""
    path = FOLDER / file_name
    if file_name not in {each.name for each in FOLDER.iterdir()} or path.suffix not in MEDIA_TYPES:
        return None
    body = path.read_bytes()
    return gzip.compress(body, mtime=0), hashlib.sha256(body).hexdigest()[:16]


def _address(file_name: str) -> str:
    found = gzipped(file_name)
    if found is None:
        raise FileNotFoundError(FOLDER / file_name)
    return f"/code/{file_name}?v={found[1]}"
