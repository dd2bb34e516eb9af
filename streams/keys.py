"""Every Redis key, declared once.

Owns the names of section 3 of the design and of the publisher's internal keys. It must not know values.
"""

from __future__ import annotations

import re

from models.fold import DAY, HOUR, TallyKey
from models.published import encoded_id
from models.windows import day_name, hour_name


class Keys:
    """The keys under one prefix."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.status = f"{prefix}status"
        self.changes = f"{prefix}changes"
        self.marker = f"{prefix}internal:marker"
        self.owner = f"{prefix}internal:application"
        self.pending = f"{prefix}internal:pending"
        self.rebuilding = f"{prefix}internal:rebuilding"
        self.unswept = f"{prefix}internal:unswept"
        self.partitions = f"{prefix}internal:partitions"
        self.published = f"{prefix}internal:published"

    def tally(self, key: TallyKey) -> str:
        """The hash that readers find a tally in."""
        title = f"{self.prefix}title:{encoded_id(key.title_id)}"
        if key.kind == HOUR:
            return f"{title}:hour:{hour_name(key.number)}"
        if key.kind == DAY:
            return f"{title}:day:{day_name(key.number)}"
        return title

    @property
    def all_shares(self) -> str:
        """The pattern of all shares' keys."""
        return re.sub(r"([*?\[\]\\])", r"\\\1", f"{self.prefix}internal:shares:") + "*"

    def of_shares(self, key: str) -> str:
        """The hash that a key of shares belongs to."""
        return self.prefix + key.removeprefix(f"{self.prefix}internal:shares:")

    def shares(self, hash_key: str) -> str:
        """The partitions' shares of a hash, and their total."""
        return f"{self.prefix}internal:shares:{hash_key.removeprefix(self.prefix)}"
