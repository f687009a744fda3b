"""Station 1: what the buyer owes and paid."""
