"""How fast the worker is, measured from outside on real servers: a backlog, a live stream, stock Faust."""
