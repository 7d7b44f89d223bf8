"""Authlib and requests-oauthlib: grants without a browser. `Job.grant` says which."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import requests
from authlib.integrations.requests_client import AssertionSession, OAuth2Session  # type: ignore[import-untyped]
from joserfc.jwk import import_key
from oauthlib.oauth2 import BackendApplicationClient  # type: ignore[import-untyped]
from requests_oauthlib import OAuth2Session as RequestsSession  # type: ignore[import-untyped]

from tests.peers import with_authlib, with_requests_oauthlib
from tests.peers.job import attempt

if TYPE_CHECKING:
    from tests.peers.job import Job, Progress, Result

_GRANT = "urn:ietf:params:oauth:grant-type:"


def authlib(job: Job) -> Result:
    """One grant of Authlib."""
    return attempt(job, _AUTHLIB[job.grant], with_authlib.OWN_ERRORS)


def requests_oauthlib(job: Job) -> Result:
    """Client credentials, its only one."""
    with patch.dict(os.environ, {"OAUTHLIB_INSECURE_TRANSPORT": "1"}):
        return attempt(job, _backend, with_requests_oauthlib.OWN_ERRORS)


def _metadata(job: Job) -> dict[str, Any]:
    answer = requests.get(f"{job.issuer}/.well-known/oauth-authorization-server", timeout=job.timeout_s)
    found: dict[str, Any] = answer.json()
    return found


def _client_credentials(job: Job, progress: Progress) -> None:
    metadata = _metadata(job)
    with OAuth2Session(job.client_id, job.client_secret, scope="email", default_timeout=job.timeout_s) as session:
        tokens = session.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
        _introspect(session, metadata, progress)
        progress.seen["scope"] = tokens["scope"]


def _device_code(job: Job, progress: Progress) -> None:
    metadata = _metadata(job)
    credentials = (job.client_id, job.client_secret or "")
    with OAuth2Session(*credentials, default_timeout=job.timeout_s) as session:
        asked = {"client_id": job.client_id, "scope": job.scope}
        started = requests.post(
            metadata["device_authorization_endpoint"], data=asked, auth=credentials, timeout=job.timeout_s
        ).json()
        decided = {"user_code": started["user_code"], "account": "alice"}
        requests.post(started["verification_uri"], data=decided, timeout=job.timeout_s).raise_for_status()
        session.fetch_token(
            metadata["token_endpoint"], grant_type=f"{_GRANT}device_code", device_code=started["device_code"]
        )
        profile = session.get(metadata["userinfo_endpoint"]).json()
        progress.seen.update(sub=profile["sub"], profile=profile)


def _token_exchange(job: Job, progress: Progress) -> None:
    metadata = _metadata(job)
    with OAuth2Session(job.client_id, job.client_secret, default_timeout=job.timeout_s) as session:
        tokens = session.fetch_token(
            metadata["token_endpoint"],
            grant_type=f"{_GRANT}token-exchange",
            subject_token=job.subject_token,
            subject_token_type="urn:ietf:params:oauth:token-type:access_token",
        )
        _introspect(session, metadata, progress)
        progress.seen["issued_token_type"] = tokens["issued_token_type"]


def _jwt_bearer(job: Job, progress: Progress) -> None:
    metadata = _metadata(job)
    assert job.private_key is not None
    with AssertionSession(
        metadata["token_endpoint"],
        issuer=job.client_id,
        subject="alice",
        audience=metadata["token_endpoint"],
        claims={"jti": os.urandom(8).hex()},
        key=import_key(job.private_key),
        header={"alg": job.private_key["alg"], "kid": job.private_key["kid"]},
        default_timeout=job.timeout_s,
        scope="openid email",
    ) as session:
        progress.seen["profile"] = session.get(metadata["userinfo_endpoint"]).json()
        progress.seen["sub"] = progress.seen["profile"]["sub"]


def _introspect(session: OAuth2Session, metadata: dict[str, Any], progress: Progress) -> None:
    answer = session.introspect_token(metadata["introspection_endpoint"], session.token["access_token"])
    progress.seen["sub"] = answer.json()["sub"]


def _backend(job: Job, progress: Progress) -> None:
    metadata = _metadata(job)
    credentials = (job.client_id, job.client_secret or "")
    with RequestsSession(client=BackendApplicationClient(job.client_id, scope=["email"])) as session:
        tokens = session.fetch_token(
            metadata["token_endpoint"], client_id=job.client_id, client_secret=job.client_secret, timeout=job.timeout_s
        )
    answer = requests.post(
        metadata["introspection_endpoint"],
        data={"token": tokens["access_token"]},
        auth=credentials,
        timeout=job.timeout_s,
    )
    progress.seen.update(sub=answer.json()["sub"], scope=" ".join(tokens["scope"]))


_AUTHLIB = {
    "client_credentials": _client_credentials,
    "device_code": _device_code,
    "token_exchange": _token_exchange,
    "jwt_bearer": _jwt_bearer,
}
