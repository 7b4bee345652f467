"""Tests of core/fetching."""
