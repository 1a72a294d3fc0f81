"""Somebody with a page open, without a browser: what they click, and what the page tells them."""

from __future__ import annotations

import time
from dataclasses import dataclass

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.bench.client import Session

_LOUD = (Alert.ERROR, Alert.WARNING)


@dataclass(frozen=True)
class Shown:
    """What came of one run: seconds, how many elements, and what the page said of a fault."""

    seconds: float
    elements: int
    faults: tuple[str, ...]


class Person(Session):
    """One session; each run notes what is shown."""

    def __init__(self, port: int, session_id: str = ""):
        """With the id of a session that was cut it is taken up again, as a browser does."""
        super().__init__(port, before=["-", session_id] if session_id else [])
        self.session_id = ""
        self._faults: list[str] = []
        self._elements = 0

    def looks(self, page: str = "", query: str = "") -> Shown:
        """Open a page, or ask for it again."""
        self._faults, self._elements = [], 0
        began = time.monotonic()
        self.rerun(page, query)
        return Shown(time.monotonic() - began, self._elements, tuple(self._faults))

    def _remember(self, message: ForwardMsg) -> None:
        super()._remember(message)
        if message.WhichOneof("type") == "new_session":
            self.session_id = message.new_session.initialize.session_id
        if message.WhichOneof("type") != "delta" or not message.delta.HasField("new_element"):
            return
        self._elements += 1
        element = message.delta.new_element
        if element.HasField("alert") and element.alert.format in _LOUD:
            self._faults.append(element.alert.body)
        if element.HasField("exception"):
            self._faults.append(f"exception: {element.exception.type}")


def look(port: int, page: str = "", query: str = "") -> Shown:
    """What somebody is shown who opens a page now."""
    person = Person(port)
    try:
        return person.looks(page, query)
    finally:
        person.close()
