"""Figures, measured by hand: nothing here is asserted."""
