"""The counters in a browser: a small web server with live pages, which read Redis.

All numbers come from `streams.reader`; nothing here can write. It must not know the worker.
"""
