"""Tests of set-up, reload and removal of the entry."""
