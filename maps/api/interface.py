"""The interface itself: who may use it, and how every error is told as a problem (RFC 9457)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import ValidationError
from ninja.security import APIKeyCookie
from ninja.utils import check_csrf

from geo.errors import Forbidden, MahallehError
from maps.api.answers import problem
from maps.api.bodies import FORM_BYTES, MOST_BYTES, invalid, size_required
from maps.errors import NotSignedIn


def _body_required(request: HttpRequest) -> None:
    size_required(request, MOST_BYTES + FORM_BYTES)


class SignedIn(APIKeyCookie):
    """The session of the site, with the token of a page where something is written.

    Parameters
    ----------
    size_check : callable
        Refuses a request whose body is too large, before anything of it is read; for what takes more or less than most do.
    """

    param_name = settings.SESSION_COOKIE_NAME

    def __init__(self, size_check: Callable[[HttpRequest], None] = _body_required) -> None:
        super().__init__(csrf=False)
        self._size_check = size_check

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        """Return who asks, before anything of the body is read.

        Raises
        ------
        NotSignedIn, Forbidden, LimitExceeded
            Where nobody is signed in, the token is missing, or the body is too large.
        """
        if not request.user.is_authenticated:
            raise NotSignedIn("Drawing needs an account.", remedy="Sign in at /accounts/login/.")
        self._size_check(request)
        if check_csrf(request) is not None:
            raise Forbidden(
                "The request does not carry the token of the page it was made from.",
                code="csrf",
                where="X-CSRFToken",
                remedy="Load the page again.",
            )
        return request.user


api = NinjaAPI(
    title="Mahalleh",
    version="1",
    description="Boundaries of neighbourhoods and informal settlements, data about them, measures of who is served, and what changes would do.",
    docs_url=None,
    urls_namespace="api-v1",
    auth=SignedIn(),
)


@api.exception_handler(MahallehError)
def _problem(request: HttpRequest, error: MahallehError) -> HttpResponse:
    return problem(error)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return problem(invalid("request", error.errors))


@api.exception_handler(Exception)
def _unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    raise error
