"""What tests and tools share: fakes, the harness of real parts, fixtures, helpers."""
