"""The process of `encore notify`: verdicts to a webhook, until a signal or the receiver ends it.

Owns signals, heartbeat, and the port of metrics and probes.
"""

from __future__ import annotations

import asyncio
import signal

from streams.config.settings import Settings
from streams.observability.http_server import probes
from streams.observability.liveness import Vitals
from streams.observability.notify_metrics import NotifyMetrics
from streams.observability.systemd import STOPPING, tell_supervisor
from streams.operations.verdicts import Verdicts, tell
from streams.operations.webhook import Webhook


async def run_notify(settings: Settings, url: str, key: bytes, *, from_now: bool) -> None:
    """Tell verdicts until SIGTERM or SIGINT. Raises `Gone`, `ReaderError` and `PortTaken`."""
    metrics, vitals = NotifyMetrics(), Vitals({}, ())
    # It shares nothing: it has started once it runs.
    vitals.note_assigned()
    whys = {"/livez": vitals.why_dead}
    with probes(settings.metrics_host, settings.metrics_port, metrics.registry, whys, metrics.measure):
        verdicts = Verdicts(url, settings.redis_prefix, settings.webhook_group, from_now=from_now)
        webhook = Webhook(settings.webhook, key, settings.webhook_timeout_s)
        beating = asyncio.create_task(vitals.keep_beating())
        told = asyncio.create_task(tell(verdicts, webhook, settings.redis_prefix, url, metrics))
        await _end_at_a_signal(told)
        tell_supervisor(STOPPING)
        beating.cancel()
        await verdicts.close()
    if not told.cancelled():
        told.result()


async def _end_at_a_signal(told: asyncio.Task[None]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({told, stopped}, return_when=asyncio.FIRST_COMPLETED)
    while not told.done():
        # Again and again: a client may forget a cancellation that comes together with an answer.
        told.cancel()
        await asyncio.wait({told}, timeout=0.5)
    stopped.cancel()
