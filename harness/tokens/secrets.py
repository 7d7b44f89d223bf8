"""HMAC keys that anyone can look up: the samples of tutorials, templates and documentation.

An application still signing with one of them lets every reader of that page sign in as anyone (RFC 8725, section 3.5).
The guess is made offline, on one token, and sends nothing.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import TYPE_CHECKING

from harness.tokens.forge import DIGESTS, hmac_of
from harness.tokens.jwt import Jwt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_WORDS = """
secret Secret secretkey secret-key secret_key secretKey SecretKey SECRET_KEY secret123 s3cr3t supersecret
super_secret supersecretkey super-secret-key super_secret_key mysecret mySecret my-secret my_secret mysecretkey
my-secret-key mySecretKey MY_SECRET_KEY topsecret top-secret verysecret very-secret jwt jwtsecret jwt-secret
jwt_secret jwtSecret JWT_SECRET jwt-secret-key jwt_secret_key JWT_SECRET_KEY jwtSecretKey your-secret
your_secret your-secret-key your_secret_key YOUR_SECRET_KEY yourSecretKey your-secret-key-here
your-secret-key-change-in-production your-secret-key-change-this-in-production your-jwt-secret your_jwt_secret
your-jwt-secret-key your-super-secret-key your-super-secret-jwt-key
your-super-secret-jwt-key-change-this-in-production changeme change-me change_me CHANGE_ME changeit change-this
changeme123 password Password admin test test-secret testing key token development dev-secret example default
defaultsecret default-secret private privatekey hmac-secret auth-secret session-secret signing-key somesecret
some-secret thisisasecret this-is-a-secret thisismysecret notasecret insecure qwerty hello helloworld 1234 12345
123456 1234567890 12345678901234567890123456789012
"""

SAMPLE_KEYS = (
    # FastAPI's security tutorial and project template
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "changethis",
    "SECRET",
    # jwt.io's debugger, before and since 2025
    "your-256-bit-secret",
    "your-384-bit-secret",
    "your-512-bit-secret",
    "a-string-secret-at-least-256-bits-long",
    "a-valid-string-secret-that-is-at-least-384-bits-long",
    "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
    # RFC 7515, appendix A.1 (base64url)
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    # Flask and its JWT extensions
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    "dev",
    "super-secret",
    "jwt-secret-string",
    # Node: jsonwebtoken, express-jwt, express-session, NestJS, Strapi
    "shhhhh",
    "shhhhhared-secret",
    "keyboard cat",
    "DO NOT USE THIS VALUE. INSTEAD, CREATE A COMPLEX SECRET AND KEEP IT SAFE OUTSIDE OF THE SOURCE CODE.",
    "tobemodified",
    # Spring, .NET, Go, Ruby and PHP tutorials
    "404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970",
    "bezKoderSecretKey",
    "bezkoder-secret-key",
    "JWTSuperSecretKey",
    "javainuse",
    "THIS IS USED TO SIGN AND VERIFY JWT TOKENS, REPLACE IT WITH YOUR OWN SECRET, IT CAN BE ANY STRING",
    "This is my custom Secret key for authentication",
    "Yh2k7QSu4l8CZg5p6X3Pna9L0Miy4D3Bvt0JVr87UcOj69Kqw5R2Nmf4FWs03Hdx",
    "AllYourBase",
    "my_secret_key",
    "my$ecretK3y",
    "example_key",
    # Supabase, PostgREST, Hasura
    "your-super-secret-jwt-token-with-at-least-32-characters-long",
    "super-secret-jwt-token-with-at-least-32-characters-long",
    "reallyreallyreallyreallyverysafe",
    "3EK6FD+o0+c7tzBNVfjpMkNDi2yARAAKzQlk8O2IKoxQu4nF7EdAh8s3TwpHwrdWT6R",
    # What people write where a key belongs
    *_WORDS.split(),
    "secret key",
    "this is a secret",
)


def guess_key(token: str, extra: Iterable[str] = ()) -> str | None:
    """The sample key that signed `token`, or None; also None where the token is not signed by HMAC.

    Args:
        token: the token.
        extra: further keys to try, such as the target's name.

    """
    jwt = Jwt.parse(token)
    if jwt is None or jwt.algorithm not in DIGESTS:
        return None
    signing_input = f"{jwt.segments[0]}.{jwt.segments[1]}"
    for text in (*SAMPLE_KEYS, *extra):
        for key in _readings(text):
            if hmac.compare_digest(hmac_of(jwt.algorithm, key, signing_input), jwt.signature):
                return text
    return None


def _readings(text: str) -> Iterator[bytes]:
    """The bytes that libraries make of a key's text: most take it as it stands, some decode it from base64."""
    yield text.encode("utf-8", "surrogatepass")
    if len(text) >= 16:  # noqa: PLR2004 - shorter ones are words, not encodings
        try:
            yield base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
        except (binascii.Error, ValueError):
            return
