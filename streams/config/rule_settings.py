"""The settings that are part of the state: thresholds of the rules, dayparts, the key of the pseudonyms, the format.

A command that computes the state, or recomputes it, needs all of them. Owns their names, ranges and descriptions, and
their conversion to `Rules`, which declares the defaults.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, model_validator

from models.dayparts import read_dayparts
from models.pseudonyms import Pseudonyms
from models.rules import DAY_MS, HOUR_MS, SHORTEST_GRACE_MS, Rules
from streams.config.servers import read_by


def _key_in(file: str) -> bytes:
    try:
        return Path(file).read_bytes().strip()
    except OSError as problem:
        raise ValueError(f"{problem.strerror or problem}; accepted: a file that can be read") from None


Percent = Annotated[int, Field(ge=1, le=100)]

JSON = "json"

_RULES = Rules()


class RuleSettings(BaseModel):
    """Thresholds in units for people: seconds, hours, days, percent."""

    completion_percent: Percent = Field(
        _RULES.completion_percent, description="percent of the cells that make a completion, once the end is reached"
    )
    end_percent: Percent = Field(
        _RULES.end_percent, description="a played cell at or past this percent of the length reaches the end"
    )
    watcher_percent: Percent = Field(_RULES.watcher_percent, description="percent of the cells that make a watcher")
    skimmer_percent: Percent = Field(
        _RULES.skimmer_percent, description="percent of the length that a skimmer has reached"
    )
    skimmer_covered_percent: Percent = Field(
        _RULES.skimmer_covered_percent,
        description="a household that covered at least this percent of the cells is no skimmer",
    )
    starter_s: int = Field(
        _RULES.starter_ms // 1000, ge=1, le=86_400, description="credited seconds that make a starter"
    )
    viewer_s: int = Field(_RULES.viewer_ms // 1000, ge=1, le=86_400, description="credited seconds that make a viewer")
    play_s: int = Field(_RULES.play_ms // 1000, ge=1, le=86_400, description="credited seconds that make a play")
    autoplay_play_s: int = Field(
        _RULES.autoplay_play_ms // 1000,
        ge=1,
        le=86_400,
        description="credited seconds that make a play of a session that autoplay began",
    )
    audience_s: int = Field(
        _RULES.audience_ms // 1000,
        ge=1,
        le=86_400,
        description="credited seconds in a week that make a household part of its audience",
    )
    longest_interval_s: int = Field(
        _RULES.longest_interval_ms // 1000,
        ge=1,
        le=86_400,
        description="longest interval between two events that is still credited",
    )
    gap_s: int = Field(
        _RULES.gap_ms // 1000,
        ge=1,
        le=86_400,
        description="an interval longer than this is credited only if it was played throughout",
    )
    spread_s: int = Field(
        _RULES.spread_ms // 1000,
        ge=1,
        le=86_400,
        description="credit of an interval longer than this is spread over its time",
    )
    allowance_s: int = Field(
        _RULES.allowance_ms // 1000,
        ge=0,
        le=600,
        description="content seconds that each session may be ahead of the elapsed time",
    )
    pace_percent: int = Field(
        _RULES.pace_percent,
        ge=100,
        le=200,
        description="maximum content per elapsed time and playback rate, in percent",
    )
    grace_days: int = Field(
        _RULES.grace_ms // DAY_MS,
        ge=SHORTEST_GRACE_MS // DAY_MS,
        le=365,
        description="days that an event may be behind the stream time before it is late",
    )
    future_s: int = Field(
        _RULES.future_ms // 1000, ge=0, le=86_400, description="seconds that an event may be ahead of its record"
    )
    hour_grace_hours: int = Field(
        _RULES.hour_grace_ms // HOUR_MS, ge=1, le=720, description="hours for which an hour window accepts events"
    )
    forget_days: int = Field(
        _RULES.forget_ms // DAY_MS, ge=31, le=4000, description="days without events after which a row is dropped"
    )

    watching_s: int = Field(
        _RULES.watching_ms // 1000,
        ge=1,
        le=3600,
        description="seconds after its last event for which a session counts as being watched",
    )
    streak_day_s: int = Field(
        _RULES.streak_day_ms // 1000,
        ge=1,
        le=86_400,
        description="credited seconds in a daypart that fill a day of a streak",
    )
    dayparts: Annotated[str, read_by(read_dayparts)] = Field(
        _RULES.dayparts, description="parts of the local day, NAME=HH:MM-HH:MM[/DAYS],…; the rest is other"
    )
    pseudonym_key_file: Annotated[str, read_by(lambda file: Pseudonyms(_key_in(file)))] = Field(
        "",
        description="file with a key of 32 bytes or more: households get pseudonyms everywhere except in the source"
        " topic; empty: ids are used",
    )
    source_format: Annotated[str, Field(pattern="^(json|avro|protobuf)$")] = Field(
        JSON,
        description="format of the playback events: json, avro or protobuf; the last two need a schema registry, and"
        " JSON is read beside them",
    )

    @model_validator(mode="after")
    def _watchers_come_before_completers(self) -> RuleSettings:
        if self.watcher_percent > self.completion_percent:
            raise ValueError(
                f"watcher_percent={self.watcher_percent}: accepted: at most the completion_percent,"
                f" {self.completion_percent}"
            )
        return self

    def rules(self) -> Rules:
        """The rule thresholds among these settings, in the units of `models`."""
        return Rules(
            completion_percent=self.completion_percent,
            end_percent=self.end_percent,
            watcher_percent=self.watcher_percent,
            skimmer_percent=self.skimmer_percent,
            skimmer_covered_percent=self.skimmer_covered_percent,
            starter_ms=self.starter_s * 1000,
            viewer_ms=self.viewer_s * 1000,
            play_ms=self.play_s * 1000,
            autoplay_play_ms=self.autoplay_play_s * 1000,
            audience_ms=self.audience_s * 1000,
            longest_interval_ms=self.longest_interval_s * 1000,
            gap_ms=self.gap_s * 1000,
            spread_ms=self.spread_s * 1000,
            allowance_ms=self.allowance_s * 1000,
            pace_percent=self.pace_percent,
            grace_ms=self.grace_days * DAY_MS,
            future_ms=self.future_s * 1000,
            hour_grace_ms=self.hour_grace_hours * HOUR_MS,
            forget_ms=self.forget_days * DAY_MS,
            watching_ms=self.watching_s * 1000,
            streak_day_ms=self.streak_day_s * 1000,
            dayparts=self.dayparts,
        )

    def pseudonym_key(self) -> bytes | None:
        """The key of the pseudonyms, without surrounding white space; None: households have none."""
        return _key_in(self.pseudonym_key_file) if self.pseudonym_key_file else None

    def pseudonyms(self) -> Pseudonyms | None:
        """The households' pseudonyms; None: ids stay as they are."""
        key = self.pseudonym_key()
        return Pseudonyms(key) if key is not None else None

    def changed_rules(self) -> dict[str, int | str]:
        """The settings that are not at their defaults, by name; of the pseudonyms' key, its fingerprint."""
        changed = self.model_dump(include=set(RULE_SETTINGS), exclude_defaults=True)
        pseudonyms = self.pseudonyms()
        return changed if pseudonyms is None else changed | {"pseudonym_key_file": pseudonyms.fingerprint()}

    def state_fingerprint(self) -> str:
        """Sixteen hexadecimal digits that change if other rules or another key would change the state."""
        rules, pseudonyms = self.rules().fingerprint(), self.pseudonyms()
        if pseudonyms is None:
            return rules
        return hashlib.sha256(f"{rules} {pseudonyms.fingerprint()}".encode()).hexdigest()[:16]


RULE_SETTINGS = tuple(RuleSettings.model_fields)
