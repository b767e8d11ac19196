"""Whatever is sent to either generation, the answer is one that was published, and never a fault of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import requests
from hypothesis import strategies as st
from lxml import etree

from syncd.store import Store
from syncd.web.jobnet.document import openapi
from syncd.web.jobnet.mapping import MappingFile
from syncd.web.jobnet.soap import MESSAGES
from syncd.web.jobnet.wsdl import elements, xsd
from syncd.web.jobnet.xml import Xml
from syncd.web.jobnet.xsd import Part, parts_of
from tests.integration.jobnet_town import CPR, OTHER, Dfdg, JobnetTown
from tests.integration.test_api_contract import tried
from tests.integration.test_jobnet_soap import CERTIFICATE, ENVELOPE, HEADER, PATH, SPACE
from tests.integration.web_town import Served, serving

EXAMPLES = 8
"""Per operation; besides them schemathesis tries every boundary of every parameter once."""
MAPPING = MappingFile.model_validate({})
PARTS = parts_of(MAPPING.names("soap"))
SCHEMA = Xml(SPACE, PARTS, xsd(MAPPING, MESSAGES))
KNOWN = {message.__name__: message for message in PARTS}
ASKED = {name: one for name, one in elements(MAPPING, MESSAGES).items() if name.endswith("Request")}


@pytest.fixture(scope="module")
def served(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    path = tmp_path_factory.mktemp("jobnet") / "syncd.db"
    path.write_bytes(_sqlite_template.read_bytes())
    store = Store(f"sqlite:///{path}")
    town = JobnetTown(store)
    OFFERS[:] = [town.offer(), town.offer("opfoelgning")]
    with serving(town.deps()) as running:
        yield running
    store.close()


OFFERS: list[str] = []


@pytest.mark.broad
@pytest.mark.timeout(600)
def test_no_json_gets_an_answer_that_is_not_published(served: Served, tmp_path: Path) -> None:
    certificate = {name: value for name, value in Dfdg("").headers().items() if name.startswith("X-SSL")}
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(openapi(MAPPING)), encoding="utf-8")

    tried(document, served.base, certificate, EXAMPLES)


def _values(part: Part) -> st.SearchStrategy[str]:
    """What may stand in a field, right and wrong."""
    wild = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=40).map(_escaped)
    ids = st.sampled_from([*OFFERS, "0f8fad5b-d9cb-469f-a165-70867728950e"]) if OFFERS else st.just("x")
    times = st.datetimes().map(lambda at: f"{at.isoformat()}Z") | st.sampled_from(
        ["2026-12-01T00:00:00Z", "2026-12-01T08:00:00.1234567+01:00", "2026-12-02T00:00:00Z", "99999-01-01T00:00:00Z"]
    )
    likely: dict[str, st.SearchStrategy[str]] = {
        "cpr": st.sampled_from([CPR, OTHER, "0000000000", "2902011234"]),
        "jobcentre": st.just("12345"),
        "str": ids | st.sampled_from(["bo", "RID:1234567890"]),
        "int": st.integers(-1, 2**31).map(str),
        "bool": st.sampled_from(["true", "false", "0", "1"]),
        "datetime": times,
        "date": st.dates().map(str),
    }
    right = likely[part.field if part.field in likely else part.kind.base.__name__]
    return st.one_of(right, right, right, right, right, right, wild)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _message(name: str) -> st.SearchStrategy[str]:
    """The inside of a message."""
    return st.tuples(*(_field(part) for part in PARTS[KNOWN[name]])).map("".join)


def _field(part: Part) -> st.SearchStrategy[str]:
    inside = _message(part.kind.base.__name__) if issubclass(part.kind.base, tuple(KNOWN.values())) else _values(part)
    if part.kind.many:
        inside = st.lists(inside, max_size=3).map(lambda all_: "".join(f"<{part.item}>{x}</{part.item}>" for x in all_))
    whole = inside.map(lambda text: f"<{part.name}>{text}</{part.name}>")
    return st.one_of(whole, whole, whole, st.just("")) if part.required else st.one_of(whole, st.just(""))


@pytest.mark.parametrize("name", ASKED)
@hypothesis.settings(
    max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
)
@hypothesis.given(data=st.data())
def test_no_xml_gets_an_answer_that_is_not_published(name: str, served: Served, data: st.DataObject) -> None:
    inside = data.draw(_message(ASKED[name]))
    body = f'<s:Envelope xmlns:s="{ENVELOPE}"><s:Header>{HEADER}</s:Header><s:Body><{name} xmlns="{SPACE}">{inside}'
    text = f"{body}</{name}></s:Body></s:Envelope>".encode()
    headers = {"content-type": "text/xml"} | CERTIFICATE
    answer = requests.post(f"{served.base}{PATH}", data=text, headers=headers, timeout=20)
    root = etree.fromstring(answer.content)
    found = root.find(f"{{{ENVELOPE}}}Body")
    assert found is not None
    if answer.status_code == 200:
        SCHEMA.valid(found[0])
        return

    # A fault comes with 500 (SOAP 1.1, 6.2); whose fault it is stands in it.
    assert (500, "soap:Client") == (answer.status_code, root.findtext(".//faultcode"))
    detail = root.find(".//detail")
    assert detail is not None
    SCHEMA.valid(detail[0])
