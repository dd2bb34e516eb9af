"""Snowplow's enriched events in TSV: which column is which.

By https://docs.snowplow.io/docs/fundamentals/canonical-event/understanding-the-enriched-tsv-format/ and the order of
https://github.com/snowplow/snowplow-python-analytics-sdk (snowplow_analytics_sdk/event_transformer.py at 0800b16).
"""

from __future__ import annotations

from typing import Final

import msgspec

from models.sources.told import Rejected

COLUMNS: Final = 131

TEXTS: Final = {
    "app_id": 0,
    "platform": 1,
    "collector_tstamp": 3,
    "dvce_created_tstamp": 4,
    "event_id": 6,
    "user_id": 12,
    "domain_userid": 15,
    "network_userid": 17,
    "geo_country": 18,
    "os_timezone": 100,
    "dvce_sent_tstamp": 119,
    "domain_sessionid": 123,
    "derived_tstamp": 124,
    "event_vendor": 125,
    "event_name": 126,
}
"""Columns that are kept, also for those who choose one as household or profile."""

JSON: Final = {"contexts": 52, "unstruct_event": 58}


def columns_as_json(value: bytes) -> bytes:
    """The columns of an event as JSON; empty ones are left out. Raises `Rejected`."""
    columns = value.rstrip(b"\r\n").split(b"\t")
    if len(columns) != COLUMNS:
        raise Rejected("malformed", f"the value has {len(columns)} columns, an enriched event {COLUMNS}")
    try:
        event: dict[str, object] = {name: columns[at].decode() for name, at in TEXTS.items() if columns[at]}
    except UnicodeDecodeError as problem:
        raise Rejected("malformed", str(problem)) from None
    return msgspec.json.encode(event | {name: msgspec.Raw(columns[at]) for name, at in JSON.items() if columns[at]})
