"""The proxy, between a real Redis and its clients: what passes, what does not, and that it ends."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import psutil
import pytest
import redis
from proxy import HOST, Proxy
from redis.backoff import NoBackoff
from redis.retry import Retry

pytestmark = pytest.mark.system


@pytest.fixture
def proxy(private_redis) -> Iterator[Proxy]:
    with Proxy((HOST, private_redis.redis_server.port)) as between:
        yield between


@pytest.fixture
def client_of() -> Iterator[Callable[..., redis.Redis]]:
    """`client_of(proxy, patience_s=10)`: a client that tries once only."""
    clients: list[redis.Redis] = []

    def connect(proxy: Proxy, patience_s: float = 10) -> redis.Redis:
        clients.append(redis.Redis(HOST, proxy.port, socket_timeout=patience_s, retry=Retry(NoBackoff(), 0)))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


def seconds_of(act: Callable[[], object]) -> float:
    start = time.monotonic()
    act()
    return time.monotonic() - start


def test_bytes_pass_whole_and_in_order(proxy, client_of) -> None:
    client, value = client_of(proxy), bytes(range(256)) * 40_000

    client.set("large", value)

    assert client.get("large") == value


@pytest.mark.parametrize("each_way_s", [0.0, 0.05, 0.1])
def test_an_answer_takes_the_delay_twice(proxy, client_of, each_way_s: float) -> None:
    client = client_of(proxy)
    client.ping()

    proxy.delay_each_way_s = each_way_s

    assert 2 * each_way_s <= seconds_of(client.ping) < 2 * each_way_s + 1


def test_requests_that_follow_each_other_wait_together(proxy, client_of) -> None:
    client = client_of(proxy)
    client.ping()
    proxy.delay_each_way_s = 0.1
    pipeline = client.pipeline(transaction=False)
    for number in range(2_000):
        pipeline.set("number", number)

    assert 0.2 <= seconds_of(pipeline.execute) < 10


def test_a_cut_connection_is_closed_and_the_next_one_works(proxy, client_of) -> None:
    with socket.create_connection((HOST, proxy.port), timeout=5) as connection:
        connection.sendall(b"PING\r\n")
        assert connection.recv(100) == b"+PONG\r\n"

        proxy.cut()

        assert connection.recv(100) == b""
    assert proxy.connections == 0
    assert client_of(proxy).ping()


def test_in_a_blackhole_open_connections_stay_and_new_ones_get_no_answer(proxy, client_of) -> None:
    before, after = client_of(proxy, 0.5), client_of(proxy, 0.5)
    before.ping()

    proxy.blackhole()

    for client in (before, after):
        with pytest.raises(redis.TimeoutError):
            client.ping()


def test_what_a_blackhole_held_back_arrives_when_it_is_healed(proxy, client_of, private_redis) -> None:
    client = client_of(proxy, 0.5)
    client.ping()
    proxy.blackhole()
    with pytest.raises(redis.TimeoutError):
        client.set("held", "back")

    with redis.Redis.from_url(private_redis.redis) as direct:
        assert direct.get("held") is None
        proxy.heal()
        deadline = time.monotonic() + 5
        while direct.get("held") != b"back" and time.monotonic() < deadline:
            time.sleep(0.01)

        assert direct.get("held") == b"back"
    assert client_of(proxy).ping()


def test_the_far_end_does_not_notice_in_a_blackhole_that_a_client_is_gone(proxy, client_of, private_redis) -> None:
    client = client_of(proxy)
    client.client_setname("half-open")
    proxy.blackhole()
    client.close()

    def connected() -> bool:
        with redis.Redis.from_url(private_redis.redis) as direct:
            return "half-open" in {each["name"] for each in direct.client_list()}

    time.sleep(0.3)
    assert connected()
    proxy.heal()
    deadline = time.monotonic() + 5
    while connected() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not connected()


def test_new_connections_go_to_the_new_target_and_old_ones_stay_until_they_are_cut(
    proxy, client_of, private_redis, servers
) -> None:
    def process_behind(client: redis.Redis) -> int:
        return client.info("server")["process_id"]

    with redis.Redis.from_url(servers.redis) as other:
        first, second = private_redis.redis_server.pid, process_behind(other)
        port = other.connection_pool.connection_kwargs["port"]
    old, new = client_of(proxy), client_of(proxy)
    assert process_behind(old) == first

    proxy.target = (HOST, port)

    assert (process_behind(old), process_behind(new)) == (first, second)
    proxy.cut()
    assert process_behind(old) == second


def test_a_client_is_cut_off_when_the_server_dies_and_refused_while_it_is_away(proxy, client_of, private_redis) -> None:
    client = client_of(proxy)
    client.ping()

    private_redis.redis_server.kill()

    for _ in range(2):
        with pytest.raises(redis.ConnectionError):
            client.ping()
    private_redis.redis_server.start()
    assert client.ping()


@pytest.mark.parametrize("state", ["idle", "delaying", "blackhole"])
def test_nothing_is_left_when_it_ends(private_redis, client_of, state: str) -> None:
    def sockets() -> set[tuple[object, ...]]:
        return {(each.laddr, each.raddr) for each in psutil.Process().net_connections("tcp")}

    threads, before = set(threading.enumerate()), sockets()
    with Proxy((HOST, private_redis.redis_server.port)) as proxy:
        client = client_of(proxy)
        client.ping()
        if state == "blackhole":
            proxy.blackhole()
        proxy.delay_each_way_s = 0.1 if state == "delaying" else 0
        if state != "blackhole":
            client.ping()
    client.close()

    assert set(threading.enumerate()) == threads
    assert sockets() == before
