"""Every Redis key, declared once: those of section 3 of the design, and the publisher's internal ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from models.hash_fields import DAY_BOARDS, TITLE_BOARDS, encoded_id
from models.tally import CURVE, DAYPARTS, FRANCHISE, TITLE, TallyKey
from models.windows import DAY, KINDS


class KeyForm(NamedTuple):
    """A key's form without the prefix, its Redis type, and what it holds."""

    form: str
    type: str
    holds: str


TALLIES = {
    TITLE: KeyForm("title:<title_id>", "hash", "a title, for all time"),
    **{kind: KeyForm(f"title:<title_id>:{each.word}:{each.named}", "hash", each.holds) for kind, each in KINDS.items()},
    CURVE: KeyForm("title:<title_id>:curve", "hash", "how often each part of a title was played"),
    DAYPARTS: KeyForm("title:<title_id>:dayparts", "hash", "a title by parts of the households' own day"),
    FRANCHISE: KeyForm("franchise:<franchise_id>", "hash", "titles that belong together, for all time"),
}
"""The hashes that show tallies, by the tally's kind."""

LEGS = "legs"
COMPUTED = {LEGS: KeyForm("title:<title_id>:legs", "hash", "how a title holds its audience week by week")}
"""The hashes that are computed from the totals of a title's tallies, by word. They have no shares."""

STATUS = KeyForm("status", "hash", "the stream's own account, and how its workers are")
BOARD = KeyForm("board:<metric>", "zset", "titles ranked by a field of their hashes")
DAY_BOARD = KeyForm("board:<metric>:day:<YYYYMMDD>", "zset", "titles ranked by a field of their day's hashes")
FRANCHISE_BOARD = KeyForm("board:<metric>:franchises", "zset", "franchises ranked by a field of their hashes")
TITLES = KeyForm("titles", "zset", "the ids of all titles that have a hash, in order")
FRANCHISES = KeyForm("franchises", "zset", "the ids of all franchises that have a hash, in order")
VERDICTS = KeyForm("verdicts", "stream", "one message for each verdict on a title or franchise")
CHANGES = KeyForm("changes", "stream", "one message for each change, and a channel of the same name")
ALIAS = KeyForm("alias", "hash", "the prefix that is read instead of this one")

RANKED = (BOARD, DAY_BOARD, FRANCHISE_BOARD, TITLES, FRANCHISES)
READ = (*TALLIES.values(), *COMPUTED.values(), STATUS, *RANKED, VERDICTS, CHANGES, ALIAS)
"""All keys that readers may read."""

WORDS = tuple(each.form.split(":")[2] for each in READ if each.form.startswith("title:<title_id>:"))
"""The words of a title's other hashes in their keys, such as `day`."""

_NAMES: dict[str, Callable[[int], str]] = {kind: lru_cache(1_000)(each.name) for kind, each in KINDS.items()}
_OF_A_TITLE = re.compile(r"title:([^:]+)(?::day:(\d{8}))?")
_OF_A_FRANCHISE = re.compile(r"franchise:([^:]+)")


class DependentKeys(NamedTuple):
    """What belongs to a hash: its places on boards and lists, and for a title its computed hashes."""

    member: str
    boards: list[str]
    computed: list[str]


class Keys:
    """The keys under one prefix."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.status = prefix + STATUS.form
        self.changes = prefix + CHANGES.form
        self.alias = prefix + ALIAS.form
        self.titles = prefix + TITLES.form
        self.franchises = prefix + FRANCHISES.form
        self.verdicts = prefix + VERDICTS.form
        self.marker = f"{prefix}internal:marker"
        self.owner = f"{prefix}internal:application"
        self.pending = f"{prefix}internal:pending"
        self.rebuilding = f"{prefix}internal:rebuilding"
        self.unswept = f"{prefix}internal:unswept"
        self.partitions = f"{prefix}internal:partitions"
        self.published = f"{prefix}internal:published"
        self.offsets = f"{prefix}internal:offsets"
        self.hold = f"{prefix}internal:hold"
        self.told = f"{prefix}internal:told"
        self._shares = f"{prefix}internal:shares:"
        escaped = prefix.replace("%", "%%")
        self._tallies = {kind: escaped + _template(form) for kind, form in TALLIES.items()}
        self._computed = {word: escaped + _template(form) for word, form in COMPUTED.items()}
        boards = (BOARD, DAY_BOARD, FRANCHISE_BOARD)
        self._board, self._day_board, self._franchise_board = (escaped + _template(form) for form in boards)
        self._id = lru_cache(20_000)(encoded_id)

    def tally(self, key: TallyKey) -> str:
        """The key of the hash that shows a tally."""
        name = _NAMES.get(key.kind)
        template, encoded = self._tallies[key.kind], self._id(key.title_id)
        return template % encoded if name is None else template % (encoded, name(key.number))

    def title(self, title_id: str) -> str:
        """The key of a title's hash, for all time."""
        return self._tallies[TITLE] % self._id(title_id)

    def franchise(self, franchise_id: str) -> str:
        """The key of a franchise's hash."""
        return self._tallies[FRANCHISE] % self._id(franchise_id)

    def legs(self, title_id: str) -> str:
        """The key of the hash of a title's legs."""
        return self.computed(LEGS, title_id)

    def computed(self, word: str, title_id: str) -> str:
        """The key of a title's computed hash, by its word."""
        return self._computed[word] % self._id(title_id)

    def board(self, metric: str, day: int | None = None) -> str:
        """The key of a metric's board, for all time or for a day, by the day's number."""
        return self._board % metric if day is None else self._day_board % (metric, _NAMES[DAY](day))

    def franchise_board(self, metric: str) -> str:
        """The key of a metric's board of franchises."""
        return self._franchise_board % metric

    def held(self, hash_key: str) -> DependentKeys:
        """What belongs to a hash."""
        found = _OF_A_TITLE.fullmatch(hash_key, len(self.prefix))
        if found is None:
            return self._held_by_a_franchise(hash_key)
        title_id, day = unquote(found[1]), found[2]
        if day is not None:
            return DependentKeys(title_id, [self._day_board % (metric, day) for metric in DAY_BOARDS], [])
        computed = [self.computed(word, title_id) for word in COMPUTED]
        return DependentKeys(title_id, [*map(self.board, TITLE_BOARDS), self.titles], computed)

    def _held_by_a_franchise(self, hash_key: str) -> DependentKeys:
        found = _OF_A_FRANCHISE.fullmatch(hash_key, len(self.prefix))
        if found is None:
            return DependentKeys("", [], [])
        return DependentKeys(unquote(found[1]), [*map(self.franchise_board, TITLE_BOARDS), self.franchises], [])

    @property
    def all_shares(self) -> str:
        """A pattern that matches all keys of shares."""
        return re.sub(r"([*?\[\]\\])", r"\\\1", self._shares) + "*"

    def of_shares(self, key: str) -> str:
        """The key of the hash that a key of shares belongs to."""
        return self.prefix + key.removeprefix(self._shares)

    def shares(self, hash_key: str) -> str:
        """The key of the partitions' shares of a hash, with their total and its revision."""
        return self._shares + hash_key.removeprefix(self.prefix)


def _template(form: KeyForm) -> str:
    return re.sub("<[^:]*>", "%s", form.form)
