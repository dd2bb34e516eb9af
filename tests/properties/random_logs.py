"""Random logs of playback events, made to sit on the rules' thresholds, and what the two readings make of them.

Everything is drawn from one `Random`, Hypothesis's or a seeded one, so a log is small to state and to repeat.
Titles are short and graces narrow in most logs: completions, lateness and forgetting happen within a few events.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

import msgspec
from hypothesis import strategies as st

from models.catalog import CatalogRow, read_title
from models.fold import TITLE, Changes, Fold, TallyKey
from models.partitioner import partition_of
from models.published import stream_fields, title_fields, window_fields
from models.rules import DAY_MS, HOUR_MS, Rules
from streams.kept import kept_records
from streams.keys import Keys
from streams.oracle import Catalog, Expected, Kept, Milestone, RawRecord, recompute
from streams.oracle import CatalogRow as TakenIn
from streams.oracle.kept import held
from streams.settings import Settings
from streams.transactions import Kept as Written
from streams.zones import zone_names

MIDNIGHT = 1_750_032_000_000
NARROW = Rules(
    starter_ms=8_000, viewer_ms=20_000, play_ms=1_000, autoplay_play_ms=6_000, longest_interval_ms=30_000,
    grace_ms=90_000, future_ms=5_000, hour_grace_ms=40_000, forget_ms=300_000,
)  # fmt: skip
TITLES = ("film", "séries/1 %", "t")
HOUSEHOLDS = ("home", "h-2", "ménage")
KINDS = ("start", "play", "pause", "buffer", "seek", "rate", "stop", "end")
LENGTHS = (1, 2_499, 2_500, 5_000, 7_501, 9_999, 12_500, 50_000, 60_000, 62_500, 100_003)
RATES = (0, 0.1, 0.5, 1, 1.0, 1.0005, 1.25, 2, 4.0004, 9)
ZONES = ("UTC", "Europe/Berlin", "Nowhere/Else", "")
VALUES = (
    "null", "true", "5", "5.0", "-1", "-0", "-0.0", "1e2", "1E400", "-1e-400", "01", "+1", ".5", "NaN", "Infinity",
    "604800000", "604800001", "-9223372036854775808", "9223372036854775807", "9223372036854775808",
    "-9223372036854775809", "1" + "0" * 30, "1" + "0" * 400, '""', '"x"', '"\\ud800"', '"\\ud83d\\ude00"',
    '"\\udc00\\ud800"', '"\\u0000"', '"\x00"', '"a\tb"', '"\\x"', '"main"', '"trailer"', '"kids"', '"adult"',
    '"home"', '"UTC"', "[]", "{}", '{"a":1}', "[" * 3 + "]" * 3, "", "253402300799999", "253402300800000",
)  # fmt: skip
ODD_NAMES = ('"seq"', '"playback_rate"', '"unknown"', '"\\ud800"')


class LogRecord(NamedTuple):
    """A Kafka record, as far as a fold looks at it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Step(NamedTuple):
    """The next record of a partition, after the catalog rows that are taken in before it."""

    partition: int
    titles: list[tuple[str, CatalogRow | None]]
    record: LogRecord


@dataclass
class Log:
    """A source topic's records in the order of their arrival, and the rules they are read by."""

    rules: Rules
    partitions: int
    steps: list[Step]

    def folds(self) -> list[Fold]:
        """An empty fold for each partition."""
        return [
            Fold(self.rules, partition=number, partitions=self.partitions, zones=zone_names())
            for number in range(self.partitions)
        ]

    def folded(self) -> list[Fold]:
        """Each partition's fold after all its records, not drained yet."""
        folds = self.folds()
        for step in self.steps:
            take(folds[step.partition], step)
        return folds

    def recomputed(self) -> Expected:
        """What the independent recomputation makes of it."""
        taken_in: dict[int, list[TakenIn]] = {}
        for step in self.steps:
            for title_id, row in step.titles:
                text = msgspec.json.encode(row) if row is not None else b""
                taken_in.setdefault(step.partition, []).append(TakenIn(step.record.offset, title_id, text))
        records = [RawRecord(step.partition, *step.record) for step in self.steps]
        current = {title_id: msgspec.json.encode(row) for title_id, row in self.catalog().items()}
        return recompute(records, Catalog(taken_in, current), self.rules, self.partitions)

    def catalog(self) -> dict[str, CatalogRow]:
        """The catalog as it is in the end."""
        rows = dict(pair for step in self.steps for pair in step.titles)
        return {title_id: row for title_id, row in rows.items() if row is not None}


def take(fold: Fold, step: Step) -> None:
    """Let a fold take the next step."""
    for title_id, row in step.titles:
        fold.take_in(title_id, row)
    fold.apply([step.record])


@dataclass
class Player:
    """A session as its player sees it."""

    household: str
    title: str
    session: str
    time_ms: int
    position_ms: int = 0
    rate: float = 1.0
    seq: int | None = None
    told: int = 0
    extra: dict[str, Any] = field(default_factory=dict)


