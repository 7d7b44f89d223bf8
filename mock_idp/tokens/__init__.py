"""Tokens: honest ones by prepared keys, and forged ones that libraries rightly refuse to make."""
