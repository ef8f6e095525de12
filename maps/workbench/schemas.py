"""What bodies of requests consist of; the description of the interface (OpenAPI) is made from these."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Code = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Key = Annotated[str, Field(max_length=500)]
GeoJson = Annotated[Any, Field(default=None, description="GeoJSON geometry in longitude and latitude, or null.")]
Day = Annotated[date | None, BeforeValidator(lambda value: None if value == "" else value)]


class Body(BaseModel):
    """A body; members that are not known are passed over."""

    model_config = ConfigDict(extra="ignore", str_max_length=10_000)


class Drawn(Body):
    """A place as it is drawn at this moment."""

    code: Code
    geometry: GeoJson
    kind: str = Field("", max_length=20)
    from_codes: list[Code] = Field(default_factory=list, alias="from", max_length=100)


class DrawnEdit(Drawn):
    """A place as it is to be saved."""

    base_edition_id: int | None = None
    name_fa: str = ""
    name_en: str = ""
    source: str = ""
    certainty: str = ""
    disputed: GeoJson
    is_revival: bool = Field(False, description="The code is that of an ended place, which is to come back.")


class ReadoutBody(Body):
    """What to measure."""

    edits: list[Drawn] = Field(max_length=500)


class ChangeSetBody(Body):
    """A whole change set."""

    title: str = ""
    comment: str = ""
    valid_from: Day = None
    edits: list[DrawnEdit] = Field(max_length=500)
    acknowledged: list[Key] = Field(default_factory=list, max_length=1000)
    repair: bool = False


class DecisionBody(Body):
    """What is said with a step of a change set."""

    comment: str = ""
    acknowledged: list[Key] = Field(default_factory=list, max_length=1000)


class RestoreBody(Body):
    """What is said of the change set that undoes another."""

    title: str = ""
    comment: str = ""
    valid_from: Day = None


class RepairBody(Body):
    """Which repair of which finding to try, over what is drawn."""

    edits: list[Drawn] = Field(default_factory=list, max_length=500)
    finding: Key
    repair: Key


class WorkingCopyBody(Body):
    """Unsaved work."""

    model_config = ConfigDict(extra="ignore")

    document: dict[str, Any]
    based_on: dict[str, int | None] = Field(default_factory=dict)


class PresenceBody(Body):
    """Which places the person edits now."""

    places: list[Code] = Field(default_factory=list, max_length=500)
