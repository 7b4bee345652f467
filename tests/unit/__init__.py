"""Tests of the core, without Home Assistant; the folders are those of the core."""
