"""Every setting, declared once, with the sentence that documents it.

Owns names, defaults, ranges and the environment variables (`ENCORE_<NAME>`), and how settings are loaded. The servers'
addresses are in `streams.config.servers`, the rules' thresholds in `streams.config.rule_settings`. The command line
makes an option of each field (`streams.cli.options`).
"""

from __future__ import annotations

import os
import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator

from models.rules import DAY_MS, RETURN_DAYS
from models.windows import LAST_WEEK, Retention
from streams.config.failpoints import FORM
from streams.config.misspelt import misspelt
from streams.config.plaintext import insist_on_tls, read_allowed
from streams.config.redis_address import CLUSTER, hash_tag, read_address, without_password
from streams.config.rule_settings import RuleSettings
from streams.config.servers import ENV_PREFIX, ServerSettings


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"{ENV_PREFIX}{name.upper()}"


class BadSetting(Exception):
    """A setting cannot be used. The message is one line: its name, its value and what is accepted."""


def _topic(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,200}", value) or value in (".", ".."):
        raise ValueError("accepted: 1 to 200 of the characters A-Z a-z 0-9 . _ -")
    return value


def _optional_topic(value: str) -> str:
    return _topic(value) if value else value


def _archive(value: str) -> str:
    scheme, found, rest = value.partition("://")
    if found and (scheme not in ("s3", "gs", "az") or not rest.strip("/")):
        raise ValueError("accepted: a folder, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX")
    return value


