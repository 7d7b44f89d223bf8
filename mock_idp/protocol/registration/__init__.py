"""Dynamic client registration (RFC 7591; OpenID Connect Dynamic Client Registration 1.0) and management (RFC 7592)."""

from mock_idp.protocol.registration.endpoints import (
    MANAGEMENT,
    REGISTRATION,
    Registration,
    refuse,
)

__all__ = ["MANAGEMENT", "REGISTRATION", "Registration", "refuse"]
