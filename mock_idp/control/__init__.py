"""Control over HTTP, under ``/_control``: tenants, faults, tokens, keys, clock, journal and state.

Imported when it is first asked for; `mock_idp.control.client` speaks to it from Python.
"""
