"""Files of other services, read as playback events: one module a format, each with a `FORMAT`.

A module with a `FORMAT` is found by itself; nothing lists it. What the formats share: `document` (bytes to text to
rows), `values` (times and durations), `reading` (what a reading is), `sittings` (a stay with a title to events).
"""
