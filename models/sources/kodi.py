"""Kodi's library export, `.nfo` files or `videodb.xml`: play count and last play."""

from __future__ import annotations

import re

from models.sources.day_only import DayOnly
from models.sources.document import Document

_LOOKS = re.compile(r"\A\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(movie|episodedetails|tvshow|musicvideo|videodb)\b", re.S)


def _looks(document: Document) -> bool:
    return bool(_LOOKS.match(document.text)) and ("<playcount" in document.text or "<lastplayed" in document.text)


FORMAT = DayOnly(
    "Kodi library (.nfo or videodb.xml)",
    _looks,
    "Kodi keeps nothing better: play from a Jellyfin, Emby or Plex server and import the backup of its Playback"
    " Reporting plugin or the history of Tautulli",
    says="only how often and when last something was watched, not for how long",
)
