"""Viewing that looks real, made from a seed: for the demo, the tests and the benchmark.

An event's way: `plan` (the parameters) → `world` (titles, households) → `viewer` (what a profile watches, and when) →
`sitting` (what its player reports) → `faults` (what goes wrong on the way) → `stream` (everything in sending order).
`streams.kafka.producer` sends it. `backlog` makes the two benchmark loads. All of it is pure: no clock, no I/O, and the
same seed gives the same bytes.
"""
