"""Viewing that looks real, made from a seed: for the demo, the tests and the benchmark.

The way of an event: `plan` (what is asked for) → `world` (titles, households) → `viewer` (what a profile
watches, and when) → `sitting` (what its player says) → `faults` (what goes wrong on the way) → `stream` (all
of it in the order of sending) → `sender` (into Kafka). `backlog` makes the two benchmark loads. All but
`sender` are pure: no clock, no I/O, and the same seed gives the same bytes.
"""
