"""The verbs of station 2: `hold` takes money in, `release` and `refund` let it out, `remittance`
follows it home."""