def _webhook(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if value and not usable:
        raise ValueError("accepted: https://HOST/…")
    return value


Name = Annotated[str, AfterValidator(_topic)]


class RunSettings(ServerSettings):
    """Names, intervals, limits, ports, logs: none of them is part of the state."""

    devstack_dir: str = Field("", description="folder of the devstack; empty: in the user's cache")
    app_id: Name = Field("encore", description="consumer group, prefix of the transactional ids and of the state topic")
    group_instance_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,200}$")] = Field(
        "", description="unique name of a worker (static membership): a restart with the same name resumes at once"
    )
    source_topic: Name = Field("playback-events", description="topic of the playback events")
    titles_topic: Name = Field("titles", description="compacted topic of the catalog")
    erasures_topic: Name = Field("encore-erasures", description="compacted topic of the households to be forgotten")
    milestones_topic: Name = Field("encore-milestones", description="topic of the milestones")
    dead_letters_topic: Name = Field("encore-dead-letters", description="topic of records that could not be read")
    late_topic: Name = Field("encore-late", description="topic of events older than the grace")
    redis_prefix: str = Field(
        "encore:",
        min_length=1,
        max_length=100,
        description="prefix of every Redis key and channel; a Redis Cluster requires a hash tag, {encore}:",
    )
    topic_partitions: int = Field(4, ge=1, le=64, description="partitions of the source topic, if Encore creates it")
    topic_replication: int = Field(1, ge=1, le=9, description="replication factor of the topics that Encore creates")
    checkpoint_s: float = Field(
        0.2,
        ge=0.05,
        le=60,
        description="seconds between two checkpoints of a partition; five times as long while it is far behind",
    )
    publish_s: float = Field(0.05, ge=0.01, le=60, description="minimum seconds between two rounds of publishing")
    chart_publish_s: float = Field(
        2.0,
        ge=0,
        le=3600,
        description="minimum seconds between two rounds for curves and audiences; five times as long while far behind",
    )
    publish_keys_per_s: int = Field(20_000, ge=100, description="maximum Redis keys that a worker writes per second")
    batch_records: int = Field(1_000, ge=1, le=10_000, description="maximum records in one Faust message")
    uncheckpointed_records: int = Field(
        400_000, ge=1_000, description="maximum records of a partition that are applied and not checkpointed yet"
    )
    hot_rows: int = Field(50_000, ge=0, description="decoded rows that a partition keeps in memory")
    startup_timeout_s: float = Field(
        60,
        ge=1,
        le=3600,
        description="seconds to wait for Kafka, Redis and the registry at start before giving up",
    )
    session_timeout_s: float = Field(
        6, ge=6, le=300, description="seconds without a heartbeat after which Kafka removes a worker from the group"
    )
    stall_s: float = Field(
        60, ge=5, le=3600, description="exit if records are available but none arrives for this many seconds"
    )
    transaction_timeout_s: float = Field(60, ge=10, le=600, description="seconds that a transaction may stay open")
    hour_retention_days: int = Field(8, ge=4, le=400, description="days that an hour window is kept")
    day_retention_days: int = Field(400, ge=59, le=4000, description="days that a day window is kept")
    age_retention_days: int = Field(
        1_100,
        ge=787,
        le=4000,
        description="days that age windows and legs are kept after a title's release",
    )
    board_least_starters: int = Field(
        20, ge=0, description="minimum starters (or completers) of a title on a board of rates"
    )
    metrics_port: int = Field(0, ge=0, le=65_535, description="port for metrics and probes; 0: none")
    metrics_host: str = Field("127.0.0.1", description="address that this port listens on")
    dashboard_port: int = Field(8421, ge=0, le=65_535, description="port of the dashboard; 0: any free port")
    dashboard_host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]{1,253}$")] = Field(
        "127.0.0.1", description="address that this port listens on; plain HTTP, so put a TLS proxy in front"
    )
    read_key_file: str = Field(
        "", description="file of the keys, one a line, that the dashboard and its API require; empty: none is needed"
    )
    collect_sources: str = Field(
        "", description="file of the sources that may post to `encore collect`, with their write keys (TOML)"
    )
    collect_port: int = Field(8422, ge=0, le=65_535, description="port of `encore collect`; 0: any free port")
    collect_host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]{1,253}$")] = Field(
        "127.0.0.1", description="address to listen on; plain HTTP, so put a TLS proxy in front"
    )
    collect_origins: str = Field(
        "", description="origins whose pages may post from a browser (CORS), separated by commas; *: all; empty: none"
    )
    collect_body_kib: int = Field(
        1024, ge=1, le=16_384, description="KiB that a body may have, as it is sent and after inflation"
    )
    collect_waiting_mib: int = Field(
        64, ge=1, le=65_536, description="MiB of bodies that may wait for Kafka; above it requests are answered 429"
    )
    collect_timeout_s: float = Field(
        10, ge=1, le=120, description="seconds to wait for Kafka before a request is answered 503"
    )
    webhook: Annotated[str, AfterValidator(_webhook)] = Field(
        "", description="URL to which `encore notify` sends verdicts"
    )
    webhook_secret_file: str = Field("", description="file with the secret that signs these messages, `whsec_…`")
    webhook_group: Name = Field("webhook", description="consumer group in Redis; each webhook needs its own")
    webhook_timeout_s: float = Field(15, ge=1, le=300, description="seconds that a webhook may take to answer")
    archive: Annotated[str, AfterValidator(_archive)] = Field(
        "", description="where `encore archive` keeps the source: a folder, s3://BUCKET/PREFIX, gs://… or az://…"
    )
    archive_file_s: float = Field(60, ge=1, le=3600, description="seconds after which a file of the archive is written")
    archive_file_mib: int = Field(
        64, ge=1, le=1024, description="MiB of a partition's records in memory after which its file is written"
    )
    archive_memory_mib: int = Field(
        256, ge=1, le=65_536, description="MiB of all partitions' records in memory after which the largest is written"
    )
    bridge_household: str = Field(
        "",
        description="field of a foreign message with the household, such as context.groupId; empty: the schema's",
    )
    bridge_title: str = Field("", description="field of a foreign message with the title; empty: the schema's")
    bridge_profile: str = Field("", description="field of a foreign message with the profile; empty: the schema's")
    bridge_kids: str = Field("", description="ids of profiles of kids in foreign messages, separated by commas")
    bridge_time_zone: str = Field("", description="zone of households whose foreign messages state none (IANA name)")
    bridge_households_topic: Annotated[str, AfterValidator(_optional_topic)] = Field(
        "", description="compacted topic that maps each user to a household; empty: each user is a household"
    )
    bridge_session_hours: int = Field(
        48, ge=5, le=8760, description="hours that a bridge remembers a foreign session after its last record"
    )
    failpoint: Annotated[str, Field(pattern=FORM)] = Field(
        "", description="for tests: MOMENT[:N][:kill|:freeze], the moment at which a worker kills or freezes itself"
    )
    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = Field(
        "info", description="debug, info, warning or error"
    )
    log_format: Annotated[str, Field(pattern="^(auto|text|json)$")] = Field(
        "auto", description="text, json (one object per line), or auto: text in a terminal, otherwise json"
    )


