"""Who sees what: the rights against a reading of their rules in plain Python, and against whoever tries to see more."""
