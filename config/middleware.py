"""What holds for every request: languages, the content security policy, and errors as answers."""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Callable

from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.middleware.locale import LocaleMiddleware
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import translation

from geo import errors
from maps.assets import import_map_json
from maps.problems import problem_of

logger = logging.getLogger("mahalleh")
GetResponse = Callable[[HttpRequest], HttpResponse]


class PersianFirstLocale(LocaleMiddleware):
    """Persian unless the reader chose otherwise with the language switch.

    Most readers' browsers ask for English by factory setting, so what they ask for is not heeded; their choice, kept in a cookie, is.
    """

    def process_request(self, request: HttpRequest) -> None:
        """Activate the language of the cookie, else Persian."""
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        language = chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        translation.activate(language)
        request.LANGUAGE_CODE = language  # type: ignore[attr-defined]


class ContentSecurityPolicy:
    """No script, style, font, image or tile from anywhere but our host; the import map is allowed by its hash."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Add the policy, unless the view set its own (published maps do)."""
        response = self.get_response(request)
        if "Content-Security-Policy" not in response:
            digest = base64.b64encode(hashlib.sha256(import_map_json().encode()).digest()).decode()
            response["Content-Security-Policy"] = (
                f"default-src 'none'; script-src 'self' 'sha256-{digest}'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
                "connect-src 'self'; worker-src 'self' blob:; child-src blob:; frame-src 'self'; form-action 'self'; base-uri 'none'; "
                "frame-ancestors 'none'; manifest-src 'self'"
            )
        return response


class ErrorsAsAnswers:
    """Turn the project's own errors into problem+json (RFC 9457) or a page that says what to do."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request; errors come through `process_exception`, a method that a page does not take comes here."""
        response = self.get_response(request)
        if not isinstance(response, HttpResponseNotAllowed) or response.content:
            return response
        answer = _answer(
            request,
            MethodNotAllowed(
                f"This address does not take the method {request.method}.",
                remedy=f"Use one of: {response['Allow']}.",
                details={"method": str(request.method), "choices": response["Allow"].split(", ")},
            ),
        )
        answer["Allow"] = response["Allow"]
        return answer

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer for an error of ours, and for a database that cannot be asked; leave any other to Django."""
        if isinstance(error, errors.MahallehError):
            return _answer(request, error)
        if isinstance(error, OperationalError):
            return _database_away(request, error)
        return None


class MethodNotAllowed(errors.MahallehError):
    """The address exists, but does not take this method."""

    default_code = "method_not_allowed"
    status = 405


def _answer(request: HttpRequest, error: errors.MahallehError) -> HttpResponse:
    if error.status >= 500:
        logger.error("%s at %s", error, request.path, exc_info=error)
    problem = problem_of(error)
    if _is_for_programs(request):
        return JsonResponse(
            problem,
            status=error.status,
            content_type="application/problem+json",
            json_dumps_params={"ensure_ascii": False},
        )
    return render(request, "errors/problem.html", {"problem": problem}, status=error.status)


def _database_away(request: HttpRequest, error: OperationalError) -> HttpResponse:
    """Answer that the database is down or is being started; nothing here may ask it for anything."""
    logger.error("The database does not answer at %s", request.path, exc_info=error)
    if _is_for_programs(request):
        away = errors.MahallehError(
            "The database does not answer at this moment.",
            code="database_away",
            remedy="Nothing was changed. Try again in a moment.",
        )
        problem = {**problem_of(away), "status": 503}
        answer: HttpResponse = JsonResponse(problem, status=503, content_type="application/problem+json")
    else:
        answer = HttpResponse(render_to_string("503.html"), status=503)
    answer["Retry-After"] = "5"
    return answer


def _is_for_programs(request: HttpRequest) -> bool:
    return request.path.startswith(("/api/", "/tiles/")) or "json" in request.headers.get("Accept", "")
