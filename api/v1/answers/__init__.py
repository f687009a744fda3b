"""What callers are answered, one module per resource."""
