"""The schema registry as Encore asks it: for a schema by its id.

Owns the difference between a schema that does not exist, which is the producer's fault, and a registry that does not
answer, which is nobody's record's fault. Calls block.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from streams.config.schema_registry import RegistryAddress
from streams.kafka.reader import CannotRead

# Only who reads another format than JSON needs the client's packages, so it is imported where one is made.
if TYPE_CHECKING:
    from confluent_kafka.schema_registry import Schema

log = logging.getLogger(__name__)

PATIENCE_S = 30.0
_RETRY_S = 1.0
_LONGEST_ANSWER = 300
_NOT_FOUND = (40401, 40402, 40403)
"""The registry's own codes for a subject, version or schema that it does not have. A 404 without one is a proxy's, or
a wrong address."""

T = TypeVar("T")


class RegistryAway(CannotRead):
    """The schema registry did not answer for a while. No record is to blame: whoever reads must stop."""


class Registry:
    """A client that knows schemas by their ids. Raises `RegistryAway` once it got no answer for `patience_s`."""

    def __init__(self, address: RegistryAddress, patience_s: float = PATIENCE_S) -> None:
        from confluent_kafka.schema_registry import SchemaRegistryClient
        from confluent_kafka.schema_registry.error import SchemaRegistryError

        self._address, self._patience_s = address, patience_s
        self._client, self._refusal = SchemaRegistryClient(address.for_client()), SchemaRegistryError

    def check(self) -> None:
        """Ask once whether the registry answers. Raises `RegistryAway`."""
        self._asked(self._client.get_schema_types, 0)

    def schema(self, number: int) -> Schema | None:
        """The schema of an id; None: the registry has none."""
        return self._asked(lambda: self._client.get_schema(number), self._patience_s)

    def referenced(self, subject: str, version: int) -> Schema | None:
        """The schema that another one refers to; None: the registry has none."""
        found = self._asked(lambda: self._client.get_version(subject, version, deleted=True), self._patience_s)
        return None if found is None else found.schema

    def _asked(self, ask: Callable[[], T], patience_s: float) -> T | None:
        until = time.monotonic() + patience_s
        while True:
            try:
                return ask()
            except Exception as problem:  # whatever it is: only the registry's own "there is none" says so of a schema
                if isinstance(problem, self._refusal) and problem.error_code in _NOT_FOUND:
                    return None
                why = str(problem)[:_LONGEST_ANSWER] or type(problem).__name__
                told = f"ENCORE_SCHEMA_REGISTRY={self._address} gives no usable answer: {why}"
                if time.monotonic() > until:
                    raise RegistryAway(told) from None
            log.warning("%s; asked again", told)
            time.sleep(_RETRY_S)
