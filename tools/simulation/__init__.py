"""A world in a bottle: the core lives 30 days in seconds, among servers and disks that fail."""
