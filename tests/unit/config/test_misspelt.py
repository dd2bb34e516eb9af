"""Variables of the environment that look like settings and are none."""

from __future__ import annotations

import pytest

from streams.config.misspelt import misspelt
from streams.config.settings import Settings, variable

SETTINGS = [variable(name) for name in Settings.model_fields]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ENCORE_CHECKPOINT", "; the nearest is ENCORE_CHECKPOINT_S"),
        ("ENCORE_GRACE_DAY", "; the nearest is ENCORE_GRACE_DAYS"),
        ("ENCORE_COMPLETIONS_PERCENT", "; the nearest is ENCORE_COMPLETION_PERCENT"),
        ("encore_redis_prefx", "; the nearest is ENCORE_REDIS_PREFIX"),
        ("ENCORE_INTERPRET", "; the nearest is ENCORE_INTERPRETED"),
        ("ENCORE_ZEBRA", "; `encore config show` lists all"),
    ],
)
def test_a_name_that_is_no_setting_is_told_with_the_nearest_one(name: str, said: str) -> None:
    assert misspelt([name], SETTINGS) == f"{name}: no such setting{said}"


@pytest.mark.parametrize(
    "name",
    [
        *SETTINGS,
        "encore_kafka",
        "ENCORE_INTERPRETED",
        "ENCORE_COMPILE",
        "PATH",
        "_ENCORE_COMPLETE",
        # A service named encore-dashboard, as Kubernetes tells it to all pods of its namespace.
        "ENCORE_DASHBOARD_SERVICE_HOST",
        "ENCORE_DASHBOARD_SERVICE_PORT",
        "ENCORE_DASHBOARD_SERVICE_PORT_HTTP",
        "ENCORE_DASHBOARD_PORT_8421_TCP",
        "ENCORE_DASHBOARD_PORT_8421_TCP_ADDR",
    ],
)
def test_settings_and_what_others_put_there_are_left_alone(name: str) -> None:
    assert misspelt([name], SETTINGS) is None


def test_the_first_by_name_is_told() -> None:
    assert (misspelt(["ENCORE_KAFKAS", "ENCORE_APPID"], SETTINGS) or "").startswith("ENCORE_APPID: ")
