"""The verbs of station 1. `creation` makes orders, `lifecycle` moves them, `payments` asks
channels for money."""
