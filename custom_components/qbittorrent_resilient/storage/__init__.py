"""Where the core's records are kept: files in Home Assistant's storage."""
