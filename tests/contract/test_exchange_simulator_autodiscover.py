"""exchangelib's own request to the autodiscover service is understood, and its answer too."""

from __future__ import annotations

from exchangelib import Configuration, Credentials, Version
from exchangelib.autodiscover.protocol import AutodiscoverProtocol
from exchangelib.protocol import FailFast
from exchangelib.version import EXCHANGE_2016

from tests.contract.exchange_client import ANNA, BO, PASSWORD, USER, house


def test_it_tells_where_a_mailbox_is_where_else_to_ask_and_whom_it_does_not_know():
    with house() as server:
        server.discovery.redirects[BO] = ("RedirectAddress", "bo@byhavn.test")
        config = Configuration(
            service_endpoint=server.autodiscover_url,
            credentials=Credentials(USER, PASSWORD),
            auth_type="basic",
            version=Version(EXCHANGE_2016),
            retry_policy=FailFast(),
        )
        protocol = AutodiscoverProtocol(config=config)

        found, redirected, unknown = (protocol.get_user_settings(user) for user in (ANNA, BO, "ingen@byhavn.example"))

    assert found.ews_url == server.url
    assert (redirected.redirect_address, unknown.error_code) == ("bo@byhavn.test", "InvalidUser")
