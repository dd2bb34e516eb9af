"""Every setting, declared once, with the sentence that documents it.

Owns names, defaults, ranges and the environment (`ENCORE_<NAME>`); the command line makes an option of
each field (`streams.cli.options`). Where the servers are is `streams.config.servers`. It must not know what a
setting is used for.
"""

from __future__ import annotations

import hashlib
import re
from itertools import dropwhile
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError, model_validator

from models.dayparts import read_dayparts
from models.pseudonyms import Pseudonyms
from models.rules import DAY_MS, HOUR_MS, RETURN_DAYS, Rules
from models.windows import LAST_WEEK, Retention
from streams.config.failpoints import FORM
from streams.config.redis_address import CLUSTER, hash_tag, read_address, without_password
from streams.config.servers import ENV_PREFIX, ServerSettings, read_by


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"{ENV_PREFIX}{name.upper()}"


class BadSetting(Exception):
    """A setting cannot be used. The message is one line: its name, its value and what is accepted."""


def _topic(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,200}", value) or value in (".", ".."):
        raise ValueError("accepted: 1 to 200 of the characters A-Z a-z 0-9 . _ -")
    return value


def _key_in(file: str) -> bytes:
    try:
        return Path(file).read_bytes().strip()
    except OSError as problem:
        raise ValueError(f"{problem.strerror or problem}; accepted: a file that can be read") from None


Name = Annotated[str, AfterValidator(_topic)]
Percent = Annotated[int, Field(ge=1, le=100)]

_RULES = Rules()
"""The thresholds' defaults are declared there."""


