"""Tests of the whole integration in Home Assistant, on fake servers."""
