"""The door for machines: translate, make one domain call, answer."""
