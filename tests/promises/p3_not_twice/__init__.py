"""Promise 3: no second server gets a magnet while the first may have it."""
