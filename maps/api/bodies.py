"""Bodies of requests: bounded, finite, storable, and every fault with its place."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any, Final, TypeVar

from django.http import HttpRequest
from pydantic import BaseModel, ValidationError

from geo.core.geojson import no_constant
from geo.errors import InvalidInput, LimitExceeded
from maps.errors import UnsupportedMedia

MOST_BYTES: Final = 5_000_000
"""What a body may weigh."""

FORM_BYTES: Final = 20_000
"""What the frame of an uploaded file may weigh besides."""

_UNSTORABLE: Final = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
"""Escapes that may stand for what no text in the database has: a null, or half of a character."""

M = TypeVar("M", bound=BaseModel)


def size_required(request: HttpRequest, most: int = MOST_BYTES) -> None:
    """Refuse a request whose body is too large, before anything of it is read.

    Raises
    ------
    LimitExceeded
        Where it is.
    """
    said = request.META.get("CONTENT_LENGTH") or "0"
    if not said.isdecimal() or int(said) > most:
        raise LimitExceeded(
            f"The body is larger than {MOST_BYTES // 1_000_000} MB.",
            code="body_too_large",
            where="body",
            remedy="Simplify the geometries, or send fewer of them.",
        )


def body_of(request: HttpRequest, model: type[M]) -> M:
    """Read the body of a request.

    Raises
    ------
    UnsupportedMedia
        Where it is not said to be JSON.
    LimitExceeded
        Where it is too large.
    InvalidInput
        Where it is not JSON, or not what is asked for; ``where`` names the member.
    """
    if request.META.get("CONTENT_LENGTH") not in (None, "", "0") and request.content_type != "application/json":
        raise UnsupportedMedia(
            "The body is not said to be JSON.",
            where="Content-Type",
            remedy="Send application/json.",
        )
    size_required(request)
    content = request.read(MOST_BYTES + 1)
    try:
        found = json.loads(content or b"{}", parse_constant=no_constant, parse_float=finite)
        if _UNSTORABLE.search(content):
            _storable(found)
    except RecursionError as error:
        raise InvalidInput(
            "The body is nested too deeply.", code="bad_json", where="body", remedy="Mend it."
        ) from error
    except ValueError as error:
        line = f"body, line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else "body"
        reason = "" if isinstance(error, json.JSONDecodeError | UnicodeError) else f": {error}"
        raise InvalidInput(f"The body is not JSON{reason}.", code="bad_json", where=line, remedy="Mend it.") from error
    return checked(model, found, "body")


def checked(model: type[M], tree: Any, root: str) -> M:
    """Return what was sent as a model.

    Raises
    ------
    InvalidInput
        With the member that does not fit, called by its path from ``root``.
    """
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        raise invalid(root, error.errors(include_url=False, include_input=False)) from error


def invalid(root: str, faults: Sequence[Any]) -> InvalidInput:
    """Return the error for what does not fit: the first fault, and how many more there are."""
    path = root
    for step in faults[0]["loc"]:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    more = f" ({len(faults) - 1} more faults.)" if len(faults) > 1 else ""
    return InvalidInput(
        f"{str(faults[0]['msg'])[:200]}.{more}", code="bad_body", where=path[:200], remedy="Correct this member."
    )


def takes(model: type[BaseModel], media: str = "application/json") -> dict[str, Any]:
    """Return what the description of an operation says about its body, with all that it refers to put in."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})

    def whole(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return whole(definitions[node["$ref"].rsplit("/", 1)[-1]])
            return {name: whole(value) for name, value in node.items()}
        return [whole(value) for value in node] if isinstance(node, list) else node

    described = whole(schema)
    if media == "multipart/form-data":
        described["properties"]["file"] = {"type": "string", "format": "binary"}
        described["required"] = ["file"]
    return {"requestBody": {"required": True, "content": {media: {"schema": described}}}}


def finite(text: str) -> float:
    """Return a number of JSON (``parse_float``), which has none that is infinite.

    Raises
    ------
    ValueError
        Where it is too large for a float.
    """
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is no finite number")
    return value


def is_text(text: str) -> bool:
    r"""Tell whether PostgreSQL can have a text: not with a null, nor with half a character.

    Examples
    --------
    >>> is_text("پارک"), is_text("\x00"), is_text("\ud83d")
    (True, False, False)
    """
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _storable(tree: Any) -> None:
    """Refuse texts that PostgreSQL cannot have."""
    if isinstance(tree, str):
        if not is_text(tree):
            raise ValueError("a text has a character that no text has")
    elif isinstance(tree, dict):
        for name, value in tree.items():
            _storable(name)
            _storable(value)
    elif isinstance(tree, list):
        for value in tree:
            _storable(value)
