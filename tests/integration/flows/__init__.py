"""Tests of set-up, options and reauthentication."""
