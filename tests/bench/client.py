"""A Streamlit session without a browser: reruns a page and counts bytes and seconds."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect


@dataclass(frozen=True)
class Rerun:
    """What one rerun cost: until the server said it was done, and what travelled."""

    seconds: float
    bytes: int
    messages: int


class Session:
    """One connection to a running server; elements seen are remembered as a browser does."""

    def __init__(
        self, port: int, *, quick_acknowledgement: bool = True, before: Sequence[str] = ()
    ):
        """Without quick acknowledgement the session waits as a browser does; see below. `before` is
        what a browser says of a session that was cut off."""
        self.quick_acknowledgement = quick_acknowledgement
        self.socket: ClientConnection = connect(
            f"ws://127.0.0.1:{port}/_stcore/stream",
            subprotocols=["streamlit", *before],  # type: ignore[list-item]
            origin=f"http://127.0.0.1:{port}",  # type: ignore[arg-type]
            max_size=None,
            # Closed by `close`, and not by the end of a block.
            legacy=True,
        )
        # What the server has written into the address.
        self.query = ""
        self.widgets: dict[str, str] = {}
        self._fragments: dict[str, str] = {}
        self._cached: list[str] = []

    def close(self) -> None:
        self.socket.close()

    def rerun(self, page: str = "", query: str = "", **choices: str) -> Rerun:
        """Run the page with these select boxes chosen (by key); wait until it is done."""
        message = BackMsg()
        message.rerun_script.query_string = query
        message.rerun_script.page_name = page
        message.rerun_script.cached_message_hashes.extend(self._cached)
        for key, label in choices.items():
            state = message.rerun_script.widget_states.widgets.add()
            state.id = self.widgets[key]
            state.string_value = label
            # As the browser does: a box in a part that runs by itself runs that part alone.
            message.rerun_script.fragment_id = self._fragments[key]
        started = time.perf_counter()
        self.socket.send(message.SerializeToString())
        size = count = 0
        while True:
            self._acknowledge_at_once()
            raw = self.socket.recv(timeout=60)
            assert isinstance(raw, bytes)
            size += len(raw)
            count += 1
            answer = ForwardMsg.FromString(raw)
            self._remember(answer)
            if answer.WhichOneof("type") == "script_finished":
                return Rerun(time.perf_counter() - started, size, count)

    def _acknowledge_at_once(self) -> None:
        # The server leaves small packets to Nagle's algorithm, and Linux acknowledges up to
        # 40 ms late: without this, each rerun measures that wait and not the server.
        if self.quick_acknowledgement and hasattr(socket, "TCP_QUICKACK"):
            self.socket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _remember(self, message: ForwardMsg) -> None:
        if message.metadata.cacheable and message.hash not in self._cached:
            self._cached.append(message.hash)
        if message.WhichOneof("type") == "page_info_changed":
            self.query = message.page_info_changed.query_string
        if message.WhichOneof("type") == "delta" and message.delta.new_element.HasField(
            "selectbox"
        ):
            widget = message.delta.new_element.selectbox.id
            key = widget.rsplit("-", 1)[-1]
            self.widgets[key] = widget
            self._fragments[key] = message.delta.fragment_id
