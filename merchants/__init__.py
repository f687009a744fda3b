"""Who: users, platforms, merchants, their bank accounts, keys and commission terms."""
