"""The promises the application keeps: one field, read at one place.

Every boolean says what a sound application does and is true; a defect sets one to false. The few fields that are not
booleans name what is accepted beyond the sound minimum and are empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Rules:
    """What the application does right. `Rules()` is sound; `reference_app.defects` holds the others."""

    # Login
    login_issues_credentials: bool = True
    password_must_be_text: bool = True
    password_case_matters: bool = True
    unknown_user_hidden: bool = True
    login_throttled: bool = True
    login_by_post_only: bool = True
    login_stays_on_origin: bool = True
    login_url_free_of_tokens: bool = True
    return_path_checked: bool = True
    clear_text_redirected: bool = True

    # Sessions
    access_value_chosen_here: bool = True
    access_value_random: bool = True
    relogin_ends_previous: bool = True
    sessions_expire: bool = True
    password_change_ends_others: bool = True
    user_kept_per_request: bool = True
    user_never_cached: bool = True

    # Cookies
    access_cookie_http_only: bool = True
    access_cookie_once: bool = True
    access_cookie_ends_with_token: bool = True
    access_cookie_domain: Literal["none", "host", "site"] = "none"
    access_value_only_http_only: bool = True
    refresh_cookie_narrow: bool = True
    cookies_secure: bool = True
    cookies_prefixed: bool = True
    cookies_same_site: bool = True
    cookie_values_checked: bool = True

    # Refresh
    refresh_issues_credentials: bool = True
    refresh_signature_verified: bool = True
    refresh_refuses_access: bool = True
    refresh_rotates: bool = True
    refresh_single_use: bool = True
    refresh_claimed_atomically: bool = True
    refresh_keeps_session_end: bool = True

    # Logout
    logout_ends: frozenset[Literal["access", "refresh"]] = frozenset({"access", "refresh"})
    logout_clears_path_set: bool = True
    logout_by_post_only: bool = True
    logout_needs_no_user: bool = True

    # Where credentials are read from
    one_carrier_everywhere: bool = True
    header_only_when_declared: bool = True
    scheme_checked: bool = True
    stray_cookies: tuple[str, ...] = ()
    query_parameters: tuple[str, ...] = ()
    identity_headers: tuple[str, ...] = ()

    # CORS
    cors_origins: Literal["exact", "any", "unanchored"] = "exact"
    cors_before_authentication: bool = True
    cors_headers_named: bool = True
    cors_varies_by_origin: bool = True
    cors_on_errors: bool = True

    # Cross-site requests
    csrf_checked: bool = True
    csrf_for_every_media_type: bool = True
    csrf_bound_to_session: bool = True
    csrf_token_verified: bool = True
    json_by_media_type_only: bool = True
    origin_unchecked_at: tuple[str, ...] = ()
    reading_changes_nothing: bool = True
    websocket_origin_checked: bool = True

    # Tokens
    access_signature_verified: bool = True
    access_algorithm_fixed: bool = True
    access_expiry_checked: bool = True
    access_claims_minimal: bool = True
    bad_tokens_caught: bool = True
    token_answers_not_stored: bool = True
    api_refuses_refresh: bool = True

    # Answers
    unauthenticated_is_401: bool = True
    challenge_sent: bool = True
    errors_keep_internals: bool = True
    errors_machine_readable: bool = True
    transport_security_sent: bool = True
