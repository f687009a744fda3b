"""Station 3: what we pay to sellers and platforms."""
