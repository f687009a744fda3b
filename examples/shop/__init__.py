"""A small shop whose buyers pay through Holdfast. Start it with `python -m examples.shop`."""
