"""The dashboard that the integration brings: a view of built-in cards, made anew for each page."""
