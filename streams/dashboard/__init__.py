"""The counters in a browser: a page on a small web server, live, that reads Redis alone.

Owns the pages and what they show. It must not know how counters come about, and it has no way to write: what is shown
comes from `streams.reader` only.
"""
