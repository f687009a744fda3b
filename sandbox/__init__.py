"""A make-believe payment channel and bank with their own books: the oracle that Holdfast is
compared with.

An island: it shares no code with the clients that talk to it and must never import another app of
ours.
"""
