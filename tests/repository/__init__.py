"""Tests of the repository: metadata, documents, translations, release."""
