"""Finds environment variables that look like settings and are none: a misspelt one would leave the default in place.

Owns which other names may begin with the prefix. It must not read the environment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from streams.config.servers import ENV_PREFIX

# What is read before there are settings: by the build, and by `models` when it is imported.
_NO_SETTINGS = ("ENCORE_COMPILE", "ENCORE_INTERPRETED")

# Kubernetes tells each pod of a namespace about its services in this way (`enableServiceLinks`), and so did Docker
# about linked containers: a service `encore-dashboard` makes ENCORE_DASHBOARD_SERVICE_HOST, and others.
_SERVICE_LINK = re.compile(r"_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_[A-Z]+)?$")


def misspelt(given: Iterable[str], settings: Iterable[str]) -> str | None:
    """One line about the first of the `given` variables that is no setting, with the nearest one; None: there is none.

    Both are names in capitals, with the prefix. Case does not matter in the environment.
    """
    known = [*settings, *_NO_SETTINGS]
    for name in sorted(given):
        upper = name.upper()
        if upper.startswith(ENV_PREFIX) and upper not in known and not _SERVICE_LINK.search(upper):
            return f"{name}: no such setting{_nearest(upper, known)}"
    return None


def _nearest(name: str, known: list[str]) -> str:
    # Without the prefix, which all share.
    by_rest = {each.removeprefix(ENV_PREFIX): each for each in known}
    nearest = get_close_matches(name.removeprefix(ENV_PREFIX), by_rest, n=1)
    return f"; the nearest is {by_rest[nearest[0]]}" if nearest else "; `encore config show` lists all"
