"""Random logs of playback events, made to sit on the rules' thresholds.

Everything is drawn from one `Random`, Hypothesis's or a seeded one, so a log is small to state and to repeat.
Titles are short and graces narrow in most logs: completions, lateness and forgetting happen within a few events. Others
go on for weeks, so that days are filled, streaks begin and end, titles grow old and windows leave.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from hypothesis import strategies as st

from models.catalog import CatalogRow, read_title
from models.erasure import digest_of
from models.events import END_OF_CALENDAR_MS
from models.fold import Fold
from models.fold_changes import FoldChanges
from models.partitioner import partition_of
from models.pseudonymous_record import PseudonymousRecord
from models.pseudonyms import Pseudonyms
from models.rules import DAY_MS, HOUR_MS, Rules
from models.windows import KEPT_FOR, Retention
from streams.config.zones import Zones, installed_zones, rules_of
from streams.verify import Catalog, Expected, RawRecord, recompute
from streams.verify import CatalogRow as TakenIn
from streams.verify.reading import from_archive
from streams.verify.zones import ZoneRow

MIDNIGHT = 1_750_032_000_000
NARROW = Rules(
    starter_ms=8_000, viewer_ms=20_000, play_ms=1_000, autoplay_play_ms=6_000, audience_ms=8_000,
    longest_interval_ms=60_000, gap_ms=30_000, spread_ms=9_999, grace_ms=90_000, future_ms=5_000,
    hour_grace_ms=40_000, forget_ms=300_000, watching_ms=20_000, streak_day_ms=8_000,
)  # fmt: skip
DAILY = Rules(
    starter_ms=8_000, viewer_ms=20_000, autoplay_play_ms=6_000, audience_ms=15_000, longest_interval_ms=4 * HOUR_MS,
    gap_ms=29_999, spread_ms=5_000, completion_percent=90, end_percent=70, grace_ms=3 * DAY_MS,
    hour_grace_ms=20 * HOUR_MS, forget_ms=15 * DAY_MS, watching_ms=60_000, streak_day_ms=8_000,
)  # fmt: skip
OTHER_DAYPARTS = Rules(
    starter_ms=8_000, viewer_ms=20_000, audience_ms=20_000, longest_interval_ms=HOUR_MS, gap_ms=120_000,
    spread_ms=29_999, grace_ms=90 * DAY_MS, forget_ms=200 * DAY_MS, streak_day_ms=5_000,
    dayparts="night=00:00-06:00,school=06:00-18:00/mon-wed+fri,matinee=10:00-18:00/sat",
)  # fmt: skip
SHORTLY = Retention(hour_ms=DAY_MS, day_ms=5 * DAY_MS, age_ms=735 * DAY_MS)
"""As short as the narrow and the daily rules allow."""

BEGINNINGS_MS = (1_742_990_400_000, 1_743_894_000_000, 1_761_346_800_000, 1_762_048_800_000)
"""In 2025, a few days or hours before the clocks change in Europe, Australia, Europe again and America."""

TITLES = ("film", "séries/1 %", "t")
HOUSEHOLDS = ("home", "h-2", "ménage")
KINDS = ("start", "play", "pause", "buffer", "seek", "rate", "stop", "end")
LENGTHS = (1, 2_499, 2_500, 5_000, 7_501, 9_999, 12_500, 50_000, 60_000, 62_500, 100_003)
SPEEDS = (1.0, 1.0, 1.0, 1.25, 1.5, 2.0, 2.1, 2.101)
"""How fast players play that state no rate."""

PROFILES = ("mia", "ben", "", None, *(f"profile {number}" for number in range(18)))
RATES = (0, 0.1, 0.5, 1, 1.0, 1.0005, 1.25, 2, 4.0004, 9)
ZONES = ("UTC", "Europe/Berlin", "Nowhere/Else", "")
FAR_ZONES = (
    "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Adelaide", "America/Havana",
    "Pacific/Kiritimati", "Etc/GMT+12", "Nowhere/Else",
)  # fmt: skip
ZONE_NAMES = sorted({*ZONES, *FAR_ZONES} - {""})
FRANCHISES = (None, "", "saga", "saga", "saga", "other: é")
AGES_MS = (*(days * DAY_MS for days in (0, 3, 7, 28, 35, 91, 728)), 14 * DAY_MS + 1_234_567, -HOUR_MS)
UUIDS = [str(UUID(int=number * 0x1234567_89ABCDEF_01234567)) for number in range(1, 60)]
LONG_TEXTS = {"x": (64, 65, 256, 257), "é": (32, 65, 128, 257), "\\u00e9": (32, 65, 128, 257)}
VALUES = (
    "null", "true", "5", "5.0", "-1", "-0", "-0.0", "1e2", "1E400", "-1e-400", "01", "+1", ".5", "NaN", "Infinity",
    "604800000", "604800001", "-9223372036854775808", "9223372036854775807", "9223372036854775808",
    "-9223372036854775809", "1" + "0" * 30, "1" + "0" * 400, '""', '"x"', '"\\ud800"', '"\\ud83d\\ude00"',
    '"\\udc00\\ud800"', '"\\u0000"', '"\x00"', '"a\tb"', '"\\x"', '"main"', '"trailer"', '"kids"', '"adult"',
    '"home"', '"UTC"', "[]", "{}", '{"a":1}', "[" * 3 + "]" * 3, "", "253402300799999", "253402300800000",
    *(f'"{letter * number}"' for letter, numbers in LONG_TEXTS.items() for number in numbers),
)  # fmt: skip
ODD_NAMES = ('"seq"', '"playback_rate"', '"unknown"', '"\\ud800"')


ZONES_READ = Zones()
DATA = installed_zones()
"""The zones' data: that of one zone stands in for what a later version says of another."""


