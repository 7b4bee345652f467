"""Programs for development: benchmark, soak and demo."""
