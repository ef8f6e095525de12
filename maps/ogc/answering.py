"""Answers: JSON or a page as the reader prefers, links, entity tags, and errors as RFC 9457 problems."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views.decorators.csrf import csrf_exempt

from geo.errors import Conflict, InvalidInput, MahallehError
from maps.errors import NotSignedIn
from maps.ogc.bodies import GEOJSON
from maps.ogc.signing_in import CHALLENGE, signed_in
from maps.problems import problem_of

JSON: Final = "application/json"
SCHEMA: Final = "application/schema+json"
OPENAPI: Final = "application/vnd.oai.openapi+json;version=3.0"
HTML: Final = "text/html"
PROBLEM: Final = "application/problem+json"
_LEAST_PACKED: Final = 200
"""From this many bytes on Django's middleware would compress, if it were not done here."""

_LONGEST_REASON: Final = 400

View = Callable[..., HttpResponse]


def answering(*methods: str) -> Callable[[View], View]:
    """Wrap a view: signs the reader in, allows these methods, and turns our errors into problems.

    Writes are exempt from Django's own CSRF check because `maps.ogc.signing_in.may_write` makes it where it is due.
    """

    def wrap(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def answer(request: HttpRequest, **arguments: str) -> HttpResponse:
            try:
                if request.method not in (*methods, "HEAD" if "GET" in methods else "GET"):
                    return not_allowed(request, methods)
                signed_in(request)
                response = view(request, **arguments)
            except MahallehError as error:
                response = problem(request, error)
            patch_vary_headers(response, ("Accept", "Accept-Encoding", "Authorization", "Cookie"))
            response.setdefault("Cache-Control", "private, no-cache" if request.user.is_authenticated else "no-cache")
            return response

        return answer

    return wrap


def not_allowed(request: HttpRequest, methods: tuple[str, ...]) -> HttpResponse:
    """Answer that the resource has no such method (`/req/core/http`)."""
    error = MahallehError(
        f"This address does not take the method {request.method}.",
        code="method_not_allowed",
        remedy=f"Use one of: {', '.join(methods)}.",
        details={"method": str(request.method), "choices": methods},
    )
    body = json.dumps(problem_of(error, 405), ensure_ascii=False)
    response = HttpResponse(body, status=405, content_type=PROBLEM)
    response["Allow"] = ", ".join(methods)
    return response


def problem(request: HttpRequest, error: MahallehError) -> HttpResponse:
    """Answer with an error: what, where, and what to do."""
    told = problem_of(error)
    if isinstance(error, Conflict) and getattr(error, "conflicts", None):
        told["conflicts"] = error.conflicts  # type: ignore[attr-defined]
    if request.method in ("GET", "HEAD") and _prefers_html(request):
        response: HttpResponse = render(request, "errors/problem.html", {"problem": told}, status=error.status)
    else:
        text = json.dumps(told, ensure_ascii=False, default=str)
        response = HttpResponse(text, status=error.status, content_type=PROBLEM)
        response.reason_phrase = _reason(response.reason_phrase, error)
    if isinstance(error, NotSignedIn):
        response["WWW-Authenticate"] = CHALLENGE
    return response


def _reason(phrase: str, error: MahallehError) -> str:
    """Return the reason phrase of an answer with what is wrong in it: all that QGIS shows of a refused write."""
    told = re.sub(r"[^ -~]", "", f"{phrase}: {error.message} {error.remedy}")
    return told[:_LONGEST_REASON].rstrip()


def _prefers_html(request: HttpRequest) -> bool:
    asked = request.GET.get("f", "")
    if asked:
        return asked == "html"
    preferred = request.get_preferred_type([JSON, GEOJSON, SCHEMA, HTML])
    return preferred == HTML


def wants_html(request: HttpRequest) -> bool:
    """Tell whether the reader is to get a page: by ``f=html``, else by the header ``Accept``, else not.

    Raises
    ------
    InvalidInput
        If ``f`` asks for something else.
    """
    asked = request.GET.get("f", "")
    if asked not in ("", "json", "html"):
        raise InvalidInput(
            "There is no such format.", code="unknown_format", where="parameter f", remedy="Give json or html."
        )
    return _prefers_html(request)


def document(request: HttpRequest, content: dict[str, Any], content_type: str = JSON) -> HttpResponse:
    """Answer with JSON whose entity tag names its bytes."""
    return tagged(request, content, content_type, "")


def tagged(
    request: HttpRequest,
    content: dict[str, Any],
    content_type: str,
    state: str,
    status: int = 200,
    more: dict[str, Any] | None = None,
) -> HttpResponse:
    """Answer with JSON under a strong entity tag (`/req/optimistic-locking-etags/etag-get-response`).

    The tag is ``state.variant``, with ``.gz`` where the answer is compressed. It is compressed here and not by Django's
    middleware, which would have to weaken the tag, as one tag then named two sequences of bytes.

    Parameters
    ----------
    state : str
        Names the state of the resource, whatever its variant; empty: the digest of the bytes.
    more : dict, optional
        What the answer to a write says beside the resource; the tag is that of the resource as it would be read.
    """
    variant = hashlib.sha256(_dumped(content)).hexdigest()
    tag = f"{state}.{variant[:16]}" if state else variant[:32]
    text = _dumped(content | (more or {}))
    is_packed = len(text) >= _LEAST_PACKED and "gzip" in request.headers.get("Accept-Encoding", "")
    etag = f'"{tag}.gz"' if is_packed else f'"{tag}"'
    known = get_conditional_response(request, etag=etag) if request.method in ("GET", "HEAD") else None
    if known is not None:
        return known
    response = HttpResponse(gzip.compress(text, 6, mtime=0) if is_packed else text, status=status)
    response["Content-Type"] = content_type
    if is_packed:
        response["Content-Encoding"] = "gzip"
    response["ETag"] = etag
    return response


def _dumped(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """Answer with a page (`/req/html/definition`)."""
    return render(request, f"maps/ogc/{template}.html", context)


def url(request: HttpRequest, path: str = "") -> str:
    """Return the full address of a path below the landing page."""
    return request.build_absolute_uri(f"/ogc/{path}")


def link(href: str, rel: str, content_type: str, title: str = "", **more: Any) -> dict[str, Any]:
    """Return a link as the standard writes it (`/req/core/fc-rel-type`)."""
    return {"href": href, "rel": rel, "type": content_type, **({"title": title} if title else {}), **more}
