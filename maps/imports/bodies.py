"""What is said about an upload: how to read it, what each field becomes, what a new layer should be."""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from geo.core.geojson import no_constant
from geo.core.text import clean_name
from geo.errors import InvalidInput
from layers.services.osm_rules import MOST_CHARACTERS
from maps.api.bodies import checked, finite, is_text

Name = Annotated[str, Field(max_length=200)]
Day = Annotated[date | None, BeforeValidator(lambda value: None if value == "" else value)]
FieldType = Literal["text", "integer", "number", "boolean", "date", "datetime"]

MOST_FIELDS: Final = 2_000


class _Said(BaseModel):
    """Something said; members that are not known are refused, since they would have no effect."""

    model_config = ConfigDict(extra="forbid", str_max_length=2_000)


class Options(_Said):
    """How a file is to be read; what is left out, the file says itself."""

    layer: Name | None = Field(None, description="Layer or sheet within the file.")
    source_epsg: int | None = Field(None, ge=1024, le=999_999, description="Reference system of its coordinates.")
    encoding: str | None = Field(None, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")
    fields: list[Name] | None = Field(None, max_length=MOST_FIELDS, description="Attributes to keep.")
    name_field: Name | None = None
    x_field: Name | None = None
    y_field: Name | None = None
    wkt_field: Name | None = None
    code_field: Name | None = Field(None, description="Attribute with codes or names of places, to join on.")
    join_layer: str | None = Field(None, max_length=60, description="Layer of the city to join to, in place of places.")
    pairs: dict[Name, Name] | None = Field(None, max_length=500, description="What names in the file stand for.")
    sum_fields: list[Name] | None = Field(
        None, max_length=MOST_FIELDS, description="Attributes added up over the rows of one place."
    )
    leave_out: bool = Field(False, description="Whether to leave out rows that belong to no place.")
    repair: bool = Field(False, description="Whether to repair invalid geometries.")
    band: int | None = Field(None, ge=1, le=10_000)
    non_negative: bool = Field(False, description="Whether pixels below zero are wrong, as with people.")
    swap_xy: bool = False
    scale: float | None = Field(None, gt=0, le=1_000_000, description="0.3048 for feet.")
    rules: str | None = Field(
        None,
        max_length=MOST_CHARACTERS,
        description="Of OpenStreetMap: rules as TOML, in the place of the program's own of the same code.",
    )

    @model_validator(mode="after")
    def _joined(self) -> Options:
        if not self.code_field and (self.join_layer or self.pairs or self.sum_fields or self.leave_out):
            raise ValueError("join_layer, pairs, sum_fields and leave_out need code_field")
        return self

    def said(self) -> dict[str, Any]:
        """Return what is not left out."""
        return {name: value for name, value in self.model_dump().items() if value not in (None, False)}


class Rule(_Said):
    """What a field of the file becomes."""

    source: Name
    name: str = Field("", max_length=80)
    type: FieldType | None = Field(None, description="What its values become; null leaves them.")
    unit_from: str = Field("", max_length=40)
    unit_to: str = Field("", max_length=40)
    keep: bool = True

    @model_validator(mode="after")
    def _named(self) -> Rule:
        self.name = clean_name(self.name) or clean_name(self.source)
        if self.keep and not self.name:
            raise ValueError("the field needs a name")
        return self


class NewLayer(_Said):
    """A layer that the upload makes; four things are needed before it is stored: both names, source, reference date."""

    code: str = Field("", max_length=60)
    theme: str = Field("", max_length=60)
    name_fa: str = Field("", max_length=200)
    name_en: str = Field("", max_length=200)
    source: str = Field("", max_length=300)
    source_fa: str = Field("", max_length=300)
    licence: str = Field("", max_length=200)
    purpose: str = Field("", max_length=12)
    visibility: str = Field("", max_length=10)
    key_field: str = Field("", max_length=80, description="The field that names the same thing in every release.")
    owner: str = Field("", max_length=200)
    description_fa: str = Field("", max_length=2000)
    description_en: str = Field("", max_length=2000)


class UploadPatch(_Said):
    """What to change of an upload; what is left out stays."""

    options: Options | None = None
    mapping: list[Rule] | None = Field(None, max_length=MOST_FIELDS)
    layer: str | None = Field(None, max_length=60)
    new_layer: NewLayer | None = None
    reference_date: Day = None
    organisation: str | None = Field(None, max_length=60)

    @model_validator(mode="after")
    def _coherent(self) -> UploadPatch:
        if self.layer and self.new_layer is not None:
            raise ValueError("give either layer or new_layer")
        seen: set[str] = set()
        for rule in self.mapping or []:
            if rule.keep and rule.name in seen:
                raise ValueError(f"two fields would be called {rule.name!r}")
            seen |= {rule.name} if rule.keep else set()
        return self


class UploadForm(UploadPatch):
    """The parts of the form besides the file; ``options``, ``mapping`` and ``new_layer`` are JSON."""


_JSON_PARTS: Final = ("options", "mapping", "new_layer")


def form_of(texts: dict[str, str]) -> UploadForm:
    """Read the parts of a form.

    Raises
    ------
    InvalidInput
        Where a part is not what it should be; ``where`` names it.
    """
    tree: dict[str, Any] = {}
    for name, text in texts.items():
        if name == "csrfmiddlewaretoken" or not text.strip():
            continue
        tree[name] = _json(text, name) if name in _JSON_PARTS else storable(text, name)
    return checked(UploadForm, tree, "form")


def _json(text: str, where: str) -> Any:
    try:
        return storable(json.loads(text, parse_constant=no_constant, parse_float=finite), where)
    except RecursionError as error:
        raise InvalidInput("This is nested too deeply.", code="bad_json", where=where, remedy="Mend it.") from error
    except ValueError as error:
        raise InvalidInput("This is not JSON.", code="bad_json", where=where, remedy="Mend it.") from error


def storable(tree: Any, where: str) -> Any:
    """Return what was sent, unless a text in it has what no text in the database can have: a null, or half a character.

    Raises
    ------
    InvalidInput
        Where it has.
    """
    if isinstance(tree, str):
        if not is_text(tree):
            raise InvalidInput(
                "The text has a character that no text has.", code="bad_text", where=where, remedy="Leave it out."
            )
    elif isinstance(tree, dict):
        for name, value in tree.items():
            storable(name, where)
            storable(value, f"{where}.{name}"[:200])
    elif isinstance(tree, list):
        for value in tree:
            storable(value, where)
    return tree
