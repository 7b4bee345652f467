"""Plugins for pytest, loaded by name with its option -p."""
