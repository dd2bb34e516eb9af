"""The one error that a reader raises."""

from __future__ import annotations


class ReaderError(Exception):
    """Redis gave no answer. The message is one line: what, where, what to do.

    `passing`: the same call may work in a moment (Redis is away, or changes its primary); without that it will fail
    again until somebody changes something (a password, a right, an argument).
    """

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing
