"""The open loop: times of sending are fixed beforehand, and a slow delivery changes nothing but the lag."""

import time

import pytest

from streams.kafka.producer import OpenLoop, Outgoing, at_once, by_rate, by_speed


class Delivery:
    """Keeps what it is given, after a stall at one of the records."""

    def __init__(self, stall_at: int | None = None, stall_s: float = 0.0) -> None:
        self.values: list[bytes | None] = []
        self.times_s: list[float] = []
        self.polls = 0
        self._stall_at, self._stall_s = stall_at, stall_s

    def produce(self, key: bytes | None, value: bytes | None, timestamp_ms: int) -> None:
        if len(self.values) == self._stall_at:
            time.sleep(self._stall_s)
        self.values.append(value)
        self.times_s.append(time.monotonic())

    def poll(self) -> None:
        self.polls += 1


def _items(count: int) -> list[Outgoing]:
    return [Outgoing(1_000 + 10 * n, b"h", b'{"n":%d}' % n, 1_000 + 10 * n) for n in range(count)]


@pytest.mark.parametrize(("for_s", "sent"), [(0.09, 9), (0.1, 10), (0.11, 11)])
def test_what_is_due_before_the_end_is_sent_and_nothing_else(for_s: float, sent: int) -> None:
    loop = OpenLoop(by_rate(100), Delivery(), None)
    loop.run(_items(50), for_s, stamp=False)
    assert loop.sent == sent


def test_speed_turns_simulated_into_real_seconds() -> None:
    pace = by_speed(3600, origin_ms=1_000)
    assert [pace(0, item) for item in (_items(2)[0], Outgoing(3_601_000, None, None, 0))] == [0.0, 1.0]


def test_nothing_is_sent_before_its_time() -> None:
    delivery = Delivery()
    began_s = time.monotonic()
    OpenLoop(by_rate(100), delivery, None).run(_items(10), None, stamp=False)
    assert all(sent_s - began_s >= n / 100 for n, sent_s in enumerate(delivery.times_s))


@pytest.mark.parametrize(("sent", "polls"), [(999, 0), (1_000, 1), (1_001, 1), (2_000, 2)])
def test_what_became_of_records_is_looked_up_once_for_each_thousand(sent: int, polls: int) -> None:
    delivery = Delivery()
    OpenLoop(at_once, delivery, None).run(_items(sent), None, stamp=False)
    assert delivery.polls == polls


def test_a_stalled_delivery_is_caught_up_and_reported() -> None:
    delivery = Delivery(stall_at=5, stall_s=0.2)
    loop = OpenLoop(by_rate(200), delivery, None)
    loop.run(_items(60), 0.25, stamp=False)
    assert loop.sent == 50
    assert 0.15 <= loop.behind_s < 1.0
    assert delivery.times_s[40] - delivery.times_s[6] < 0.1


def test_events_say_when_they_were_to_be_sent_not_when_they_were() -> None:
    delivery = Delivery(stall_at=0, stall_s=0.1)
    OpenLoop(by_rate(100), delivery, None).run(_items(3), None, stamp=True)
    stamps = [int((value or b"").split(b'"sent_time_ms":')[1].rstrip(b"}")) for value in delivery.values]
    assert [stamp - stamps[0] for stamp in stamps] == [0, 10, 20]


@pytest.mark.parametrize("value", [None, b"", b'{"event_id":"trunca'])
def test_what_is_no_whole_event_is_sent_as_it_is(value: bytes | None) -> None:
    delivery = Delivery()
    OpenLoop(at_once, delivery, None).run([Outgoing(0, None, value, 0)], None, stamp=True)
    assert delivery.values == [value]