class LogRecord(NamedTuple):
    """A Kafka record, as far as a fold looks at it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Step(NamedTuple):
    """The next record of a partition, after the catalog rows taken in and the silence that passed before it.

    `erased` are the households forgotten before it, by digest: the offset below which their records do not count;
    `zones` is the zone data taken in before it.
    """

    partition: int
    titles: list[tuple[str, CatalogRow | None]]
    record: LogRecord | PseudonymousRecord
    silent_ms: int | None = None
    erased: dict[str, int] = {}  # noqa: RUF012 (nobody changes it)
    zones: dict[str, bytes] = {}  # noqa: RUF012


KEY = b"a key for pseudonyms of 32 bytes"


@dataclass
class Log:
    """A source topic's records in the order of their arrival, and what they are read by.

    `silent_ms` is the silence that passed after each partition's last record. By a `key` households bear pseudonyms.
    Zones are those installed, or none but what is taken in.
    """

    rules: Rules
    partitions: int
    steps: list[Step]
    retention: Retention = KEPT_FOR
    silent_ms: dict[int, int] = field(default_factory=dict)
    key: bytes | None = None
    takes_in_zones: bool = False

    @property
    def pseudonyms(self) -> Pseudonyms | None:
        return None if self.key is None else Pseudonyms(self.key)

    def fold(self, number: int) -> Fold:
        """An empty fold of a partition."""
        return Fold(
            self.rules,
            partition=number,
            partitions=self.partitions,
            zones=None if self.takes_in_zones else ZONES_READ,
            retention=self.retention,
            pseudonyms=self.pseudonyms,
        )

    def folded(self) -> list[tuple[Fold, list[FoldChanges]]]:
        """Each partition's fold after all its records, and what its drains gave."""
        folds: list[tuple[Fold, list[FoldChanges]]] = [(self.fold(number), []) for number in range(self.partitions)]
        for step in self.steps:
            fold, changes = folds[step.partition]
            changes += take(fold, step)
        for number, (fold, changes) in enumerate(folds):
            fold.advance_clock(self.silent_ms.get(number, -1))
            changes.append(fold.drain(1))
        return folds

    def recomputed(self, there: Collection[str] = ()) -> Expected:
        """What the independent recomputation makes of it, where these hashes are there."""
        taken_in: dict[int, list[TakenIn]] = {}
        silent: dict[int, dict[int, int]] = {number: {2**62: at} for number, at in self.silent_ms.items()}
        erasures: dict[int, dict[tuple[int, str], int]] = {}
        zones: dict[int, list[ZoneRow]] = {}
        for number, titles, record, silent_ms, erased, data in self.steps:
            zones.setdefault(number, []).extend(ZoneRow(record.offset, *each) for each in data.items())
            for digest, until in erased.items():
                erasures.setdefault(number, {})[record.offset, digest] = until
            for title_id, row in titles:
                text = msgspec.json.encode(row) if row is not None else b""
                taken_in.setdefault(number, []).append(TakenIn(record.offset, title_id, text))
            if silent_ms is not None:
                silent.setdefault(number, {})[record.offset] = silent_ms
        records = [_raw(step) for step in self.steps]
        current = {title_id: msgspec.json.encode(row) for title_id, row in self.catalog().items()}
        return recompute(
            records,
            Catalog(taken_in, current),
            self.rules,
            self.partitions,
            silent=silent,
            erasures=erasures,
            zones=zones,
            there=there,
            pseudonym_key=self.key,
        )

    def catalog(self) -> dict[str, CatalogRow]:
        """The catalog as it is in the end."""
        rows = dict(pair for step in self.steps for pair in step.titles)
        return {title_id: row for title_id, row in rows.items() if row is not None}


