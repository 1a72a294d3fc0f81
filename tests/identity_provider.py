"""A sign-in service for tests: a real one over HTTP, which can be told to answer wrongly."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import werkzeug.serving
from joserfc import jwt
from joserfc.jwk import RSAKey

with warnings.catch_warnings():
    # The service uses parts of its library that are on their way out.
    warnings.simplefilter("ignore")
    import flask
    import oidc_provider_mock

Claims = dict[str, Any]
PEOPLE = {
    "lead": {"name": "Pat Lead", "groups": ["icb-leads", "choir"]},
    "admin": {"name": "Ada Min"},
    "network": {"name": "Nia Network"},
    "stranger": {"name": "Sam Stranger"},
}


@dataclass
class Provider:
    """Where it answers; `spoil` changes the claims of the next tokens, `other_key` signs them with a
    key of somebody else."""

    url: str
    spoil: Callable[[Claims], Claims] | None = None
    other_key: bool = False

    @property
    def metadata_url(self) -> str:
        return f"{self.url}/.well-known/openid-configuration"

    def say_who(self, address: str, subject: str) -> str:
        """What somebody does at the service: the path and query to which it sends them back."""
        answer = httpx.post(address, data={"sub": subject, "action": "authorize"})
        back = urlsplit(answer.headers["location"])
        return f"{back.path}?{back.query}"


@contextmanager
def provider(port: int = 0) -> Iterator[Provider]:
    """A service on a free port of this machine, until the block ends."""
    users = [oidc_provider_mock.User(sub=sub, claims=claims) for sub, claims in PEOPLE.items()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        app = oidc_provider_mock.app(user_claims=users)
    found = Provider("")

    @app.after_request
    def spoil(response: flask.Response) -> flask.Response:
        if flask.request.path != "/oauth2/token" or response.status_code != 200:
            return response
        said = response.get_json()
        storage = flask.g.oidc_provider_mock_storage
        key = RSAKey.import_key(storage.jwk.as_dict(is_private=True))
        token = jwt.decode(said["id_token"], key, algorithms=["RS256"])
        claims = found.spoil(dict(token.claims)) if found.spoil else dict(token.claims)
        if found.other_key:
            key = RSAKey.generate_key(2048, {"kid": key.kid})
        header = {"alg": "RS256", "kid": key.kid}
        response.set_data(flask.json.dumps({**said, "id_token": jwt.encode(header, claims, key)}))
        return response

    server = werkzeug.serving.make_server("localhost", port, app, threaded=True)
    found.url = f"http://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
