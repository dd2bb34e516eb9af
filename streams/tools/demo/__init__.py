"""All of it together for a person to see: servers, worker, simulated or imported events, a live table."""
