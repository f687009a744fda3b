"""Living a real history through: `reader` reads it, `plan` orders it in time, `run` lives it,
`report` adds it up.
"""
