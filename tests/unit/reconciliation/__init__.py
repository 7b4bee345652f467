"""Tests of core/reconciliation."""
