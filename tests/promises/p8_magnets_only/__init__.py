"""Promise 8: what is no magnet never reaches a server."""
