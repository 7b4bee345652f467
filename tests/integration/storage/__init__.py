"""Tests of the stored queue."""
