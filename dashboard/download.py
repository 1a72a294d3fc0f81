"""Goes out to listed hosts and nowhere else: one answer at a time, within limits, with patience.

Together with `dashboard.fetch` the only code that calls another host, and only when asked to. By
the standard library: it trusts the certificates the machine trusts, those of an inspecting proxy
of an NHS network included, and uses the machine's proxy settings.
"""

from __future__ import annotations

import http.client
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import quote, urlsplit

from dashboard.intake.source import MOST_BYTES

USER_AGENT = "social-prescribing-dashboard (a person asked for this file)"
_PIECE = 256 * 1024
# A fault of the moment, worth another try; any other status stays as it is.
_PASSING = {408, 425, 429, 500, 502, 503, 504}

T = TypeVar("T")


class FetchError(Exception):
    """Why an address gave nothing: `status` if it answered, `again` if another try may help."""

    def __init__(self, address: str, why: str, *, status: int = 0, again: bool = False):
        super().__init__(f"{address}: {why}")
        self.address, self.why, self.status, self.again = address, why, status, again


@dataclass(frozen=True)
class Limits:
    """How much is taken from a server and how long it is waited for; times in seconds."""

    most_bytes: int = MOST_BYTES
    timeout: float = 30  # to connect, and from one piece of an answer to the next
    whole: float = 1800  # for one whole answer
    tries: int = 3
    wait: float = 2  # before the second try; doubled before each further one


def printable(text: object, most: int = 100) -> str:
    """What a server said, fit for a line on the screen."""
    return re.sub(r"[^\x20-\x7e]+", " ", str(text))[:most].strip()


@dataclass(frozen=True)
class Web:
    """Asks the hosts of the given origins (scheme, host and, if unusual, port), and no other.

    Every method raises `FetchError`, and nothing else for what a network or a server does.
    """

    origins: frozenset[str]
    limits: Limits = Limits()
    sleep: Callable[[float], None] = time.sleep
    _opener: urllib.request.OpenerDirector = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        opener = urllib.request.build_opener(_ListedRedirects(self.allowed))
        object.__setattr__(self, "_opener", opener)

    def allowed(self, address: str) -> str:
        """The address, encoded; `FetchError` when its origin is not listed."""
        encoded = quote(address, safe=":/?#[]@!$&'()*+,;=%-._~")
        try:
            parts = urlsplit(encoded)
        except ValueError:
            raise FetchError(printable(address), "not an address") from None
        # The whole of what stands between // and /: a user name or a port makes another origin.
        if f"{parts.scheme}://{parts.netloc}".lower() not in self.origins:
            host = printable(parts.netloc or address)
            raise FetchError(printable(encoded, 300), f"{host!r} is not a listed host by https")
        return encoded

    def patiently(self, once: Callable[[], T]) -> T:
        """Do it, and again after growing waits while it fails with a fault of the moment."""
        for number in range(self.limits.tries - 1):
            try:
                return once()
            except FetchError as error:
                if not error.again:
                    raise
            self.sleep(self.limits.wait * 2**number)
        return once()

    def body(self, address: str) -> bytes:
        """The whole answer, in memory."""

        def once() -> bytes:
            with self.ask(address) as answer:
                return b"".join(self.pieces(address, answer))

        return self.patiently(once)

    def ask(
        self, address: str, headers: Mapping[str, str] | None = None
    ) -> http.client.HTTPResponse:
        """The beginning of an answer with a status of success; to be closed by the caller."""
        request = urllib.request.Request(  # noqa: S310 - `allowed` lets listed origins pass only
            self.allowed(address), headers={"User-Agent": USER_AGENT, **(headers or {})}
        )
        try:
            answer: http.client.HTTPResponse = self._opener.open(
                request, timeout=self.limits.timeout
            )
        except urllib.error.HTTPError as error:
            error.close()
            why = f"the server answered {error.code} {printable(error.reason)}".strip()
            again = error.code in _PASSING
            raise FetchError(address, why, status=error.code, again=again) from None
        except (OSError, http.client.HTTPException) as error:
            raise _network_fault(address, error) from error
        return answer

    def pieces(
        self, address: str, answer: http.client.HTTPResponse, had: int = 0
    ) -> Iterator[bytes]:
        """The bytes of the answer as they come, all that were announced; `had` came before."""
        until = time.monotonic() + self.limits.whole
        announced = answer.headers.get("Content-Length", "")
        came = 0
        if announced.isdigit() and had + int(announced) > self.limits.most_bytes:
            raise self._too_large(address)
        while True:
            try:
                # One read of the socket: a server that drips must not hold the clock.
                piece = answer.read1(_PIECE)
            except (OSError, http.client.HTTPException) as error:
                raise _network_fault(address, error) from error
            if not piece:
                break
            came += len(piece)
            if had + came > self.limits.most_bytes:
                raise self._too_large(address)
            if time.monotonic() > until:
                why = f"the answer was not complete after {self.limits.whole:g} seconds"
                raise FetchError(address, why, again=True)
            yield piece
        # The standard library says nothing when a body is shorter than announced.
        if announced.isdigit() and came != int(announced):
            why = f"the answer broke off after {had + came:,} of {had + int(announced):,} bytes"
            raise FetchError(address, why, again=True)

    def _too_large(self, address: str) -> FetchError:
        return FetchError(address, f"the answer has more than {self.limits.most_bytes:,} bytes")


def _network_fault(address: str, error: Exception) -> FetchError:
    cause = getattr(error, "reason", error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return FetchError(address, f"its certificate is not trusted: {cause.verify_message}")
    if isinstance(cause, TimeoutError):
        return FetchError(address, "no answer in time", again=True)
    if isinstance(cause, http.client.IncompleteRead):
        return FetchError(address, "the answer broke off", again=True)
    words = printable(getattr(cause, "strerror", None) or cause or type(cause).__name__)
    # A proxy that says no will say it again.
    again = not words.startswith("Tunnel connection failed: 4")
    return FetchError(address, f"no connection: {words}", again=again)


class _ListedRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect to a listed origin, and refuses any other."""

    def __init__(self, allowed: Callable[[str], str]):
        self._allowed = allowed

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        try:
            address = self._allowed(newurl)
        except FetchError as error:
            fp.close()
            raise FetchError(req.full_url, f"it redirects, but {error.why}") from None
        return super().redirect_request(req, fp, code, msg, headers, address)
