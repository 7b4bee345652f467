"""This integration and what people use today, measured in one run on the same real servers."""
