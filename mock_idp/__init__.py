"""The mock OAuth 2.0 and OpenID Connect provider. Nothing of it is part of this release."""
