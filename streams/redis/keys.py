"""Every Redis key, declared once: those of section 3 of the design, and the publisher's internal ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from models.hash_fields import DAY_BOARDS, TITLE_BOARDS, encoded_id
from models.tally import AGE, AUDIENCE, CURVE, DAY, DAYPARTS, FRANCHISE, HOUR, TITLE, WEEK, TallyKey
from models.windows import AGES, audience_week_name, day_name, hour_name


class Form(NamedTuple):
    """A key's form, less the prefix, its Redis type, and what it holds."""

    form: str
    type: str
    holds: str


TALLIES = {
    TITLE: Form("title:<title_id>", "hash", "a title, for all time"),
    HOUR: Form("title:<title_id>:hour:<YYYYMMDDTHH>", "hash", "a UTC hour of a title"),
    DAY: Form("title:<title_id>:day:<YYYYMMDD>", "hash", "a UTC day of a title"),
    AGE: Form("title:<title_id>:age:<age>", "hash", "a title's first 72 hours (opening), 7, 28 or 91 days"),
    WEEK: Form("title:<title_id>:week:<n>", "hash", "a week of a title, from its release on, 1 to 104"),
    AUDIENCE: Form(
        "title:<title_id>:audience:<YYYY>W<ww>", "hash", "the households that a title reached in a UTC week"
    ),
    CURVE: Form("title:<title_id>:curve", "hash", "how often each part of a title was played"),
    DAYPARTS: Form("title:<title_id>:dayparts", "hash", "a title by parts of the households' own day"),
    FRANCHISE: Form("franchise:<franchise_id>", "hash", "titles that belong together, for all time"),
}
"""The hashes that tallies are shown in, by their kind."""

LEGS = Form("title:<title_id>:legs", "hash", "how a title holds its audience week by week")
STATUS = Form("status", "hash", "the stream's own account, and how its workers are")
BOARD = Form("board:<metric>", "zset", "titles ranked by a field of their hashes")
DAY_BOARD = Form("board:<metric>:day:<YYYYMMDD>", "zset", "titles ranked by a field of their day's hashes")
CHANGES = Form("changes", "stream", "one message for each change, and a channel of the same name")

READ = (*TALLIES.values(), LEGS, STATUS, BOARD, DAY_BOARD, CHANGES)
"""All keys that are there to be read."""

_AGE_NAMES = tuple(AGES)
_NAMES: dict[str, Callable[[int], str]] = {
    HOUR: lru_cache(1_000)(hour_name),
    DAY: lru_cache(1_000)(day_name),
    AGE: _AGE_NAMES.__getitem__,
    WEEK: str,
    AUDIENCE: lru_cache(1_000)(audience_week_name),
}
_OF_A_TITLE = re.compile(r"title:([^:]+)(?::day:(\d{8}))?")


class Held(NamedTuple):
    """What there is of a hash besides itself: places on boards, and for a title its legs ("": none)."""

    member: str
    boards: list[str]
    legs: str


class Keys:
    """The keys under one prefix."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.status = prefix + STATUS.form
        self.changes = prefix + CHANGES.form
        self.marker = f"{prefix}internal:marker"
        self.owner = f"{prefix}internal:application"
        self.pending = f"{prefix}internal:pending"
        self.rebuilding = f"{prefix}internal:rebuilding"
        self.unswept = f"{prefix}internal:unswept"
        self.partitions = f"{prefix}internal:partitions"
        self.published = f"{prefix}internal:published"
        self._shares = f"{prefix}internal:shares:"
        escaped = prefix.replace("%", "%%")
        self._tallies = {kind: escaped + _template(form) for kind, form in TALLIES.items()}
        self._legs, self._board, self._day_board = (escaped + _template(form) for form in (LEGS, BOARD, DAY_BOARD))
        self._id = lru_cache(20_000)(encoded_id)

    def tally(self, key: TallyKey) -> str:
        """The hash that readers find a tally in."""
        name = _NAMES.get(key.kind)
        template, encoded = self._tallies[key.kind], self._id(key.title_id)
        return template % encoded if name is None else template % (encoded, name(key.number))

    def title(self, title_id: str) -> str:
        """The hash of a title, for all time."""
        return self._tallies[TITLE] % self._id(title_id)

    def franchise(self, franchise_id: str) -> str:
        """The hash of a franchise."""
        return self._tallies[FRANCHISE] % self._id(franchise_id)

    def legs(self, title_id: str) -> str:
        """The hash of a title's legs."""
        return self._legs % self._id(title_id)

    def board(self, metric: str, day: int | None = None) -> str:
        """The board of a metric, for all time or for a day, by its number."""
        return self._board % metric if day is None else self._day_board % (metric, _NAMES[DAY](day))

    def held(self, hash_key: str) -> Held:
        """What there is of a hash besides itself."""
        found = _OF_A_TITLE.fullmatch(hash_key, len(self.prefix))
        if found is None:
            return Held("", [], "")
        title_id, day = unquote(found[1]), found[2]
        if day is not None:
            return Held(title_id, [self._day_board % (metric, day) for metric in DAY_BOARDS], "")
        return Held(title_id, [self.board(metric) for metric in TITLE_BOARDS], self.legs(title_id))

    @property
    def all_shares(self) -> str:
        """The pattern of all shares' keys."""
        return re.sub(r"([*?\[\]\\])", r"\\\1", self._shares) + "*"

    def of_shares(self, key: str) -> str:
        """The hash that a key of shares belongs to."""
        return self.prefix + key.removeprefix(self._shares)

    def shares(self, hash_key: str) -> str:
        """The partitions' shares of a hash, their total, and its revision."""
        return self._shares + hash_key.removeprefix(self.prefix)


def _template(form: Form) -> str:
    return re.sub("<[^:]*>", "%s", form.form)
