"""Generated requests over the whole control API: whatever is sent, the provider keeps its countenance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok

import mock_idp

if TYPE_CHECKING:
    from collections.abc import Iterator

TENANT = "fuzzed"


@pytest.fixture(scope="module")
def provider() -> Iterator[mock_idp.Control]:
    """One of its own: generated requests may load a state, or drop any tenant."""
    with mock_idp.start() as running:
        yield running


def test_no_request_is_answered_by_a_fault_of_ours(provider: mock_idp.Control, subtests: pytest.Subtests) -> None:
    import httpx

    headers = {"Authorization": f"Bearer {provider.token}"}
    description = httpx.get(f"{provider.base}/_control/openapi.json").json()
    schema = schemathesis.openapi.from_dict(description)
    schema.config.update(base_url=provider.base)
    operations = list(schema.get_all_operations())
    assert len(operations) > 30
    for result in operations:
        assert isinstance(result, Ok)
        operation = result.ok()
        with subtests.test(operation.label):

            @given(case=operation.as_strategy())
            @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
            def fuzz(case: schemathesis.Case[Any]) -> None:
                provider.tenant(TENANT)
                if "tenant" in case.path_parameters:
                    case.path_parameters["tenant"] = TENANT
                if case.query:
                    case.query.pop("wait", None)  # up to a minute each
                response = case.call(headers=headers)
                assert response.status_code < 500, f"{response.status_code} {response.text}"
                if response.status_code >= 400:
                    error = response.json()["error"]
                    assert error
                    assert "\n" not in error
                    assert provider.token not in error
                case.validate_response(
                    response,
                    checks=[
                        schemathesis.checks.not_a_server_error,
                        schemathesis.checks.response_schema_conformance,
                        schemathesis.checks.status_code_conformance,
                    ],
                )

            fuzz()
    assert provider.tenant(TENANT).token()
    assert quote(TENANT) in provider.tenants()
