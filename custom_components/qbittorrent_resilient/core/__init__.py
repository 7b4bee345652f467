"""The integration's engine: it imports nothing of Home Assistant and can be tested without it."""
