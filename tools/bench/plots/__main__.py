"""Draw the plots anew: `python -m tools.bench.plots`."""

from pathlib import Path

from . import write_plots

if __name__ == "__main__":
    write_plots(Path(__file__).parents[3] / "docs" / "benchmark.md")
