"""The nine promises of docs/reliability.md, each with the tests that prove it."""
