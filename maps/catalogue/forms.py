"""The form in which a layer is described."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from geo.models import Assignment
from layers.models import Layer, Theme
from maps.catalogue.rows import Column

MOST_FIELDS: Final = 200
"""Fields whose titles one form takes; what is said of the others stays."""

MEMBERS: Final = ("title_fa", "title_en", "unit", "description")
PLAIN: Final = (
    "name_fa", "name_en", "description_fa", "description_en", "owner", "source", "source_fa", "licence", "renewed_months",
    "purpose", "key_field", "visibility", "seen_by_roles",
)  # fmt: skip


def _text(model_field: str, **options: Any) -> forms.CharField:
    field: Any = Layer._meta.get_field(model_field)
    return forms.CharField(label=field.verbose_name, max_length=field.max_length, required=not field.blank, **options)


class LayerForm(forms.Form):
    """What a person says of a layer. Names, source and theme are needed; the rest helps."""

    name_fa = _text("name_fa")
    name_en = _text("name_en")
    source = _text("source")
    source_fa = _text("source_fa")
    owner = _text("owner")
    licence = _text("licence")
    description_fa = _text("description_fa", widget=forms.Textarea)
    description_en = _text("description_en", widget=forms.Textarea)
    theme = forms.ChoiceField(label=_("theme"))
    purpose = forms.ChoiceField(label=_("purpose"), choices=Layer.Purpose.choices)
    renewed_months = forms.IntegerField(label=_("renewed every (months)"), min_value=1, max_value=600, required=False)
    key_field = forms.ChoiceField(label=_("key field"), required=False)
    visibility = forms.ChoiceField(label=_("seen by"), choices=Layer.Visibility.choices)
    seen_by_roles = forms.MultipleChoiceField(
        label=_("only these roles"), choices=Assignment.Role.choices, required=False
    )

    def __init__(self, layer: Layer, columns: Sequence[Column], data: Any = None) -> None:
        initial = {name: getattr(layer, name) for name in PLAIN} | {"theme": layer.theme.code}
        super().__init__(data, initial=initial)
        keys = {column.name: column.name for column in columns} | (
            {layer.key_field: layer.key_field} if layer.key_field else {}
        )
        choices: dict[str, Any] = {
            "theme": [(theme.code, theme.name) for theme in Theme.objects.all()],
            "key_field": [("", _("none")), *keys.items()],
        }
        for name, offered in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the reader of types
            field.choices = offered

    def changes(self) -> dict[str, Any]:
        """Return what is to be said of the layer."""
        return dict(self.cleaned_data)


def latin_digits(data: Any) -> Any:
    """Return a copy of sent data with the number of months in Latin digits."""
    copied = data.copy()
    text = copied.get("renewed_months", "").strip()
    if re.fullmatch(r"\d{1,4}", text):  # digits of any script
        copied["renewed_months"] = str(int(text))
    return copied


def schema_rows(layer: Layer, columns: Sequence[Column], data: Mapping[str, str] | None = None) -> list[dict[str, str]]:
    """Return what is said of each field that the form shows, as it is kept or, where data are given, as it was sent."""
    said = {row["name"]: row for row in layer.schema}
    names = list(dict.fromkeys([*(column.name for column in columns), *said]))[:MOST_FIELDS]
    types = {column.name: column.type for column in columns}
    found = []
    for index, name in enumerate(names):
        kept = said.get(name, {})
        row = {"name": name, "type": kept.get("type") or types.get(name, "")}
        for member in MEMBERS:
            row[member] = kept.get(member, "") if data is None else data.get(f"field-{index}-{member}", "").strip()
        if data is not None and data.get(f"field-{index}-name") != name:  # a new release came meanwhile
            row |= {member: kept.get(member, "") for member in MEMBERS}
        found.append(row)
    return found


def schema_of(layer: Layer, shown: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Return the whole schema with what the form says of the fields that it shows; fields of which nothing is said are left out."""
    said = {row["name"]: dict(row) for row in layer.schema}
    for row in shown:
        before = said.get(row["name"], {})
        after = {**before, **{k: v for k, v in row.items() if v}}
        for member in MEMBERS:
            if not row.get(member):
                after.pop(member, None)
        if row["name"] in said or any(row.get(member) for member in MEMBERS):
            said[row["name"]] = after
    return list(said.values())
