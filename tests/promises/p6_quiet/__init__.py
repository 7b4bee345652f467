"""Promise 6: down and up are logged once, and wrong credentials tried once."""