class Settings(RuleSettings, RunSettings):
    """All settings of every command. Environment: `ENCORE_` and the field's name in capitals."""

    @model_validator(mode="after")
    def _what_is_kept_outlives_its_events(self) -> Settings:
        if self.hour_retention_days * 24 < self.hour_grace_hours:
            raise ValueError(
                f"hour_retention_days={self.hour_retention_days}: must be at least as long as hour_grace_hours,"
                f" {self.hour_grace_hours} hours"
            )
        if self.day_retention_days <= self.grace_days + RETURN_DAYS[-1]:
            raise ValueError(
                f"day_retention_days={self.day_retention_days}: must be more than"
                f" {self.grace_days + RETURN_DAYS[-1]}: grace_days ({self.grace_days}) plus the {RETURN_DAYS[-1]} days"
                " in which a household may return"
            )
        least_days = LAST_WEEK * 7 + self.grace_days + RETURN_DAYS[-1]
        if self.age_retention_days <= least_days:
            raise ValueError(
                f"age_retention_days={self.age_retention_days}: must be more than {least_days}: {LAST_WEEK} weeks plus"
                f" grace_days ({self.grace_days}) plus the {RETURN_DAYS[-1]} days in which a household may return"
            )
        if self.forget_days <= self.grace_days:
            raise ValueError(f"forget_days={self.forget_days}: must be more than grace_days ({self.grace_days})")
        return self

    @model_validator(mode="after")
    def _a_posted_body_has_room(self) -> Settings:
        # It may be held twice: as it was sent, and inflated.
        if self.collect_waiting_mib * 1024 < 2 * self.collect_body_kib:
            raise ValueError(
                f"collect_waiting_mib={self.collect_waiting_mib}: must be at least twice collect_body_kib"
                f" ({self.collect_body_kib} KiB)"
            )
        return self

    @model_validator(mode="after")
    def _verdicts_are_sent_safely(self) -> Settings:
        parts = urlsplit(self.webhook)
        if parts.scheme == "http":
            node = (parts.hostname or "", parts.port or 80)
            insist_on_tls("webhook", self.webhook, [node], read_allowed(self.allow_plaintext), "https://")
        return self

    @model_validator(mode="after")
    def _all_keys_are_on_one_node(self) -> Settings:
        if self.redis and read_address(self.redis).kind == CLUSTER and not hash_tag(self.redis_prefix):
            raise ValueError(
                f"redis_prefix={self.redis_prefix!r}: on a Redis Cluster the prefix needs a hash tag, such as"
                f" {{{self.redis_prefix.strip(':{}') or 'encore'}}}:, so that all keys are on one node"
            )
        return self

    @model_validator(mode="after")
    def _schemas_are_somewhere(self) -> Settings:
        if self.source_format != "json" and not self.schema_registry:
            raise ValueError(f"schema_registry='': must not be empty, because source_format is {self.source_format}")
        return self

    def retention(self) -> Retention:
        """How long windows are kept, in the units of `models`."""
        return Retention(
            hour_ms=self.hour_retention_days * DAY_MS,
            day_ms=self.day_retention_days * DAY_MS,
            age_ms=self.age_retention_days * DAY_MS,
        )

    @property
    def state_topic(self) -> str:
        """The changelog: `<app_id>-state`, one partition for each of the source."""
        return f"{self.app_id}-state"


SECRETS = tuple(name for name, field in Settings.model_fields.items() if field.annotation is SecretStr)
"""The secret settings. They have no option, as other users can see a command's arguments."""


SERVERS = ("kafka", "redis", "schema_registry")
"""The settings that are a server's address."""


def kin(name: str) -> tuple[str, ...]:
    """The settings that belong to the address of a server. A command with that option gets these, too."""
    if name not in SERVERS:
        return ()
    own = (each for each in Settings.model_fields if each.startswith(f"{name}_") and each != "redis_prefix")
    return (*(each for each in own if each not in SECRETS), "allow_plaintext")


def load(**given: Any) -> Settings:
    """Settings from the environment, with `given` (None: not given) on top.

    Raises `BadSetting` with one line for the first setting that cannot be used, or that is misspelt.
    """
    if problem := misspelt(os.environ, map(variable, Settings.model_fields)):
        raise BadSetting(problem)
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise BadSetting(_first_problem(error)) from None


_SETTING = re.compile(r"(?<![\w./'=-])[a-z]+(?:_[a-z]+)+(?![\w./'=-])")
"""What may name another setting: words joined by underscores, not in a path or a value."""


def _by_variable(found: re.Match[str]) -> str:
    return variable(found[0]) if found[0] in Settings.model_fields else found[0]


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    reason = _SETTING.sub(_by_variable, re.sub(r"^Value error, ", "", problem["msg"]))
    if not problem["loc"]:
        field, _, rest = reason.partition("=")
        return f"{variable(field)}={rest}"
    field = str(problem["loc"][0])
    what = Settings.model_fields[field].description if field in Settings.model_fields else "no such setting"
    given = "***" if field in SECRETS else without_password(repr(problem["input"]))
    return f"{variable(field)}={given}: {reason} ({what})"
