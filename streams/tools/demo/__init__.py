"""The demo: servers, worker, simulated or imported events, and a live table."""
