"""Tests of core/gluetun."""
