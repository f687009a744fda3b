"""The test clock."""

from dataclasses import dataclass
from datetime import datetime

from holdfast._decode import Answer


@dataclass(frozen=True, kw_only=True)
class Clock(Answer):
    """Your platform's clock."""

    now: datetime
    moved: bool  # whether it is ahead of the real time


@dataclass(frozen=True, kw_only=True)
class Fired(Answer):
    """An event that happened while the clock moved."""

    event: str
    type: str
    subject: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class LeftBehind(Answer):
    """Something that was due and could not be worked off."""

    station: str
    due_at: datetime


@dataclass(frozen=True, kw_only=True)
class Advance(Answer):
    """How far the clock went, and what happened on the way, in order."""

    started_at: datetime
    target_at: datetime
    reached_at: datetime
    complete: bool  # False: call again
    fired: tuple[Fired, ...]
    left_behind: tuple[LeftBehind, ...]