def _raw(step: Step) -> RawRecord:
    if isinstance(step.record, PseudonymousRecord):
        return from_archive(step.record)
    return RawRecord(step.partition, *step.record)


def take(fold: Fold, step: Step) -> list[FoldChanges]:
    """Let a fold take the next step. The catalog is taken in between checkpoints: what a drain before it gave."""
    changes = apply_controls(fold, step)
    fold.apply([step.record])
    return changes


def apply_controls(fold: Fold, step: Step) -> list[FoldChanges]:
    """The part of a step that comes before its record."""
    changes = [fold.drain(1)] if step.titles or step.erased else []
    for title_id, row in step.titles:
        fold.apply_catalog_row(title_id, row)
    if step.zones:
        fold.apply_zones({name: rules_of(data) for name, data in step.zones.items()})
    if step.silent_ms is not None:
        fold.advance_clock(step.silent_ms)
    if step.erased:
        fold.erase(step.erased)
    return changes


@dataclass
class Player:
    """A session as its player sees it."""

    household: str
    title: str
    session: str
    time_ms: int
    position_ms: int = 0
    rate: float | None = None
    speed: float = 1.0
    seq: int | None = None
    told: int = 0
    extra: dict[str, Any] = field(default_factory=dict)


class Writer:
    """Writes one random log; with `turning_zones` one whose events bear zones, of which the data changes often.

    If it is `pseudonymous` there is a key, otherwise sometimes.
    """

    def __init__(self, random: Random, events: int, *, turning_zones: bool = False, pseudonymous: bool = False) -> None:
        self.random = random
        self.rules = random.choice((NARROW, NARROW, DAILY, DAILY, OTHER_DAYPARTS, Rules()))
        self.goes_on_for_days = self.rules in (DAILY, OTHER_DAYPARTS)
        self.retention = random.choice((KEPT_FOR, SHORTLY)) if self.rules in (NARROW, DAILY) else KEPT_FOR
        self.partitions = random.choice((1, 1, 2, 3))
        self.clock_ms = random.choice((MIDNIGHT, *BEGINNINGS_MS)) - random.choice((0, 1, 10_000, HOUR_MS))
        self.begin_ms = self.clock_ms
        self.first = {number for number in range(self.partitions) if random.random() < 0.7}
        self.players: list[Player] = []
        self.visits: list[tuple[Player, str, int]] = []
        self.written: list[tuple[int, bytes | None, bytes | None]] = []
        self.offsets = [random.choice((0, 5))] * self.partitions
        self.events = events
        self.key = KEY if pseudonymous else random.choice((None, None, KEY))
        self.pseudonyms = None if self.key is None else Pseudonyms(self.key)
        self.is_forgetful = random.random() < 0.3
        self.lengths: dict[str, int] = {}
        self.takes_in_zones = random.random() < 0.5 or turning_zones
        self.turning_zones = turning_zones
        self.without_zones = set(range(self.partitions))

    def log(self) -> Log:
        steps = list(self._steps())
        silent_ms = {number: self._silent_ms() for number in range(self.partitions) if self.random.random() < 0.3}
        return Log(self.rules, self.partitions, steps, self.retention, silent_ms, self.key, self.takes_in_zones)

    def _steps(self) -> Iterator[Step]:
        for _ in range(self.events):
            partition, key, value = self._record()
            self.written.append((partition, key, value))
            offset = self.offsets[partition]
            self.offsets[partition] += self.random.choice((1, 1, 1, 2))
            silent_ms = self._silent_ms() if self.random.random() < 0.03 else None
            record = LogRecord(offset, self._timestamp_ms(), key, value)
            yield Step(
                partition, self._titles(partition), record, silent_ms, self._erased(offset), self._zones(partition)
            )

    def _zones(self, partition: int) -> dict[str, bytes]:
        """Of some names the data, at first of most that events bear, then of a few: that of any zone."""
        if not self.takes_in_zones or (
            partition not in self.without_zones and self.random.random() > (0.4 if self.turning_zones else 0.05)
        ):
            return {}
        names = ZONE_NAMES if partition in self.without_zones else self.random.sample(ZONE_NAMES, 3)
        self.without_zones.discard(partition)
        data = [DATA[name] for name in ZONE_NAMES if name in DATA]
        return {name: self.random.choice(data) for name in names if self.random.random() < 0.8}

    def _erased(self, offset: int) -> dict[str, int]:
        if not self.is_forgetful or self.random.random() > 0.05:
            return {}
        chosen = self.random.sample(HOUSEHOLDS, self.random.choice((1, 1, 2)))
        names = chosen if self.pseudonyms is None else [self.pseudonyms.of(name.encode()) for name in chosen]
        return {digest_of(name): max(0, offset + self.random.choice((-5, 0, 0, 1, 10))) for name in names}

    def _silent_ms(self) -> int:
        watching_ms = self.rules.watching_ms
        passed_ms = (0, watching_ms - 1, watching_ms, watching_ms + 1, 10_000, HOUR_MS, DAY_MS, 3 * DAY_MS)
        return self.clock_ms + self.random.choice(passed_ms) - self.random.choice((0, 0, 10_000))

    def _titles(self, partition: int) -> list[tuple[str, CatalogRow | None]]:
        if partition in self.first:
            self.first.remove(partition)
            return [(title, self._catalog_row(title)) for title in TITLES]
        if self.random.random() > 0.04:
            return []
        chosen = self.random.sample(TITLES, self.random.choice((1, 1, 2)))
        return [(title, self._catalog_row(title)) for title in chosen]

    def _catalog_row(self, title: str) -> CatalogRow | None:
        if self.random.random() < 0.15:
            return None
        row: dict[str, Any] = {"title_id": title}
        for name, likely in (("runtime_ms", 0.8), ("credits_start_ms", 0.3)):
            if self.random.random() < likely:
                row[name] = self.random.choice((*LENGTHS, 0, -5))
        if self.random.random() < 0.1:
            row["content_kind"] = self.random.choice(("main", "trailer"))
        if self.random.random() < 0.7:
            row["franchise_id"] = self.random.choice(FRANCHISES)
        if self.random.random() < 0.7:
            begin_ms = self.random.choice((self.begin_ms, self.clock_ms))
            row["release_time_ms"] = begin_ms - self.random.choice(AGES_MS) + self.random.choice((-1, 0, 0, 1, 10_000))
        self.lengths[title] = max(0, row.get("runtime_ms", 0))
        return read_title(title.encode(), json.dumps(row).encode())

    def _timestamp_ms(self) -> int:
        rules, chance = self.rules, self.random.random()
        if self.random.random() < 0.003:
            return self.random.choice((-(2**62), -1, 0, END_OF_CALENDAR_MS - 1, END_OF_CALENDAR_MS))
        if chance < (0.005 if self.goes_on_for_days else 0.02):
            far = self.random.choice((rules.grace_ms, rules.hour_grace_ms, rules.forget_ms, DAY_MS, HOUR_MS))
            self.clock_ms += far + self.random.choice((-1, 0, 1))
        elif chance < 0.9:
            self.clock_ms += self.random.choice((0, 0, 1, 500))
        else:
            return self.clock_ms - self.random.choice((1, 1_000, rules.future_ms, rules.grace_ms + 1))
        return self.clock_ms

    def _record(self) -> tuple[int, bytes | None, bytes | None]:
        chance = self.random.random()
        if self.written and chance < 0.08:
            return self.random.choice(self.written)
        event = self._event()
        key = str(event["household_id"]).encode()
        home = partition_of(key, self.partitions)
        partition = home if self.random.random() < 0.97 else self.random.randrange(self.partitions)
        value: bytes | None = json.dumps(event, ensure_ascii=self.random.random() < 0.5).encode()
        if chance < 0.12:
            key, value = mutated(self.random, event)
        return partition, key, value

    def _event(self) -> dict[str, Any]:
        if self.goes_on_for_days and not self.visits and self.random.random() < 0.2:
            self._turn_to_another_day()
        player, kind, elapsed_ms = self.visits.pop(0) if self.visits else self._anything()
        player.told += 1
        before_ms = player.position_ms
        player.time_ms += elapsed_ms
        player.position_ms = max(0, before_ms + self._advanced_ms(player, elapsed_ms))
        if kind in ("start", "play") and self.random.random() < 0.2:
            self._replay(player)
        event = {
            "event_id": self.random.choice((f"e{player.told}", UUIDS[player.told % len(UUIDS)], "same")),
            "event_type": kind,
            "event_time_ms": player.time_ms,
            "household_id": player.household,
            "title_id": player.title,
            "play_session_id": player.session,
            "position_ms": player.position_ms,
            **player.extra,
        }
        if kind == "seek":
            self._seek(player, event)
        self._tell_more(player, event)
        # The clock follows the players, mostly, so that what they tell is neither late nor ahead.
        if self.clock_ms < player.time_ms and self.random.random() < 0.95:
            self.clock_ms = player.time_ms
        return event

    def _anything(self) -> tuple[Player, str, int]:
        player, random = self._player(), self.random
        if random.random() < 0.06:
            # Long enough for a speed to be found, lost and found again.
            self.visits += [(player, "heartbeat", 10_000)] * random.choice((3, 4, 8))
        elif random.random() < 0.03:
            return self._counts_anew(player)
        kind = "heartbeat" if random.random() < 0.6 else random.choice(KINDS)
        return player, kind, self._elapsed_ms()

    def _counts_anew(self, player: Player) -> tuple[Player, str, int]:
        """A player that starts its numbers again, about a minute later."""
        if player.seq is not None:
            player.seq = self.random.choice((0, 0, 1, player.seq))
        return player, "heartbeat", self.random.choice((59_999, 60_000, 60_001, 70_000))

    def _replay(self, player: Player) -> None:
        """Go back, by about a minute or to about the first one."""
        before_ms = player.position_ms
        at_ms = self.random.choice((0, 0, 59_999, 60_000, before_ms - 60_000, before_ms - 59_999))
        player.position_ms = min(max(0, at_ms), before_ms)

    def _turn_to_another_day(self) -> None:
        """Most households come back at the time of day that is theirs; some tell of the day before first."""
        random = self.random
        self.clock_ms += random.choice((*[DAY_MS] * 8, 2 * DAY_MS, 3 * DAY_MS, 6 * HOUR_MS, 900_000))
        for player in self.players[-4:]:
            if random.random() < 0.9:
                ago_ms = self.clock_ms - player.time_ms - random.choice((*[0] * 7, DAY_MS))
                self.visits += [
                    (player, "start", ago_ms),
                    (player, "heartbeat", random.choice((5_000, 10_000, 10_000))),
                ]

    def _player(self) -> Player:
        random = self.random
        if self.players and random.random() < (0.95 if self.goes_on_for_days else 0.85):
            player = random.choice(self.players[-4:])
            if random.random() < 0.1:
                player.time_ms = self.clock_ms
            return player
        session = random.choice(("a", "b", "c", UUIDS[0]))
        player = Player(random.choice(HOUSEHOLDS), random.choice(TITLES), session, self.clock_ms)
        player.seq = random.choice((None, None, 0, 0, 0, -(2**63)))
        player.speed = random.choice(SPEEDS)
        player.position_ms = random.choice((0, 0, 0, 2_499, 2_500, 30_000))
        if random.random() < 0.3:
            player.extra["profile_kind"] = random.choice(("kids", "general", None))
        if (self.goes_on_for_days or self.turning_zones) and random.random() < 0.8:
            player.extra["time_zone"] = random.choice(FAR_ZONES)
        if random.random() < 0.5:
            player.extra["profile_id"] = random.choice(PROFILES)
        if random.random() < 0.2:
            player.extra["autoplay"] = random.choice((True, False, None))
        self.players.append(player)
        return player

    def _elapsed_ms(self) -> int:
        chance = self.random.random()
        if chance < 0.7:
            return self.random.choice((1_000, 2_500, 5_000, 10_000, 29_999))
        if chance < 0.85:
            return self.random.choice((0, 1, 49, 2_499, 4_999, -1, -3_000))
        rules = self.rules
        edge_ms = self.random.choice((rules.longest_interval_ms, rules.gap_ms, rules.spread_ms, 60_000))
        return edge_ms + self.random.choice((-1, 0, 1, 1))

    def _advanced_ms(self, player: Player, elapsed_ms: int) -> int:
        stated = player.speed if player.rate is None else player.rate
        rate, chance = min(4000, max(100, round(stated * 1000))), self.random.random()
        if chance < (0.55 if player.rate is not None else 0.75):
            return max(0, elapsed_ms * rate // 1000)
        if chance < 0.65:
            return self._looped_ms(player, elapsed_ms, rate)
        budget_ms = elapsed_ms * rate * self.random.choice((102, 102, 98, 90)) // 100_000
        if chance < 0.78:
            return budget_ms + self.random.choice((0, 5_000, 2_500, -5_000)) + self.random.choice((-1, 0, 1))
        if chance < 0.85:  # to the edge of a cell's midpoint
            return 5_000 * self.random.randrange(13) + 2_500 + self.random.choice((-1, 0, 1)) - player.position_ms
        if chance < 0.95:  # to a threshold's share of a length
            length_ms = self.random.choice(LENGTHS)
            return (
                length_ms * self.random.choice((5, 7, 8, 9)) // 10 + self.random.choice((-1, 0, 1)) - player.position_ms
            )
        return self.random.choice((0, -1, -5_000, -player.position_ms, 604_800_000 - player.position_ms))

    def _looped_ms(self, player: Player, elapsed_ms: int, rate: int) -> int:
        """Around the end of a title: at its speed, or at the edges of what is a loop."""
        played_ms = elapsed_ms * rate * self.random.choice((100, 100, 98, 102)) // 100_000
        played_ms += self.random.choice((0, 0, 5_000, -5_000)) + self.random.choice((-1, 0, 0, 1))
        return played_ms - self.random.choice((*LENGTHS, self._length_ms(player)))

    def _length_ms(self, player: Player) -> int:
        return self.lengths.get(player.title, 0)

    def _seek(self, player: Player, event: dict[str, Any]) -> None:
        if self.random.random() < 0.7:
            event["seek_from_ms"] = player.position_ms
        if self.random.random() < 0.2:
            event["seek_from_ms"] = self.random.choice((-1, 0, 604_800_000, None))
        player.position_ms = event["position_ms"] = self.random.choice((0, 0, 2_500, player.position_ms, 45_000))

    def _tell_more(self, player: Player, event: dict[str, Any]) -> None:
        random = self.random
        if player.seq is not None:
            player.seq += random.choice((1, 1, 1, 1, 0, 2, -1 if player.seq > -(2**63) else 0))
            event["seq"] = player.seq if random.random() < 0.9 else None
        if event["event_type"] == "rate" or random.random() < 0.05:
            player.rate = event["playback_rate"] = random.choice(RATES)
        for name, choices in (
            ("runtime_ms", (*LENGTHS, 59_999, 0, -1)),
            ("credits_start_ms", (*LENGTHS, 59_999, 0)),
            ("time_zone", ZONES),
            ("content_kind", ("main", "main", "trailer", "bonus", None)),
            ("autoplay", (True, False)),
            ("profile_kind", ("kids", "general")),
            ("profile_id", PROFILES),
            ("seek_from_ms", (0, 99_999)),
            ("event_time_ms", self._odd_times_ms()),
        ):
            if random.random() < 0.03:
                event[name] = random.choice(choices)

    def _odd_times_ms(self) -> tuple[int, ...]:
        rules, clock_ms = self.rules, self.clock_ms
        edges = (clock_ms + rules.future_ms, clock_ms - rules.grace_ms, clock_ms - rules.hour_grace_ms)
        return (0, *(edge + off for edge in edges for off in (-1, 0, 1, -500)))


LOGS = st.builds(lambda seed, events: Writer(Random(seed), events).log(), st.integers(0, 2**32), st.integers(1, 150))


def mutated(random: Random, event: dict[str, Any]) -> tuple[bytes | None, bytes | None]:
    """Key and value of a record that is an event no more, or just still one."""
    key: bytes | None = str(event["household_id"]).encode()
    members = [(json.dumps(name), json.dumps(value)) for name, value in event.items()]
    for _ in range(random.choice((1, 1, 2))):
        name = random.choice((*(name for name, _ in members), *ODD_NAMES))
        without = [pair for pair in members if pair[0] != name]
        members = [*random.choice((members, without)), (name, random.choice(VALUES))]
        if random.random() < 0.15:
            members.pop(random.randrange(len(members)))
    random.shuffle(members)
    value: bytes | None = ("{" + ", ".join(f"{name}: {text}" for name, text in members) + "}").encode()
    assert value is not None
    chance = random.random()
    if chance < 0.1:
        place = random.randrange(len(value))
        value = value[:place] + bytes([random.randrange(256)]) + value[place + random.choice((0, 1)) :]
    elif chance < 0.14:
        value = value[: random.randrange(len(value))]
    elif chance < 0.2:
        value = random.choice(
            (None, b"", b"null", b"[]", b"\xef\xbb\xbf" + value, value + b" x", b" \n" + value + b"\t")
        )
    elif chance < 0.22:
        value = value + b" " * random.choice((65_536 - len(value), 65_537 - len(value)))
    elif chance < 0.24:
        key = random.choice((None, b"", b"other"))
    return key, value
