"""The verbs of station 3: `cutoff` makes statements and payouts, `approval` lets people decide,
`sending` talks to the bank and keeps its answers."""
