"""One module per provider, each behind channels.contract; only channels.registry imports them."""
