"""Words every station shares: money, ids and refusals. Pure Python; it must never import Django
or a station."""
