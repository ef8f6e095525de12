"""Writes of layers: what a layer is called, where it comes from, who sees it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from geo.core.text import clean_name
from geo.errors import Conflict, Forbidden, InvalidInput
from geo.models import Place
from geo.querysets import User
from layers.models import Layer, Theme
from layers.permissions import may_edit_layers


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """What a layer should be."""

    city: Place
    theme: str
    code: str
    kind: str
    name_fa: str
    name_en: str
    source: str
    licence: str = ""
    visibility: str = Layer.Visibility.PUBLIC
    source_fa: str = ""
    purpose: str = Layer.Purpose.GENERAL


def layer_put(spec: LayerSpec) -> Layer:
    """Make a layer of a city, or bring the one of that code up to date.

    Raises
    ------
    InvalidInput
        Where the theme is unknown, a text is missing, or the kind differs from that of earlier releases.
    """
    theme = _theme(spec.theme, spec.code)
    layer = Layer.objects.filter(city=spec.city, code=spec.code).first() or Layer(city=spec.city, code=spec.code)
    if layer.pk and layer.kind != spec.kind and layer.releases.exists():
        raise InvalidInput(
            f"The layer holds {layer.get_kind_display()} and cannot take {spec.kind} data.",
            code="kind_changed",
            where=f"layer {spec.code}",
            remedy="Give the new data a layer code of their own.",
        )
    layer.theme, layer.kind, layer.name_fa, layer.name_en = theme, spec.kind, spec.name_fa, spec.name_en
    layer.source, layer.source_fa, layer.purpose = spec.source, spec.source_fa, spec.purpose
    layer.licence, layer.visibility = spec.licence, spec.visibility
    _save(layer)
    return layer


def _theme(code: str, layer_code: str) -> Theme:
    theme: Theme | None = Theme.objects.filter(code=code).first()
    if theme is None:
        known = ", ".join(Theme.objects.values_list("code", flat=True))
        raise InvalidInput(
            f"{code!r} is not a theme.",
            code="bad_theme",
            where=f"layer {layer_code}",
            remedy=f"Choose one of {known}.",
        )
    return theme


def _save(layer: Layer) -> None:
    try:
        layer.full_clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise InvalidInput(
            str(messages[0]), code="bad_layer", where=f"layer {layer.code}, {field}", remedy="Correct it."
        ) from error
    layer.save()


# ---- described, hidden, put away

DESCRIBED: Final = (
    "name_fa", "name_en", "description_fa", "description_en", "owner", "source", "source_fa", "licence", "renewed_months",
    "purpose", "key_field", "visibility",
)  # fmt: skip
"""What a person may say of a layer, besides its theme, the roles that see it and the titles of its fields."""

SCHEMA_MEMBERS: Final = ("name", "type", "unit", "title_fa", "title_en", "description")
_LONGEST_MEMBER: Final = 500
_MOST_FIELDS: Final = 10_000


def layer_state(layer: Layer) -> str:
    """Return what names a layer's description as it stands: equal descriptions, equal states.

    Whoever edits a description says which state they saw, so that nobody overwrites what they have not read.
    """
    said = {name: getattr(layer, name) for name in DESCRIBED}
    said |= {"theme": layer.theme.code, "roles": sorted(layer.seen_by_roles), "schema": layer.schema}
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]


def layer_describe(layer: Layer, user: User, seen: str, changes: Mapping[str, Any]) -> Layer:
    """Say what a layer is, where it comes from, who sees it, and what its fields mean.

    Parameters
    ----------
    seen : str
        `layer_state` of the description that the person saw.
    changes : mapping
        New values by name: those of `DESCRIBED`, ``theme`` (a code), ``seen_by_roles``, and ``schema``, a list of objects with
        `SCHEMA_MEMBERS`. What is left out stays.

    Raises
    ------
    Forbidden
        Where the person has no right to change layers of the city.
    Conflict
        Where somebody changed the description meanwhile (``stale_layer``), or attachments hang on the key field
        (``key_in_use``).
    InvalidInput
        Where a value cannot be used; ``where`` names it.
    """
    changing_required(layer, user)
    with transaction.atomic():
        held = Layer.objects.select_for_update(of=("self",)).select_related("theme", "city").get(pk=layer.pk)
        if layer_state(held) != seen:
            raise Conflict(
                "Somebody changed the description of this layer meanwhile.",
                code="stale_layer",
                where=layer.code,
                remedy="Look at what it says now, and save again.",
            )
        before_key = held.key_field
        for name in DESCRIBED:
            if name in changes:
                value = changes[name]
                setattr(held, name, clean_name(value) if isinstance(value, str) and name in _NAMES else value)
        if "theme" in changes:
            held.theme = _theme(str(changes["theme"]), layer.code)
        if "seen_by_roles" in changes:
            held.seen_by_roles = sorted(set(changes["seen_by_roles"]))
        if "schema" in changes:
            held.schema = _schema(changes["schema"], layer.code)
        if held.key_field != before_key and held.attachments.exists():
            raise Conflict(
                "Photos and documents hang on the values of the key field.",
                code="key_in_use",
                where="key_field",
                remedy="Leave the key field as it is.",
            )
        _save(held)
    return held


_NAMES: Final = ("name_fa", "name_en", "owner")


def layer_archive(layer: Layer, user: User) -> Layer:
    """Put a layer away: it leaves the lists, and pages and runs that name it still find it. Nothing is deleted."""
    return _archived(layer, user, timezone.now())


def layer_restore(layer: Layer, user: User) -> Layer:
    """Bring an archived layer back into the lists."""
    return _archived(layer, user, None)


def _archived(layer: Layer, user: User, at: datetime | None) -> Layer:
    changing_required(layer, user)
    with transaction.atomic():
        held: Layer = Layer.objects.select_for_update().get(pk=layer.pk)
        if (held.archived_at is None) != (at is None):  # a second time changes nothing, and keeps the first day
            held.archived_at = at
            held.save(update_fields=["archived_at"])
    return held


def changing_required(layer: Layer, user: User) -> None:
    """Refuse a person who may not change a layer.

    Raises
    ------
    Forbidden
        With what to ask for.
    """
    if not may_edit_layers(layer.city, user):
        raise Forbidden(
            f"You may not change the layers of {layer.city.name_en}.",
            code="may_not_edit_layer",
            where=layer.code,
            remedy="Ask the administrator for the role of analyst or planner there.",
            details={"city": layer.city.name},
        )


def _schema(rows: Any, code: str) -> list[dict[str, str]]:
    """Return the fields of a layer as they are kept; what a row does not say is left out."""
    found: dict[str, dict[str, str]] = {}
    for said in rows if isinstance(rows, list) else [None]:
        row: dict[str, Any] = said if isinstance(said, dict) else {}
        name = row.get("name")
        if not isinstance(name, str) or not name or name in found or len(found) >= _MOST_FIELDS:
            raise InvalidInput(
                "The list of fields cannot be used.",
                code="bad_schema",
                where=f"layer {code}, schema",
                remedy="Give each field once, with its name as the data have it.",
            )
        kept = {}
        for member in SCHEMA_MEMBERS:
            text = row.get(member) or ""
            if not isinstance(text, str) or len(text) > _LONGEST_MEMBER or "\x00" in text:
                raise InvalidInput(
                    f"What is said of the field {name[:80]!r} cannot be used.",
                    code="bad_schema",
                    where=f"layer {code}, schema, {name[:80]}, {member}",
                    remedy=f"Give a text of at most {_LONGEST_MEMBER} characters.",
                )
            if text.strip():
                kept[member] = text if member == "name" else text.strip()
        found[name] = kept
    return list(found.values())