class Settings(ServerSettings):
    """All settings of every command. Environment: `ENCORE_` and the field's name in capitals."""

    devstack_dir: str = Field("", description="folder of the devstack; empty: one for each user's cache")
    app_id: Name = Field("encore", description="consumer group, prefix of the transactional ids and of the state topic")
    group_instance_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,200}$")] = Field(
        "", description="a worker's name of its own (static membership): restarted under it, it goes on at once"
    )
    source_topic: Name = Field("playback-events", description="topic of the playback events")
    titles_topic: Name = Field("titles", description="compacted topic of the catalog")
    erasures_topic: Name = Field("encore-erasures", description="compacted topic of the households to be forgotten")
    milestones_topic: Name = Field("encore-milestones", description="topic of the milestones")
    dead_letters_topic: Name = Field("encore-dead-letters", description="topic of what could not be read")
    late_topic: Name = Field("encore-late", description="topic of events older than the grace")
    redis_prefix: str = Field(
        "encore:",
        min_length=1,
        max_length=100,
        description="prefix of every Redis key and channel; on a Redis Cluster one with a hash tag, {encore}:",
    )
    topic_partitions: int = Field(4, ge=1, le=64, description="partitions of a source topic that is made here")
    topic_replication: int = Field(1, ge=1, le=9, description="replication of the topics that are made here")
    checkpoint_s: float = Field(
        0.2,
        ge=0.05,
        le=60,
        description="seconds between two checkpoints of a partition; five times as many where it is far behind",
    )
    publish_s: float = Field(0.05, ge=0.01, le=60, description="least seconds between two rounds of publishing")
    chart_publish_s: float = Field(
        2.0,
        ge=0,
        le=3600,
        description="least seconds between two rounds that publish curves and audiences; five times as many far behind",
    )
    publish_keys_per_s: int = Field(20_000, ge=100, description="Redis keys written a second at most, a worker")
    batch_records: int = Field(1_000, ge=1, le=10_000, description="records in one Faust message at most")
    uncheckpointed_records: int = Field(
        400_000, ge=1_000, description="records of a partition applied and not yet checkpointed, at most"
    )
    hot_rows: int = Field(50_000, ge=0, description="decoded rows that a partition keeps in memory")
    startup_timeout_s: float = Field(
        60, ge=1, le=3600, description="seconds to wait for Kafka and Redis at start before giving up"
    )
    session_timeout_s: float = Field(10, ge=6, le=300, description="seconds of silence after which a worker is out")
    stall_s: float = Field(
        60, ge=5, le=3600, description="seconds in which records wait and none is delivered, until a worker ends"
    )
    transaction_timeout_s: float = Field(60, ge=10, le=600, description="seconds that a transaction may stay open")
    hour_retention_days: int = Field(8, ge=4, le=400, description="days that an hour window is kept")
    day_retention_days: int = Field(400, ge=59, le=4000, description="days that a day window is kept")
    age_retention_days: int = Field(
        1_100,
        ge=787,
        le=4000,
        description="days that windows by age, and legs, are kept after a title's release",
    )
    board_least_starters: int = Field(
        20, ge=0, description="households that a title needs for a place on a board of rates: starters, or completers"
    )
    metrics_port: int = Field(
        0, ge=0, le=65_535, description="port on which a worker tells metrics and answers probes; 0: none"
    )
    metrics_host: str = Field("127.0.0.1", description="address that this port is opened on")
    dashboard_port: int = Field(8421, ge=0, le=65_535, description="port of the dashboard; 0: any that is free")
    dashboard_host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]{1,253}$")] = Field(
        "127.0.0.1", description="address that this port is opened on; the dashboard asks nobody who they are"
    )
    failpoint: Annotated[str, Field(pattern=FORM)] = Field(
        "", description="for tests: MOMENT[:N][:kill|:freeze], where a worker kills or freezes itself"
    )
    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = Field(
        "info", description="debug, info, warning or error"
    )
    log_format: Annotated[str, Field(pattern="^(auto|text|json)$")] = Field(
        "auto", description="text, json (an object a line), or auto: text on a terminal and else json"
    )

    completion_percent: Percent = Field(
        _RULES.completion_percent, description="share of the cells that makes a completion, once the end is reached"
    )
    end_percent: Percent = Field(
        _RULES.end_percent, description="share of the length from which on a cell played is the end reached"
    )
    watcher_percent: Percent = Field(_RULES.watcher_percent, description="share of the cells that makes a watcher")
    skimmer_percent: Percent = Field(
        _RULES.skimmer_percent, description="share of the length whose reaching makes a skimmer"
    )
    skimmer_covered_percent: Percent = Field(
        _RULES.skimmer_covered_percent, description="share of the cells from which on nobody is a skimmer"
    )
    starter_s: int = Field(
        _RULES.starter_ms // 1000, ge=1, le=86_400, description="credited seconds that make a starter"
    )
    viewer_s: int = Field(_RULES.viewer_ms // 1000, ge=1, le=86_400, description="credited seconds that make a viewer")
    play_s: int = Field(_RULES.play_ms // 1000, ge=1, le=86_400, description="credited seconds that make a play")
    autoplay_play_s: int = Field(
        _RULES.autoplay_play_ms // 1000, ge=1, le=86_400, description="the same for a session begun by autoplay"
    )
    audience_s: int = Field(
        _RULES.audience_ms // 1000,
        ge=1,
        le=86_400,
        description="credited seconds by which a week's audience has a household",
    )
    longest_interval_s: int = Field(
        _RULES.longest_interval_ms // 1000, ge=1, le=86_400, description="longest silence that is still credited"
    )
    gap_s: int = Field(
        _RULES.gap_ms // 1000,
        ge=1,
        le=86_400,
        description="silence from which on all of it must have been played to be credited",
    )
    spread_s: int = Field(
        _RULES.spread_ms // 1000,
        ge=1,
        le=86_400,
        description="silence from which on credit is spread over the time that it covers",
    )
    allowance_s: int = Field(
        _RULES.allowance_ms // 1000, ge=0, le=600, description="content seconds beyond the elapsed time, a session"
    )
    pace_percent: int = Field(
        _RULES.pace_percent, ge=100, le=200, description="content per elapsed time and rate, in percent"
    )
    grace_days: int = Field(
        _RULES.grace_ms // DAY_MS, ge=1, le=365, description="days behind the stream time until an event is late"
    )
    future_s: int = Field(
        _RULES.future_ms // 1000, ge=0, le=86_400, description="seconds that an event may be ahead of its record"
    )
    hour_grace_hours: int = Field(
        _RULES.hour_grace_ms // HOUR_MS, ge=1, le=720, description="hours that an hour window takes events"
    )
    forget_days: int = Field(
        _RULES.forget_ms // DAY_MS, ge=31, le=4000, description="days until an untouched row is dropped"
    )

    watching_s: int = Field(
        _RULES.watching_ms // 1000,
        ge=1,
        le=3600,
        description="seconds after its last event that a session is being watched",
    )
    streak_day_s: int = Field(
        _RULES.streak_day_ms // 1000,
        ge=1,
        le=86_400,
        description="credited seconds of a daypart that fill a day of a streak",
    )
    dayparts: Annotated[str, read_by(read_dayparts)] = Field(
        _RULES.dayparts, description="parts of the local day, NAME=HH:MM-HH:MM[/DAYS],…; the rest is other"
    )
    pseudonym_key_file: Annotated[str, read_by(lambda file: Pseudonyms(_key_in(file)))] = Field(
        "",
        description="file with a key of 32 bytes or more: households then bear pseudonyms everywhere but in the source"
        " topic; empty: their ids",
    )

    @model_validator(mode="after")
    def _what_is_kept_outlives_its_events(self) -> Settings:
        if self.hour_retention_days * 24 < self.hour_grace_hours:
            raise ValueError(
                f"hour_retention_days={self.hour_retention_days}: accepted: at least the hour_grace_hours,"
                f" {self.hour_grace_hours}"
            )
        if self.day_retention_days <= self.grace_days + RETURN_DAYS[-1]:
            raise ValueError(
                f"day_retention_days={self.day_retention_days}: accepted: more than the grace_days and the"
                f" {RETURN_DAYS[-1]} days in which a household may return, {self.grace_days + RETURN_DAYS[-1]}"
            )
        least_days = LAST_WEEK * 7 + self.grace_days + RETURN_DAYS[-1]
        if self.age_retention_days <= least_days:
            raise ValueError(
                f"age_retention_days={self.age_retention_days}: accepted: more than the days of {LAST_WEEK} weeks, the"
                f" grace_days and the {RETURN_DAYS[-1]} days in which a household may return, {least_days}"
            )
        if self.forget_days <= self.grace_days:
            raise ValueError(f"forget_days={self.forget_days}: accepted: more than the grace_days, {self.grace_days}")
        return self

    @model_validator(mode="after")
    def _all_keys_are_on_one_node(self) -> Settings:
        if self.redis and read_address(self.redis).kind == CLUSTER and not hash_tag(self.redis_prefix):
            raise ValueError(
                f"redis_prefix={self.redis_prefix!r}: accepted on a Redis Cluster: a prefix with a hash tag, such as"
                f" {{{self.redis_prefix.strip(':{}') or 'encore'}}}:, so that all keys are on one node"
            )
        return self

    @model_validator(mode="after")
    def _watchers_come_before_completers(self) -> Settings:
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

    def retention(self) -> Retention:
        """How long windows are kept, in the units of `models`."""
        return Retention(
            hour_ms=self.hour_retention_days * DAY_MS,
            day_ms=self.day_retention_days * DAY_MS,
            age_ms=self.age_retention_days * DAY_MS,
        )

    def pseudonym_key(self) -> bytes | None:
        """The key of the households' pseudonyms, without white space around it; None: they have none."""
        return _key_in(self.pseudonym_key_file) if self.pseudonym_key_file else None

    def pseudonyms(self) -> Pseudonyms | None:
        """The households' pseudonyms; None: ids stay as they are."""
        key = self.pseudonym_key()
        return Pseudonyms(key) if key is not None else None

    def state_fingerprint(self) -> str:
        """Sixteen hexadecimal digits that differ where the state would: by other rules, or another key."""
        rules, pseudonyms = self.rules().fingerprint(), self.pseudonyms()
        if pseudonyms is None:
            return rules
        return hashlib.sha256(f"{rules} {pseudonyms.fingerprint()}".encode()).hexdigest()[:16]

    @property
    def state_topic(self) -> str:
        """The changelog: `<app_id>-state`, one partition for each of the source."""
        return f"{self.app_id}-state"


SECRETS = tuple(name for name in Settings.model_fields if name.endswith("_password"))
"""The settings that are secrets themselves: there is no option for them, as others see a command's arguments."""


def kin(name: str) -> tuple[str, ...]:
    """What belongs to the address of Kafka or Redis: whoever has the one as an option has these too."""
    if name not in ("kafka", "redis"):
        return ()
    own = (each for each in Settings.model_fields if each.startswith(f"{name}_") and each != "redis_prefix")
    return (*(each for each in own if each not in SECRETS), "allow_plaintext")


RULE_SETTINGS = tuple(dropwhile(lambda name: name != "completion_percent", Settings.model_fields))
"""The settings that are part of the state: whoever computes it, or computes it again, needs them all."""


def load(**given: Any) -> Settings:
    """Settings from the environment, with `given` (None: not given) on top.

    Raises `BadSetting` with one line for the first setting that cannot be used.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise BadSetting(_first_problem(error)) from None


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    reason = re.sub(r"^Value error, ", "", problem["msg"])
    if not problem["loc"]:
        field, _, rest = reason.partition("=")
        return f"{variable(field)}={rest}"
    field = str(problem["loc"][0])
    what = Settings.model_fields[field].description if field in Settings.model_fields else "no such setting"
    given = "***" if field in SECRETS else without_password(repr(problem["input"]))
    return f"{variable(field)}={given}: {reason} ({what})"
