"""The HTTP API: JSON and CSV of the counters, for programs of any language. `docs/api.md` is its guide.

It reads Redis by the reader and by nothing else, and it cannot write.
"""
