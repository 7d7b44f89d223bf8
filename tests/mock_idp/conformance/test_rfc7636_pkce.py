"""RFC 7636 at the token endpoint, with what RFC 9700 adds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mock_idp.tokens.pkce import challenge_of
from tests.mock_idp.served import challenge, error_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_idp.records import Leniency
    from tests.mock_idp.served import World


class TestSection46Verification:
    """4.6."""

    def test_the_right_verifier_passes(self, tenant: World) -> None:
        """'If the values are equal, the token endpoint MUST continue processing as normal.'"""
        verifier, asked = challenge()
        assert tenant.redeem(tenant.code(**asked), code_verifier=verifier).status_code == 200

    def test_any_other_is_refused(self, tenant: World) -> None:
        """'If the values are not equal, an error response indicating "invalid_grant" ... MUST be returned.'"""
        for spoil in (str.swapcase, lambda v: v[:-1], lambda v: v + "A", lambda _: "w" * 43):
            verifier, asked = challenge()
            assert error_of(tenant.redeem(tenant.code(**asked), code_verifier=spoil(verifier))) == "invalid_grant"

    @pytest.mark.parametrize("verifier", ["v" * 42, "v" * 129, "v" * 42 + "+", "v" * 42 + "\n"])
    def test_one_that_is_none_is_refused_though_it_fits(self, tenant: World, verifier: str) -> None:
        """4.1: 'minimum length of 43 characters and a maximum length of 128 characters', unreserved ones."""
        code = tenant.code(code_challenge=challenge_of(verifier), code_challenge_method="S256")
        assert error_of(tenant.redeem(code, code_verifier=verifier)) == "invalid_grant"

    def test_leaving_it_out_is_refused(self, tenant: World) -> None:
        """RFC 9700, section 2.1.1: 'MUST ... the verifier is compulsory when a challenge was present'."""
        assert error_of(tenant.redeem(tenant.code(**challenge()[1]))) == "invalid_grant"

    def test_the_challenge_itself_is_no_verifier(self, tenant: World) -> None:
        """What an attacker saw in the browser is of no use."""
        _, asked = challenge()
        code = tenant.code(**asked)
        assert error_of(tenant.redeem(code, code_verifier=asked["code_challenge"])) == "invalid_grant"

    def test_a_verifier_without_a_challenge_is_refused(self, tenant: World) -> None:
        """RFC 9700, 4.8.2: 'if there was no code_challenge ... any request containing a code_verifier' is rejected."""
        assert error_of(tenant.redeem(tenant.code(), code_verifier="v" * 43)) == "invalid_grant"

    def test_a_failed_attempt_uses_the_code_up(self, tenant: World) -> None:
        """Nobody gets to guess twice."""
        verifier, asked = challenge()
        code = tenant.code(**asked)
        tenant.redeem(code, code_verifier="w" * 43)
        assert error_of(tenant.redeem(code, code_verifier=verifier)) == "invalid_grant"

    def test_plain_where_it_is_switched_on(self, new_tenant: Callable[..., World]) -> None:
        """4.2: 'plain: code_challenge = code_verifier'."""
        tenant = new_tenant(plain_pkce=True)
        code = tenant.code(code_challenge="v" * 43, code_challenge_method="plain")
        assert tenant.redeem(code, code_verifier="v" * 43).status_code == 200
        code = tenant.code(code_challenge="v" * 43, code_challenge_method="plain")
        assert error_of(tenant.redeem(code, code_verifier="w" * 43)) == "invalid_grant"

    def test_neither_is_demanded_otherwise(self, tenant: World) -> None:
        """A client that does not use PKCE is served, where the tenant does not insist."""
        assert tenant.redeem(tenant.code()).status_code == 200

    @pytest.mark.parametrize(
        ("leniency", "asked", "sent"),
        [
            ("verifier-missing", 1, None),
            ("verifier-wrong", 1, "w" * 43),
            ("verifier-unasked", 0, "w" * 43),
        ],
    )
    def test_each_mistake_can_be_let_pass(
        self, tenant: World, leniency: Leniency, asked: int, sent: str | None
    ) -> None:
        """By its own name, and the journal says when it was."""
        tenant.change(lambda t: t.clients["app"].lenient.append(leniency))
        code = tenant.code(**(challenge()[1] if asked else {}))
        assert tenant.redeem(code, code_verifier=sent).status_code == 200
        assert tenant.journal()[-1].lenient == [leniency]
