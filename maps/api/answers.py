"""Answers in JSON: entity tags, preconditions, and errors as RFC 9457 problems."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response

from geo.errors import InvalidInput, MahallehError
from geo.services import StaleEdit
from maps.errors import PreconditionRequired
from maps.problems import problem_of

PROBLEM = "application/problem+json"


def answer(content: Any, *, status: int = 200, version: int | None = None) -> HttpResponse:
    """Answer with JSON; the version of what is answered with is its entity tag."""
    response = HttpResponse(_text(content), status=status, content_type="application/json")
    response["Cache-Control"] = "private, no-cache"
    if version is not None:
        response["ETag"] = f'"{version}"'
    return response


def tagged(request: HttpRequest, text: bytes) -> HttpResponse:
    """Answer with JSON under the digest of what it says, or that the client has it already."""
    etag = f'"{hashlib.sha256(text).hexdigest()[:32]}"'
    known = get_conditional_response(request, etag=etag)
    response = known if known is not None else HttpResponse(text, content_type="application/json")
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    response["Vary"] = "Cookie"
    return response


def nothing() -> HttpResponse:
    """Answer that there is nothing to say."""
    response = HttpResponse(status=204)
    response["Cache-Control"] = "private, no-cache"
    return response


def problem(
    error: MahallehError, *, version: int | None = None, findings: list[dict[str, Any]] | None = None
) -> HttpResponse:
    """Answer with what is wrong, where, and what to do; a stale write with mine, theirs and their ancestor.

    Parameters
    ----------
    version : int, optional
        The version of the change set as it stands, on which to base the next try.
    findings : list of dict, optional
        What stands in the way, as far as the reader may know of it.
    """
    status = 412 if error.code == "stale_version" else error.status
    told = problem_of(error, status)
    if version is not None:
        told["version"] = version
    if isinstance(error, StaleEdit):
        told["conflicts"] = error.conflicts
    if findings is not None:
        told["findings"] = findings
    response = HttpResponse(_text(told), status=status, content_type=PROBLEM)
    response["Cache-Control"] = "no-store"
    return response


def version_of(request: HttpRequest, current: int) -> int:
    """Return the version of a change set that a write is based on, from the header ``If-Match``.

    The mark of a weak tag is passed over: a compressed answer has one, and the version names the state all the same.

    Raises
    ------
    PreconditionRequired
        Where the header is missing.
    InvalidInput
        Where it is no version.
    """
    said = request.headers.get("If-Match", "").strip()
    if not said:
        raise PreconditionRequired(
            "The write does not say on which version of the change set it is based.",
            where="If-Match",
            remedy='Send the version that was read, such as If-Match: "3".',
        )
    if said == "*":
        return current
    found = re.fullmatch(r'(?:W/)?"(\d{1,9})"', said)
    if found is None:
        raise InvalidInput("This is no version.", code="bad_version", where="If-Match", remedy='Send one such as "3".')
    return int(found[1])


def _text(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
