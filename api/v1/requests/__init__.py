"""What callers send, one module per resource.

It must never repeat a rule about money or states: those are the services'.
"""
