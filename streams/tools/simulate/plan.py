"""The parameters of a simulation: sizes, habits, and the share of each fault.

Owns names, defaults and ranges; the command line makes an option of each field.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
PerHour = Annotated[float, Field(ge=0, le=600)]


FAULTS = (
    "days_late_share",
    "out_of_order_share",
    "unnumbered_share",
    "restart_share",
    "duplicate_share",
    "too_late_share",
    "bad_share",
)
"""The fields of a plan that make events late, duplicate, unordered or unreadable."""


class Plan(BaseModel):
    """The parameters of one simulation. Shares are from 0 to 1; `..._per_hour` are incidents per hour of playing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(1, description="the same seed gives the same events")
    households: int = Field(1_000, ge=1, le=1_000_000, description="households that watch")
    titles: int = Field(40, ge=2, le=100_000, description="titles that they watch, trailers not counted")
    heartbeat_s: float = Field(60, ge=0.1, le=3600, description="seconds between two heartbeats of a player")
    kids_share: Share = Field(0.65, description="share of the households with kids")
    rewatch_share: Share = Field(0.75, description="share of the kids' choices that is a favourite, again")
    autoplay_share: Share = Field(0.5, description="share of the endings that start the next title")
    trailer_share: Share = Field(0.2, description="share of the choices with a trailer before")
    abandoned_share: Share = Field(0.1, description="share of the choices given up within two minutes")
    frozen_share: Share = Field(0.02, description="share of the sittings that end in a frozen player")
    uncatalogued_share: Share = Field(0.05, description="share of the titles that the catalog lacks")
    pauses_per_hour: PerHour = Field(1.0, description="pauses")
    buffers_per_hour: PerHour = Field(0.3, description="stalls of the network")
    seeks_per_hour: PerHour = Field(0.6, description="jumps, a few of them to the end")
    rate_changes_per_hour: PerHour = Field(0.1, description="changes of the playback rate")
    seek_from_share: Share = Field(0.7, description="share of the jumps that say where they jumped from")
    days_late_share: Share = Field(0.02, description="share of the sittings watched offline, sent days later")
    out_of_order_share: Share = Field(0.005, description="share of the events overtaken by later ones")
    unnumbered_share: Share = Field(0.01, description="share of the sittings whose player sends no seq")
    restart_share: Share = Field(0.01, description="share of the longer pauses after which seq starts anew")
    duplicate_share: Share = Field(0.01, description="share of the events that are sent twice")
    too_late_share: Share = Field(0.0005, description="extra events older than 30 days, as a share of all")
    bad_share: Share = Field(0.001, description="extra records that cannot be read, as a share of all")

    def without_faults(self) -> Plan:
        """The same plan without faults: every event is numbered, readable, and arrives once and in order."""
        return self.model_copy(update=dict.fromkeys(FAULTS, 0.0))
