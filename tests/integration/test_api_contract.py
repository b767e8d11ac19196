"""Whatever is sent, the answer is one the OpenAPI document knows, and never a defect of ours."""

from __future__ import annotations

import hypothesis
import pytest
import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance

from syncd.web.app import document
from tests.integration.web_town import TOKENS, Served

EXAMPLES, MANY = 6, 100
"""Per path; besides them schemathesis tries every boundary of every parameter once."""

interface = schemathesis.openapi.from_dict(document())


def examples(number: int) -> hypothesis.settings:
    """The same ones each time."""
    slow = [hypothesis.HealthCheck.filter_too_much, hypothesis.HealthCheck.too_slow]
    return hypothesis.settings(max_examples=number, derandomize=True, deadline=None, suppress_health_check=slow)


@interface.parametrize()
@examples(EXAMPLES)
def test_no_request_gets_an_answer_that_is_not_documented(case: schemathesis.Case, served: Served) -> None:
    validated(case, served)


@pytest.mark.long
@interface.parametrize()
@examples(MANY)
def test_none_of_many_requests_gets_an_answer_that_is_not_documented(case: schemathesis.Case, served: Served) -> None:
    validated(case, served)


def validated(case: schemathesis.Case, served: Served) -> None:
    """Send it, and judge the answer by the document."""
    case.call_and_validate(
        base_url=served.base,
        headers={"Authorization": f"Bearer {TOKENS['portal']}"},
        # A well-formed request may still name a booking that does not exist, or a range that ends before it begins.
        excluded_checks=[positive_data_acceptance],
    )
