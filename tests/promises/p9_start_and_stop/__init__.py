"""Promise 9: start-up does not wait, and stopping loses nothing."""
