"""Two ways to ask whose a token is: OAuth 2.0 token introspection (RFC 7662), and Kubernetes' TokenReview.

Both get the token from us, so both are asked over the same strict fetch as keys are. What they say is read as strictly
as a token: only `true` is true, and a token for another audience is not for us.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import msgspec

from authz.errors import Unavailable
from authz.identity.claims import ClaimRules, Said, understand
from authz.identity.credentials import InvalidCredential
from authz.identity.fetch import Post, Rules, fetch
from authz.identity.strict import read_object
from authz.model import Identity

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

FOREVER = 10.0 * 366 * 86400
"""Seconds for which a token is good whose issuer does not say; how long the finding is kept says more."""

REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"


class Introspection:
    """Asks an introspection endpoint. `secret` gives the client's secret anew for every question: files change."""

    def __init__(
        self, provider: str, rules: ClaimRules, endpoint: str, net: Rules, client: str, secret: Callable[[], str]
    ) -> None:
        self._provider = provider
        self._rules = rules
        self._endpoint = endpoint
        self._net = net
        self._client = client
        self._secret = secret

    def __call__(self, credential: str, now: float, timeout: float) -> Said | None:
        """Return what the endpoint says, `None` for an inactive token; raises `Unavailable`, `InvalidCredential`."""
        # RFC 6749, section 2.3.1: both halves are form-encoded before they are joined.
        pair = f"{quote(self._client, safe='')}:{quote(self._secret(), safe='')}".encode()
        post = Post(
            body=urlencode({"token": credential, "token_type_hint": "access_token"}).encode(),
            content_type="application/x-www-form-urlencoded",
            authorization=f"Basic {base64.b64encode(pair).decode()}",
        )
        claims = _asked(self._endpoint, self._net, timeout, post)
        if claims.get("active") is not True:
            return None
        # `iss` and `exp` are optional here (RFC 7662, section 2.2): the endpoint itself is the issuer's word.
        return understand(self._provider, self._rules, {"iss": self._rules.issuer, "exp": now + FOREVER, **claims})


class TokenReviews:
    """Asks a Kubernetes API server. `account` gives our own token anew for every question: kubelet renews it."""

    def __init__(
        self, provider: str, server: str, net: Rules, account: Callable[[], str], audiences: Collection[str] = ()
    ) -> None:
        self._provider = provider
        self._endpoint = server.rstrip("/") + REVIEWS
        self._net = net
        self._account = account
        self._audiences = tuple(audiences)

    def __call__(self, credential: str, now: float, timeout: float) -> Said | None:
        """Return what the API server says, `None` for a bad token; raises `Unavailable`, `InvalidCredential`."""
        spec = {"token": credential, **({"audiences": self._audiences} if self._audiences else {})}
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": spec}
        post = Post(
            body=msgspec.json.encode(review),
            content_type="application/json",
            authorization=f"Bearer {self._account()}",
        )
        status = _asked(self._endpoint, self._net, timeout, post).get("status")
        if not isinstance(status, dict):
            raise Unavailable("the API server's answer has no status")
        if status.get("authenticated") is not True:
            return None
        # A server that does not know audiences says none: then the token is for anybody, and not for us.
        if self._audiences and not set(self._audiences) & set(_texts(status.get("audiences"))):
            raise InvalidCredential("the token is for another audience")
        return Said(self._identity(status.get("user")), 0.0, now + FOREVER)

    def _identity(self, user: object) -> Identity:
        name = user.get("username") if isinstance(user, dict) else None
        if not isinstance(user, dict) or not isinstance(name, str) or not name:
            raise InvalidCredential("the API server names nobody")
        return Identity(
            authenticated=True, provider=self._provider, subject=name, groups=_texts(user.get("groups")), claims=user
        )


def _asked(uri: str, net: Rules, timeout: float, post: Post) -> dict[str, Any]:
    try:
        return read_object(fetch(uri, msgspec.structs.replace(net, timeout=timeout), post))
    except ValueError as error:
        raise Unavailable(f"the answer can't be read: {error}") from error


def _texts(value: object) -> tuple[str, ...]:
    return tuple(text for text in value if isinstance(text, str)) if isinstance(value, list) else ()
