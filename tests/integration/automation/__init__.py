"""Tests of triggers, conditions and blueprints."""
