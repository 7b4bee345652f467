"""Every accepted magnet, in memory and on disk."""
