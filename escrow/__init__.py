"""Station 2: what we hold, until it is released or refunded."""
