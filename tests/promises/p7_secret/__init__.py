"""Promise 7: nothing that is printed holds a secret."""
