"""Tests of the integration, on fake and on real servers."""
