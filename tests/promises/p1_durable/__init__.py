"""Promise 1: accepted is durable."""
