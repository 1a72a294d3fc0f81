"""Streamlit's own addresses that nobody here uses: there is nothing at them.

What stands open of them, and what somebody who may ask gets from it:

- `/`, `/static/...`: Streamlit's own page and its scripts, the same for every app;
- `/_stcore/health`: "ok" and a cookie against forged requests;
- `/_stcore/host-config`: which pages elsewhere may steer this one (none, by the settings);
- `/_stcore/stream`: the pages themselves;
- `/_stcore/upload_file/...`: see `dashboard/upload_limits.py`;
- `/media/...`: the icon; a file has the hash of what is in it as its name.

What is closed: `/_stcore/metrics` (memory and sessions of the process), `/_stcore/agent/...` (the
pages for programs), `/_stcore/script-health-check` (runs the script for whoever asks),
`/_stcore/bidi-components/...` and `/component/...` (files of components, of which there are
none), `/auth/...` and `/oauth2callback` (Streamlit's sign-in, not ours), and `/app/static/...`.
"""

from __future__ import annotations

import re

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_CLOSED = re.compile(
    r"/_stcore/(?!(?:health|host-config|stream)$|upload_file/)"
    r"|/component/|/auth/|/oauth2callback$|/app/static/"
)


class ClosedPaths:
    """Answers 404 at closed addresses, whatever the method; also at new ones below `/_stcore/`."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _CLOSED.match(scope["path"]):
            await PlainTextResponse("not found", 404)(scope, receive, send)
            return
        await self.app(scope, receive, send)
