"""What bodies of requests about paths consist of."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class PiecesBody(BaseModel):
    """Pieces of paths to count; members that are not known are passed over."""

    model_config = ConfigDict(extra="ignore", str_max_length=40)

    pieces: list[str] = Field(default_factory=list, description="Names of pieces, such as 3-12, as the map gives them.")
    narrowest: str = Field("4", description="Narrower streets give no access, in metres.")
    width: str = Field("4", description="Of the paths, in metres.")
    cost: str = Field("0", description="Of a metre of path, in rials.")
