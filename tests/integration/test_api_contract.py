"""Whatever is sent, the answer is one the OpenAPI document knows, and never a defect of ours."""

from __future__ import annotations

import hypothesis
import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance

from syncd.web.app import document
from tests.integration.web_town import TOKENS, Served

EXAMPLES = 20
"""Per path; besides them schemathesis tries every boundary of every parameter once."""

interface = schemathesis.openapi.from_dict(document())


@interface.parametrize()
@hypothesis.settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.filter_too_much, hypothesis.HealthCheck.too_slow],
)
def test_no_request_gets_an_answer_that_is_not_documented(case: schemathesis.Case, served: Served) -> None:
    case.call_and_validate(
        base_url=served.base,
        headers={"Authorization": f"Bearer {TOKENS['portal']}"},
        # A well-formed request may still name a booking that does not exist, or a range that ends before it begins.
        excluded_checks=[positive_data_acceptance],
    )
