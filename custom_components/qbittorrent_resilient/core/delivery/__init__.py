"""From an accepted job to a server that lists it."""
