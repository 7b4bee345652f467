"""The forms of the user interface, and the checks behind them."""
