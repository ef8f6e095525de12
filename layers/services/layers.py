"""Writes of layers: what a layer is called, where it comes from, who sees it."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ValidationError

from geo.errors import InvalidInput
from geo.models import Place
from layers.models import Layer, Theme


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
    theme = Theme.objects.filter(code=spec.theme).first()
    if theme is None:
        known = ", ".join(Theme.objects.values_list("code", flat=True))
        raise InvalidInput(
            f"{spec.theme!r} is not a theme.",
            code="bad_theme",
            where=f"layer {spec.code}",
            remedy=f"Choose one of {known}.",
        )
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
    try:
        layer.full_clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise InvalidInput(
            str(messages[0]), code="bad_layer", where=f"layer {spec.code}, {field}", remedy="Correct it."
        ) from error
    layer.save()
    return layer
