"""Disputes, one file per side and per way they end. Nothing here posts to the books: `outcome` asks
for a refund and a release."""