class Writer:
    """Writes one random log."""

    def __init__(self, random: Random, events: int) -> None:
        self.random = random
        self.rules = random.choice((NARROW, NARROW, NARROW, Rules()))
        self.partitions = random.choice((1, 1, 2, 3))
        self.clock_ms = MIDNIGHT - random.choice((0, 1, 10_000, HOUR_MS))
        self.players: list[Player] = []
        self.written: list[tuple[int, bytes | None, bytes | None]] = []
        self.offsets = [random.choice((0, 5))] * self.partitions
        self.events = events

    def log(self) -> Log:
        return Log(self.rules, self.partitions, list(self._steps()))

    def _steps(self) -> Iterator[Step]:
        for _ in range(self.events):
            partition, key, value = self._record()
            self.written.append((partition, key, value))
            offset = self.offsets[partition]
            self.offsets[partition] += self.random.choice((1, 1, 1, 2))
            yield Step(partition, self._titles(), LogRecord(offset, self._timestamp_ms(), key, value))

    def _titles(self) -> list[tuple[str, CatalogRow | None]]:
        if self.random.random() > 0.05:
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
        return read_title(title.encode(), json.dumps(row).encode())

    def _timestamp_ms(self) -> int:
        rules, chance = self.rules, self.random.random()
        if chance < 0.02:
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
        player = self._player()
        player.told += 1
        kind = "heartbeat" if self.random.random() < 0.6 else self.random.choice(KINDS)
        elapsed_ms = self._elapsed_ms()
        before_ms = player.position_ms
        player.time_ms += elapsed_ms
        player.position_ms = max(0, before_ms + self._advanced_ms(player, elapsed_ms))
        event = {
            "event_id": self.random.choice((f"e{player.told}", f"e{player.told}", "same")),
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

    def _player(self) -> Player:
        random = self.random
        if self.players and random.random() < 0.85:
            player = random.choice(self.players[-4:])
            if random.random() < 0.1:
                player.time_ms = self.clock_ms
            return player
        player = Player(random.choice(HOUSEHOLDS), random.choice(TITLES), random.choice("abc"), self.clock_ms)
        player.seq = random.choice((None, None, 0, 0, -(2**63)))
        player.position_ms = random.choice((0, 0, 0, 2_499, 2_500, 30_000))
        if random.random() < 0.3:
            player.extra["profile_kind"] = random.choice(("kids", "general", None))
        if random.random() < 0.2:
            player.extra["autoplay"] = random.choice((True, False, None))
        self.players.append(player)
        return player

    def _elapsed_ms(self) -> int:
        longest_ms = self.rules.longest_interval_ms
        if self.random.random() < 0.7:
            return self.random.choice((1_000, 2_500, 5_000, 10_000, 29_999))
        return self.random.choice((0, 1, 49, 2_499, longest_ms - 1, longest_ms, longest_ms + 1, -1, -3_000))

    def _advanced_ms(self, player: Player, elapsed_ms: int) -> int:
        rate, chance = min(4000, max(100, round(player.rate * 1000))), self.random.random()
        if chance < 0.6:
            return max(0, elapsed_ms * rate // 1000)
        budget_ms = elapsed_ms * rate * 102 // 100_000
        if chance < 0.75:
            return budget_ms + self.random.choice((0, 5_000, 2_500)) + self.random.choice((-1, 0, 1))
        if chance < 0.85:  # to the edge of a cell's midpoint
            return 5_000 * self.random.randrange(13) + 2_500 + self.random.choice((-1, 0, 1)) - player.position_ms
        if chance < 0.95:  # to nine or seven tenths of a length
            length_ms = self.random.choice(LENGTHS)
            return length_ms * self.random.choice((7, 9)) // 10 + self.random.choice((-1, 0, 1)) - player.position_ms
        return self.random.choice((0, -1, -5_000, -player.position_ms, 604_800_000 - player.position_ms))

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


# -- what the two readings say, in the same words -----------------------------------------------------------------


Hashes = dict[str, dict[str, str]]
RATES_SHOWN = ("views", "completion_rate", "repeat_rate")


def kept(changes: list[Changes], topic: str) -> list[Kept | Milestone]:
    """What each partition's checkpoint writes into the topic of a setting, as the oracle holds it."""
    where = Settings()
    return [
        _kept(record)
        for number, of_partition in enumerate(changes)
        for record in kept_records(of_partition, where, number, "a topic's id")
        if record.topic == getattr(where, topic)
    ]


def _kept(record: Written) -> Kept | Milestone:
    headers = dict(record.headers)
    place = int(headers["partition"]), int(headers["offset"])
    if record.topic == Settings().milestones_topic:
        return Milestone(*place, record.key, **json.loads(record.value or b""))
    return Kept(*place, held(record.key), held(record.value))


def shown(folds: list[Fold], catalog: dict[str, CatalogRow]) -> Hashes:
    """Every hash that readers would find of these drained folds, by its key without the prefix."""
    totals: dict[TallyKey, list[int]] = {}
    for fold in folds:
        for key, (_, *counts) in fold.tallies.items():
            before = totals.get(key, [0] * len(counts))
            totals[key] = [total + count for total, count in zip(before, counts, strict=True)]
    hashes = {Keys("").tally(key): _pairs(_fields(key, total, catalog)) for key, total in totals.items()}
    stream = [sum(counts) for counts in zip(*(fold.stream_counts() for fold in folds), strict=True)]
    return hashes | {"status": _pairs(stream_fields(stream))}


def _fields(key: TallyKey, total: list[int], catalog: dict[str, CatalogRow]) -> list[str]:
    if key.kind != TITLE:
        return window_fields(total)
    row = catalog.get(key.title_id)
    return title_fields(total, row.known_runtime_ms if row is not None else 0)


def _pairs(flat: list[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def differences(found: Hashes, expected: Hashes) -> list[str]:
    """Where two sets of hashes differ, one line each; the last digit of a rate may round either way."""
    return [
        f"{key} {name}: found {found.get(key, {}).get(name)!r}, expected {expected.get(key, {}).get(name)!r}"
        for key in sorted(found.keys() | expected.keys())
        for name in sorted(found.get(key, {}).keys() | expected.get(key, {}).keys())
        if not _alike(name, found.get(key, {}).get(name), expected.get(key, {}).get(name))
    ]


def _alike(name: str, found: str | None, expected: str | None) -> bool:
    if name in RATES_SHOWN and found and expected:
        return abs(float(found) - float(expected)) < 1.5e-6
    return found == expected
