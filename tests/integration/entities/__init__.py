"""Tests of the entities, and of what is shown of them."""
