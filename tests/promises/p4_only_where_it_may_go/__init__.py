"""Promise 4: nothing goes past the VPN, and only to configured servers."""
