"""What can be wrong with a value in Confluent's wire format, or with the schema that it names."""

from __future__ import annotations

from models.events import BadEvent


class UndecodableValue(BadEvent):
    """The value of a record cannot be decoded. The message says why, in one line, with no word of the record."""


class UnusableSchema(Exception):
    """The registry has the schema, and its values cannot be events. The message says why."""
