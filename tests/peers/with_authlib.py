"""Authlib, as a Flask application uses it: discovery, code flow with PKCE and nonce, ID Token by joserfc, and so on."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import flask
import requests
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
from authlib.integrations.flask_client import OAuth  # type: ignore[import-untyped]
from authlib.integrations.requests_client import OAuth2Session  # type: ignore[import-untyped]
from authlib.oauth2.rfc7523 import ClientSecretJWT, PrivateKeyJWT  # type: ignore[import-untyped]
from joserfc.errors import JoseError
from joserfc.jwk import import_key

from tests.peers.job import PLACES, Browser, DeclinedError, attempt

if TYPE_CHECKING:
    from tests.peers.job import Job, Progress, Result

OWN_ERRORS = (AuthlibBaseError, JoseError, requests.RequestException)


def run(job: Job) -> Result:
    """Log in, in one Flask session."""
    return attempt(job, _drive, OWN_ERRORS)


def _drive(job: Job, progress: Progress) -> None:
    application = flask.Flask(__name__)
    application.secret_key = secrets.token_bytes()
    remote = _register(application, job)
    with Browser() as browser:
        _log_in(job, progress, browser, application, remote)


def _log_in(job: Job, progress: Progress, browser: Browser, application: flask.Flask, remote: Any) -> None:
    progress.stage = "discovery"
    with application.test_request_context("/login"):
        url = remote.authorize_redirect(job.redirect_uri, **job.parameters).location
        session = dict(flask.session)

    progress.stage = "authorization"
    callback = browser.visit(url, job.redirect_uri)

    progress.stage = "token"
    method = "GET" if callback.form is None else "POST"
    with application.test_request_context(callback.url, method=method, data=callback.form):
        flask.session.update(session)
        tokens = remote.authorize_access_token()
        if job.provider in PLACES:
            progress.stage = "userinfo"
            progress.seen["profile"] = remote.get(PLACES[job.provider].profile).json()
            return
        if "userinfo" not in tokens:
            raise DeclinedError("there is no ID Token")  # Authlib leaves that to the application
        sub = tokens["userinfo"]["sub"]
        progress.seen.update(sub=sub, token_type=tokens.get("token_type"), scope=tokens.get("scope"))
        if "userinfo" in job.then:
            progress.stage = "userinfo"
            progress.seen["profile"] = dict(remote.userinfo())
        with _session(job, remote, tokens) as client:
            _afterwards(job, progress, remote, client)
        if "logout" in job.then:
            progress.stage = "logout"
            hint = tokens["id_token"]
            url = remote.logout_redirect(job.post_logout_redirect_uri, id_token_hint=hint, state="STATE").location
            progress.seen["logged_out_to"] = browser.visit(url, job.post_logout_redirect_uri).url
            session = dict(flask.session)
    if "logout" in job.then:
        with application.test_request_context(progress.seen["logged_out_to"]):
            flask.session.update(session)
            remote.validate_logout_response()


def _register(application: flask.Flask, job: Job) -> Any:
    secret: Any = job.client_secret
    if job.private_key is not None:
        secret = import_key(job.private_key)
    remote = OAuth(application).register(
        "idp",
        client_id=job.client_id,
        client_secret=secret,
        **_places(job),
        client_kwargs={
            "scope": PLACES[job.provider].scope if job.provider in PLACES else job.scope,
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": job.auth,
            "revocation_endpoint_auth_method": job.auth,
            "default_timeout": job.timeout_s,
        },
        client_auth_methods=_assertions(job),
    )
    assert remote is not None
    return remote


def _places(job: Job) -> dict[str, str]:
    places = PLACES.get(job.provider)
    if places is None:
        return {"server_metadata_url": f"{job.issuer}/.well-known/openid-configuration"}
    return {
        "authorize_url": f"{job.issuer}/{places.authorize}",
        "access_token_url": f"{job.issuer}/{places.token}",
        "api_base_url": f"{job.issuer}/",
    }


def _assertions(job: Job) -> list[Any]:
    if job.auth == "client_secret_jwt":
        return [ClientSecretJWT()]
    if job.private_key is not None:
        return [PrivateKeyJWT(alg=job.private_key["alg"], headers={"kid": job.private_key["kid"]})]
    return []


def _session(job: Job, remote: Any, tokens: dict[str, Any]) -> OAuth2Session:
    """What Authlib's documentation uses for requests outside of the login."""
    client = OAuth2Session(
        job.client_id,
        remote.client_secret,
        token=tokens,
        token_endpoint_auth_method=job.auth,
        revocation_endpoint_auth_method=job.auth,
        default_timeout=job.timeout_s,
    )
    for method in _assertions(job):
        client.register_client_auth_method(method)
    return client


def _afterwards(job: Job, progress: Progress, remote: Any, client: OAuth2Session) -> None:
    metadata, seen = remote.server_metadata, progress.seen
    if "refresh" in job.then and client.token.get("refresh_token"):
        progress.stage = "refresh"
        before = client.token["refresh_token"]
        again = client.refresh_token(metadata["token_endpoint"])
        seen["rotated"] = again.get("refresh_token") not in (None, before)
        if "id_token" in again:
            seen["refreshed_sub"] = remote.parse_id_token(again, nonce=None)["sub"]
        client.get(metadata["userinfo_endpoint"]).raise_for_status()
    if "introspect" in job.then:
        progress.stage = "introspect"
        answer = client.introspect_token(metadata["introspection_endpoint"], client.token["access_token"])
        seen["active"] = answer.json()["active"]
    if "revoke" in job.then:
        progress.stage = "revoke"
        client.revoke_token(metadata["revocation_endpoint"], client.token["access_token"]).raise_for_status()
        seen["usable_after_revocation"] = client.get(metadata["userinfo_endpoint"]).ok
