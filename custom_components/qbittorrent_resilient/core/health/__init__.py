"""The verdicts on the VPN and on each instance."""
