"""Promise 2: added is confirmed."""
