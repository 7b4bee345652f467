"""Promise 5: delivery starts at once, and a bad magnet or server holds up no other."""
