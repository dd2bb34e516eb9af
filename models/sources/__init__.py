"""Files of other services, read as playback events: one module for each format, with a `FORMAT`.

A module with a `FORMAT` is found automatically. The formats share `document` (bytes to text to rows), `values` (times
and durations), `reading` (the result) and `sittings` (a sitting to events).
"""
