"""Home Assistant killed at random moments, and a count of what that cost."""
