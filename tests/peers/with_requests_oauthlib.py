"""requests-oauthlib: plain OAuth 2.0 with PKCE and state; it knows neither discovery nor ID Tokens nor UserInfo."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import requests
from oauthlib.oauth2 import OAuth2Error  # type: ignore[import-untyped]
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session  # type: ignore[import-untyped]

from tests.peers.job import PLACES, Browser, DeclinedError, attempt

if TYPE_CHECKING:
    from tests.peers.job import Job, Progress, Result

# A change of scope is raised as a plain `Warning`.
OWN_ERRORS = (OAuth2Error, requests.RequestException, Warning)


def run(job: Job) -> Result:
    """Log in, by one `OAuth2Session`."""
    insecure = {"OAUTHLIB_INSECURE_TRANSPORT": "1"} if job.issuer.startswith("http:") else {}
    with patch.dict(os.environ, insecure):
        return attempt(job, _drive, OWN_ERRORS)


def _drive(job: Job, progress: Progress) -> None:
    progress.stage = "discovery"
    metadata = _metadata(job)

    progress.stage = "authorization"
    scope = (PLACES[job.provider].scope if job.provider in PLACES else job.scope).split()
    with (
        Browser() as browser,
        OAuth2Session(job.client_id, redirect_uri=job.redirect_uri, scope=scope, pkce="S256") as session,
    ):
        url, _ = session.authorization_url(metadata["authorization_endpoint"], **job.parameters)
        callback = browser.visit(url, job.redirect_uri)
        if callback.form is not None:
            raise DeclinedError("it takes the URL of a callback, and this one is a POST")

        progress.stage = "token"
        tokens = session.fetch_token(
            metadata["token_endpoint"],
            authorization_response=callback.url,
            timeout=job.timeout_s,
            **_authentication(job),
        )
        progress.seen.update(token_type=tokens.get("token_type"), scope=" ".join(tokens.get("scope") or []))

        if "userinfo" in job.then:
            progress.stage = "userinfo"
            progress.seen["profile"] = _userinfo(job, session, metadata)
        if "refresh" in job.then and tokens.get("refresh_token"):
            progress.stage = "refresh"
            before = tokens["refresh_token"]
            again = session.refresh_token(metadata["token_endpoint"], timeout=job.timeout_s, **_refreshing(job))
            progress.seen["rotated"] = again["refresh_token"] != before
            _userinfo(job, session, metadata)


def _metadata(job: Job) -> dict[str, Any]:
    """The application knows its provider, or reads what it says of itself."""
    places = PLACES.get(job.provider)
    if places is not None:
        return {
            "authorization_endpoint": f"{job.issuer}/{places.authorize}",
            "token_endpoint": f"{job.issuer}/{places.token}",
            "userinfo_endpoint": f"{job.issuer}/{places.profile}",
        }
    found: dict[str, Any] = requests.get(f"{job.issuer}/.well-known/openid-configuration", timeout=job.timeout_s).json()
    return found


def _userinfo(job: Job, session: OAuth2Session, metadata: dict[str, Any]) -> dict[str, Any]:
    """The application's own request, with the token that the session adds."""
    response = session.get(metadata["userinfo_endpoint"], timeout=job.timeout_s)
    response.raise_for_status()
    profile: dict[str, Any] = response.json()
    return profile


def _authentication(job: Job) -> dict[str, Any]:
    if job.auth == "client_secret_basic":
        return {"client_secret": job.client_secret}
    return {"client_secret": job.client_secret if job.auth == "client_secret_post" else None, "include_client_id": True}


def _refreshing(job: Job) -> dict[str, Any]:
    if job.auth == "client_secret_basic":
        return {"auth": HTTPBasicAuth(job.client_id, job.client_secret or "")}
    return {
        "client_id": job.client_id,
        **({"client_secret": job.client_secret} if job.auth == "client_secret_post" else {}),
    }
