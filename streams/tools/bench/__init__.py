"""Measures the worker from outside, on real servers: a backlog, a live stream, stock Faust."""
