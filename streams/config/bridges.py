"""The settings of a bridge: an application of its own, with a group, a state and dead letters of its own.

Owns their names.
"""

from __future__ import annotations

from streams.config.settings import BadSetting, Settings

_LONGEST_TOPIC = 249
_MOST_UNCHECKPOINTED = 100_000
"""What was translated is in memory until it is committed, unlike what was counted."""


def bridge_settings(settings: Settings, schema: str, topic: str) -> Settings:
    """The settings of the bridge that translates a foreign topic: that is its `source_topic`.

    Its `app_id` is its group, and begins the name of its other topics. Raises `BadSetting`.
    """
    group = f"{settings.app_id}-bridge-{schema}-{topic}"
    names = {"app_id": group, "source_topic": topic, "dead_letters_topic": f"{group}-dead-letters"}
    if len(names["dead_letters_topic"]) > _LONGEST_TOPIC:
        raise BadSetting(
            f"topic {names['dead_letters_topic']}: accepted: at most {_LONGEST_TOPIC} characters; choose a shorter"
            f" ENCORE_APP_ID"
        )
    least = min(settings.uncheckpointed_records, _MOST_UNCHECKPOINTED)
    return settings.model_copy(update={**names, "uncheckpointed_records": least})
