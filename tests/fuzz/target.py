"""A way into a parser, and the only errors that a parser may raise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from firm.errors import ChambersError

OURS = (ChambersError, ValidationError, HTTPException)


@dataclass(frozen=True, slots=True)
class Target:
    """`feed` calls a parser with one input of the strategy. Several targets may feed one `parser`."""

    parser: str
    name: str
    inputs: st.SearchStrategy[Any]
    feed: Callable[[Any], object]
    seconds_each: float = 0.1
