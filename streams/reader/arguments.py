"""Checks of what a caller passes: each refusal names the argument, its value and what is accepted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import get_args

from streams.reader.errors import ReaderError
from streams.reader.results import DayMetric, Metric


def checked_id(name: str, value: str) -> str:
    """The id. Raises `ReaderError` if it is none."""
    if not isinstance(value, str):
        raise ReaderError(f"{name}={value!r}: accepted: an id, as text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ReaderError(f"{name}={value!r}: accepted: text that UTF-8 can write") from None
    return value


def checked_ids(name: str, values: Iterable[str]) -> tuple[str, ...]:
    """The ids, each once, in their order. Raises `ReaderError`, also for one id alone, whose letters it would read."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ReaderError(f"{name}={values!r}: accepted: several ids, such as a list")
    return tuple(dict.fromkeys(checked_id(name, value) for value in values))


def check_metric(metric: str, day: date | None) -> None:
    """Raise `ReaderError` if there is no board of the metric, for all time or for days."""
    accepted = get_args(Metric if day is None else DayMetric)
    if metric not in accepted:
        of_a_day = "" if day is None else " on a day"
        raise ReaderError(f"metric={metric!r}: accepted{of_a_day}: {', '.join(accepted)}")


def check_number(name: str, value: int, least: int, most: int | None = None) -> None:
    """Raise `ReaderError` if the number is no integer from `least` to `most`."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if not is_number or value < least or (most is not None and value > most):
        bounds = f"{least} or more" if most is None else f"from {least} to {most:,}"
        raise ReaderError(f"{name}={value!r}: accepted: {bounds}")
