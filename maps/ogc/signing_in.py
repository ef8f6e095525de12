"""Who asks: HTTP Basic over the ordinary accounts, or the session of the site.

Why Basic: it is the one way that GDAL (``USERPWD``), QGIS (“Basic authentication”) and every other client of the standard
can use as they are; the accounts, their roles and their passwords stay those of the site, and there is no second kind of
secret to issue, keep and revoke. In production the site answers over HTTPS alone, so the password is not seen on the way.

Why a write by Basic needs no CSRF token, and one by cookie does: a browser adds the cookie to a request that another site
makes it send, whereas it cannot be made to add the header ``Authorization`` by a site that does not know the password. The
one exception, a password the browser itself asked for and remembers, is met twice: bodies must be JSON, which no form can
send, and a request that the browser says comes from another site is refused.

Guessing is slowed by the cost of Django's password hasher, which every wrong password pays in full. A right one is
remembered for some minutes, as a keyed digest in memory alone, because a client asks for dozens of pages in a row.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import threading
import time
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import authenticate, get_user_model
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

from geo.errors import Forbidden
from geo.querysets import User
from maps.errors import NotSignedIn

CHALLENGE: Final = 'Basic realm="Mahalleh", charset="UTF-8"'
REMEMBERED_S: Final = 300
_MOST_REMEMBERED: Final = 256

_lock = threading.Lock()
_remembered: dict[bytes, tuple[int, str, float]] = {}
"""Digest of name and password → user, the stored hash it was right for, and until when."""


def signed_in(request: HttpRequest) -> User:
    """Return who asks; anonymous where the request carries neither a session nor a header ``Authorization``.

    Raises
    ------
    NotSignedIn
        If it carries a name and password that are not right, or another scheme.
    """
    header = request.headers.get("Authorization", "")
    if not header:
        return request.user
    name, password = _name_and_password(header)
    user = _known(name, password) or authenticate(request, username=name, password=password)
    if user is None:
        raise NotSignedIn("The name or the password is wrong.", remedy="Correct it, or ask for the public data alone.")
    _remember(name, password, user)
    request.user = user
    return user


def may_write(request: HttpRequest, user: User) -> User:
    """Return who writes.

    Raises
    ------
    NotSignedIn
        If nobody is signed in.
    Forbidden
        If the request may have been made by another site in the name of whoever is signed in.
    """
    if not user.is_authenticated:
        raise NotSignedIn("Writing needs an account.", remedy="Send a name and password by HTTP Basic, or sign in.")
    if "Authorization" in request.headers:
        if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            raise Forbidden("Another site may not write here.", code="cross_site", where="Sec-Fetch-Site")
        return user
    refused = CsrfViewMiddleware(_never).process_view(request, _never, (), {})
    if refused is not None:
        raise Forbidden(
            "The request does not carry the token of the page it was made from.",
            code="csrf",
            where="X-CSRFToken",
            remedy="Send the token of the cookie, or sign in by HTTP Basic.",
        )
    return user


def _never(request: HttpRequest) -> HttpResponse:
    raise NotImplementedError


def _name_and_password(header: str) -> tuple[str, str]:
    scheme, _, token = header.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError(scheme)
        name, colon, password = base64.b64decode(token.strip(), validate=True).decode("utf-8").partition(":")
    except (ValueError, binascii.Error) as error:
        raise NotSignedIn("The header is not HTTP Basic.", where="Authorization", remedy="Use Basic.") from error
    if not colon or "\0" in name or "\0" in password:
        raise NotSignedIn("The header holds no name and password.", where="Authorization")
    return name, password


def _digest(name: str, password: str) -> bytes:
    return hmac.digest(settings.SECRET_KEY.encode(), f"{name}\0{password}".encode(), hashlib.sha256)


def _known(name: str, password: str) -> Any:
    """Return the user of a password that was found right a short while ago and is the user's still."""
    pk, stored, until = _remembered.get(_digest(name, password), (0, "", 0.0))
    if time.monotonic() > until:
        return None
    return get_user_model().objects.filter(pk=pk, password=stored, is_active=True).first()


def _remember(name: str, password: str, user: Any) -> None:
    key, now = _digest(name, password), time.monotonic()
    with _lock:
        if _remembered.get(key, (0, "", 0.0))[:2] == (user.pk, user.password) and now <= _remembered[key][2]:
            return  # it is not remembered for longer because it is used
        _remembered.pop(key, None)
        while len(_remembered) >= _MOST_REMEMBERED:
            _remembered.pop(next(iter(_remembered)))
        _remembered[key] = (user.pk, user.password, now + REMEMBERED_S)
