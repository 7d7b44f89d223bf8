"""The dashboard at ``/_/``: a live journal, tokens explained, sessions, and logins with a chosen fault.

Imported when it is first asked for.
"""
