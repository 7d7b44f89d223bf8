"""The endpoints. Each is a table of one-step functions: the table is the documentation, a fault is one step replaced."""
