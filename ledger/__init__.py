"""The books: the only place money moves."""
