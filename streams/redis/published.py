"""How Redis holds up to which version a partition is published: the values of `Keys.published`."""

from __future__ import annotations


def version_text(incarnation: int, sequence: int) -> str:
    """The value for an incarnation of the partition's state, and the sequence of a checkpoint."""
    return f"{incarnation}:{sequence}"


def read_version(text: bytes) -> tuple[int, int]:
    """Incarnation and sequence. The larger one of two versions is newer."""
    incarnation, _, sequence = text.decode().partition(":")
    return int(incarnation), int(sequence)
