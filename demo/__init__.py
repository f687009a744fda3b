"""A believable marketplace, one live order and all services in one terminal.

Nothing may depend on it.
"""
