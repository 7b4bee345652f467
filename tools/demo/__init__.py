"""A show of the main job on real parts: magnets past a VPN outage. Run it by script/demo."""
