"""Who is measured, and how each is started."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from benchmarks.idp_peers import install
from benchmarks.idp_peers.flows import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, Manners
from benchmarks.idp_peers.process import Command

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DISCOVERY = "/.well-known/openid-configuration"
API_TOKENS = 400
"""emulate counts 5,000 calls an hour for each API token, and for all who send none together."""

PLAIN = Manners()

Starter = Callable[[int], Command]
"""How to start a server on a port."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """Folders: where installed peers are kept, and where files of this run are written."""

    peers: Path
    run: Path


@dataclass(frozen=True, slots=True)
class Contender:
    """A server to measure.

    ``prepare`` installs what is missing and says how to start it; it raises :class:`install.Missing`.
    """

    name: str
    version: str
    prepare: Callable[[Workshop], Starter]
    alg: str = "RS256"
    discovery: str = DISCOVERY
    manners: Manners = PLAIN
    client_credentials: bool = False


def _ours(alg: str) -> Callable[[Workshop], Starter]:
    def prepare(workshop: Workshop) -> Starter:
        config = workshop.run / f"ours-{alg}.toml"
        config.write_text(
            f"[tenants.bench]\n"
            f'auto_approve = "alice"\n'
            f'signing_alg = "{alg}"\n'
            f"[tenants.bench.clients.{CLIENT_ID}]\n"
            f'secret = "{CLIENT_SECRET}"\n'
            f'redirect_uris = ["{REDIRECT_URI}"]\n'
            f"[tenants.bench.accounts.alice]\n"
            f'claims = {{name = "Alice", email = "alice@example.test"}}\n'
        )
        arguments = [sys.executable, "-m", "mock_idp", "--config", str(config), "--port"]
        return lambda port: Command([*arguments, str(port)], ROOT, {})

    return prepare


def _floor(alg: str) -> Callable[[Workshop], Starter]:
    def prepare(workshop: Workshop) -> Starter:
        key = Ed25519PrivateKey.generate() if alg == "EdDSA" else generate_private_key(65537, 2048)
        file = workshop.run / f"floor-{alg}.der"
        file.write_bytes(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
        arguments = [sys.executable, str(HERE / "floor.py"), "--alg", alg, "--key", str(file), "--port"]
        return lambda port: Command([*arguments, str(port)], ROOT, {})

    return prepare


def _oauth2_mock_server(version: str) -> Callable[[Workshop], Starter]:
    def prepare(workshop: Workshop) -> Starter:
        node = install.node(workshop.peers)
        folder = install.npm(workshop.peers, "oauth2-mock-server", version)
        script = "node_modules/oauth2-mock-server/dist/oauth2-mock-server.mjs"
        return lambda port: Command([node, script, "-a", "127.0.0.1", "-p", str(port)], folder, {})

    return prepare


def _emulate(version: str) -> Callable[[Workshop], Starter]:
    def prepare(workshop: Workshop) -> Starter:
        node = install.node(workshop.peers)
        folder = install.npm(workshop.peers, "emulate", version)
        user = {"email": "alice@example.test", "name": "Alice"}
        client = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "name": "Bench",
            "redirect_uris": [REDIRECT_URI],
        }
        tokens = {token: {"login": user["email"], "scopes": ["openid"]} for token in _api_tokens()}
        seed = workshop.run / "emulate.json"
        seed.write_text(json.dumps({"tokens": tokens, "google": {"users": [user], "oauth_clients": [client]}}))
        start = [node, "node_modules/emulate/dist/index.js", "start", "--service", "google", "--seed", str(seed)]
        return lambda port: Command(
            [*start, "--port", str(port), "--base-url", f"http://127.0.0.1:{port}"], folder, {"NO_COLOR": "1"}
        )

    return prepare


def _api_tokens() -> tuple[str, ...]:
    return tuple(f"bench-{number}" for number in range(API_TOKENS))


def _mockin(version: str) -> Callable[[Workshop], Starter]:
    def prepare(workshop: Workshop) -> Starter:
        node = install.node(workshop.peers)
        folder = install.npm(workshop.peers, "@hellocoop/mockin", version)
        script = "node_modules/@hellocoop/mockin/src/server.js"
        return lambda port: Command([node, script], folder, {"PORT": str(port), "IP": "127.0.0.1"})

    return prepare


def _oidc_provider(version: str) -> Callable[[Workshop], Starter]:
    def prepare(workshop: Workshop) -> Starter:
        node = install.node(workshop.peers)
        folder = install.npm(workshop.peers, "oidc-provider", version)
        script = str(HERE / "oidc_provider.mjs")
        return lambda port: Command([node, script, str(port)], folder, {})

    return prepare


def _oidc_provider_mock(version: str) -> Callable[[Workshop], Starter]:
    def prepare(workshop: Workshop) -> Starter:
        python = install.pip(workshop.peers, "oidc-provider-mock", version, (3, 12))
        return lambda port: Command([python, "-m", "oidc_provider_mock", "--port", str(port)], workshop.run, {})

    return prepare


def everybody() -> list[Contender]:
    """All contenders in the order of a round: each of ours stands beside its floor."""
    own = importlib.metadata.version("authconform")
    under = f"uvicorn {importlib.metadata.version('uvicorn')}"
    return [
        Contender("ours-rs256", own, _ours("RS256"), "RS256", f"/bench{DISCOVERY}", client_credentials=True),
        Contender("floor-rs256", under, _floor("RS256"), "RS256", client_credentials=True),
        Contender("ours-eddsa", own, _ours("EdDSA"), "EdDSA", f"/bench{DISCOVERY}", client_credentials=True),
        Contender("floor-eddsa", under, _floor("EdDSA"), "EdDSA", client_credentials=True),
        Contender("oauth2-mock-server", "9.3.0", _oauth2_mock_server("9.3.0"), client_credentials=True),
        # Not npm's "latest": that is an older project of the same name, which helps with CSS.
        Contender(
            "emulate (google)",
            "0.12.2",
            _emulate("0.12.2"),
            manners=Manners(login="google", client_in_body=True, api_tokens=_api_tokens()),
        ),
        Contender("mockin", "2.0.0", _mockin("2.0.0"), manners=Manners(scope="openid email name", client_in_body=True)),
        Contender("oidc-provider-mock", "0.4.8", _oidc_provider_mock("0.4.8"), manners=Manners(login="subject")),
        Contender(
            "oidc-provider",
            "9.13.3",
            _oidc_provider("9.13.3"),
            manners=Manners(login="cookies"),
            client_credentials=True,
        ),
    ]
