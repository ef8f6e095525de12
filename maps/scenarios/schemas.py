"""What bodies of requests about scenarios consist of; questions and changes are read by `analysis.questions`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

AsQuestion = Annotated[
    Any,
    Field(
        default_factory=dict,
        description="Any of thresholds_m, weights and needs_per_1000 (numbers by code of a service; the last is the capacity "
        "that 1,000 people need, and makes capacity count), services (codes), normalisation, aggregation, travel, population, programme.",
    ),
]
AsChanges = Annotated[
    Any,
    Field(
        default_factory=list,
        description="A list of objects with a type: facility-added, facility-moved, facility-closed, capacity-changed or "
        "street-drawn.",
    ),
]


class Body(BaseModel):
    """A body; members that are not known are passed over."""

    model_config = ConfigDict(extra="ignore", str_max_length=20_000)


class WhatIfBody(Body):
    """What to try."""

    question: AsQuestion
    changes: AsChanges
    since: str = Field(
        "",
        max_length=64,
        description="The key of the values as they are that the reader holds; they are not sent again.",
    )


class ScenarioBody(Body):
    """A whole scenario."""

    name: str
    note: str = ""
    question: AsQuestion
    changes: AsChanges
    is_shared: bool = False


class NameBody(Body):
    """Another name."""

    name: str
