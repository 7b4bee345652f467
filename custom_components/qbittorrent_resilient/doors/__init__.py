"""The doors for automations: triggers that read what comes, and hand it to the actions whole."""
