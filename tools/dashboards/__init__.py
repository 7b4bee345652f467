"""Writes dashboards/*.yaml from the view that the integration itself makes.

Usage: python -m tools.dashboards
"""
