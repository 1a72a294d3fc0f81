"""A line to a server that can be slow, fall silent, break, or lose what the server says."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_BLOCK = 65_536


@dataclass
class Line:
    """What listens on `port` of this machine and hands on what comes to `connect`'s server.

    `delay` are seconds for each block, one way. While it `is_silent` everything is taken and nothing
    is handed on, for good: a connection that was there then stays dumb. `breaks_after` are bytes from
    the client after which the next words of the server are lost, and the connection with them.
    """

    connect: Callable[[], socket.socket]
    port: int = 0
    delay: float = 0.0
    is_silent: bool = False
    breaks_after: bytes = b""
    taken: int = 0
    _open: set[socket.socket] = field(default_factory=set)
    _listener: socket.socket | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def listen(self) -> None:
        """Take connections, on the same port as before."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(256)
        self.port, self._listener = listener.getsockname()[1], listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self) -> int:
        """Break every connection that is open; how many there were."""
        with self._lock:
            cut = list(self._open)
            self._open.clear()
        for each in cut:
            _close(each)
        return len(cut) // 2

    def hang_up(self) -> None:
        """Break every connection, and take none until `listen`."""
        if self._listener is not None:
            _close(self._listener)
            self._listener = None
        self.cut()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.taken += 1
            threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        if self.is_silent:
            with self._lock:
                self._open.add(client)
            _drain(client)
            return
        try:
            server = self.connect()
        except OSError:
            _close(client)
            return
        with self._lock:
            self._open |= {client, server}
        dumb = threading.Event()
        pair = (client, server)
        threading.Thread(target=self._hand_on, args=(*pair, dumb, True), daemon=True).start()
        self._hand_on(*reversed(pair), dumb, False)

    def _hand_on(
        self, source: socket.socket, target: socket.socket, dumb: threading.Event, is_asked: bool
    ) -> None:
        """`dumb` is of both ways of one connection: from then on nothing is handed on."""
        with suppress(OSError):
            while block := source.recv(_BLOCK):
                if self.is_silent:
                    dumb.set()
                if dumb.is_set():
                    continue
                time.sleep(self.delay)
                if is_asked and self.breaks_after and self.breaks_after in block:
                    dumb.set()
                    target.sendall(block)
                    # It arrives; what comes back does not.
                    time.sleep(0.2)
                    break
                target.sendall(block)
        with self._lock:
            self._open -= {source, target}
        _close(source)
        _close(target)


def _close(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()


def _drain(each: socket.socket) -> None:
    with suppress(OSError):
        while each.recv(_BLOCK):
            pass


@contextmanager
def line_to(connect: Callable[[], socket.socket]) -> Iterator[Line]:
    """A line that is there until the block ends."""
    line = Line(connect)
    line.listen()
    try:
        yield line
    finally:
        line.hang_up()


def to_port(port: int) -> Callable[[], socket.socket]:
    """What connects to a port of this machine."""
    return lambda: socket.create_connection(("127.0.0.1", port), timeout=None)
