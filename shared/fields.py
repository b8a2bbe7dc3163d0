"""The scalar types and the base of every part of a message. A pattern here is a promise about what a topic may carry."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Vnd = Annotated[int, Field(ge=0, le=10**15)]
Period = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Sealed = Annotated[str, Field(pattern=r"^v1\.[a-z_]+\.[0-9]{4}-[0-9]{2}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$")]
Jose = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*){2,4}$", max_length=65_536)]
Opaque = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,79}$")]
AreaCode = Annotated[str, Field(pattern=r"^[0-9]{5}$")]


class Block(BaseModel):
    """Base of the parts of messages."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, hide_input_in_errors=True)


def json_of(model: BaseModel) -> bytes:
    """As `model_dump_json(exclude_none=True)` in UTF-8, without a text in between: twice as fast, and there are ten for every person."""
    return model.__pydantic_serializer__.to_json(model, exclude_none=True)
