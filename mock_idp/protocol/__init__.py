"""The endpoints, each a table of one-step functions. The table is the documentation; a fault is one step replaced."""
