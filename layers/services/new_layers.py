"""Layers that uploads make: what is said of them while the file is looked at, and what they need before it is stored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from geo.core.text import clean_name
from geo.errors import Conflict, InvalidInput
from geo.models import Place
from layers.models import Layer, Theme, Upload
from layers.services.layers import LayerSpec

DESCRIBED: Final = ("key_field", "owner", "description_fa", "description_en")
"""What is said of a layer besides what `LayerSpec` holds."""
_KEYS: Final = {
    "code": 60, "theme": 60, "name_fa": 200, "name_en": 200, "source": 300, "source_fa": 300, "licence": 200,
    "purpose": 12, "visibility": 10, "key_field": 80, "owner": 200, "description_fa": 2000, "description_en": 2000,
}  # fmt: skip


def new_layer_checked(city: Place, wanted: Mapping[str, Any]) -> dict[str, str]:
    """Return what a new layer should be, as far as it is said yet, cleaned.

    Raises
    ------
    InvalidInput
        Where a member is unknown, too long, or none of its choices; ``where`` names it.
    Conflict
        Where the city has a layer of this code.
    """
    said: dict[str, str] = {}
    for name, value in wanted.items():
        where = f"new_layer.{name}"
        if name not in _KEYS:
            raise InvalidInput(
                f"A layer has no {str(name)[:40]!r}.",
                code="bad_layer",
                where=where[:200],
                remedy=f"It has {', '.join(_KEYS)}.",
            )
        text = clean_name(value) if isinstance(value, str) else None
        if text is None or len(text) > _KEYS[name]:
            raise InvalidInput(
                f"This is no text of at most {_KEYS[name]} letters.",
                code="bad_layer",
                where=where,
                remedy="Correct it.",
            )
        if text:
            said[name] = text
    choices = {"purpose": Layer.Purpose.values, "visibility": Layer.Visibility.values}
    if "theme" in said:
        choices["theme"] = list(Theme.objects.values_list("code", flat=True))
    for name, known in choices.items():
        if name in said and said[name] not in known:
            raise InvalidInput(
                f"{said[name]!r} cannot be chosen here.",
                code="bad_layer",
                where=f"new_layer.{name}",
                remedy=f"Choose one of {', '.join(known)}.",
            )
    if "code" in said:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", said["code"]):
            raise InvalidInput(
                f"{said['code']!r} is not a code.",
                code="bad_layer",
                where="new_layer.code",
                remedy="Use small Latin letters, digits and hyphens, as in primary-schools.",
            )
        if Layer.objects.filter(city=city, code=said["code"]).exists():
            raise code_taken(said["code"])
    return said


@dataclass(frozen=True, slots=True)
class WantedLayer:
    """What a new layer should be, and what is not said yet."""

    spec: LayerSpec
    missing: tuple[str, ...]

    def check(self) -> LayerSpec:
        """Return what it should be.

        Raises
        ------
        InvalidInput
            Where something is missing; ``details`` name it all.
        """
        if self.missing:
            raise InvalidInput(
                f"The new layer lacks {', '.join(self.missing)}.",
                code="layer_missing",
                where=f"new_layer.{self.missing[0]}",
                remedy="Choose the layer that the file is for, or say what the new one needs.",
                details={"missing": list(self.missing)},
            )
        return self.spec


def wanted_layer(upload: Upload, kind: str) -> WantedLayer:
    """Return the layer that an upload is to make, of a kind."""
    said = dict.fromkeys(_KEYS, "") | dict(upload.new_layer)
    missing = [name for name in ("code", "theme", "name_fa", "name_en", "source") if not said[name]]
    missing += [] if upload.reference_date else ["reference_date"]
    spec = LayerSpec(
        city=upload.city,
        theme=said["theme"],
        code=said["code"],
        kind=kind,
        name_fa=said["name_fa"],
        name_en=said["name_en"],
        source=said["source"],
        licence=said["licence"],
        visibility=said["visibility"] or Layer.Visibility.ASSIGNED,
        source_fa=said["source_fa"],
        purpose=said["purpose"] or Layer.Purpose.GENERAL,
    )
    return WantedLayer(spec, tuple(missing))


def code_taken(code: str) -> Conflict:
    """Return the refusal of a code that another layer has."""
    return Conflict(
        f"The city has a layer {code!r} already.",
        code="layer_exists",
        where="new_layer.code",
        remedy="Bring the file for that layer, or choose another code.",
        details={"layer": code},
    )
