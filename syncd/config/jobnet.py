"""The planner facade for Jobnet: who may call it, what stands for what, and where the key of citizens' numbers is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from syncd.config.certificates import CertificateMeans
from syncd.config.sections import Id, SecretRef

CLIENT = "jobnet"
"""Bookings made through the facade belong to this client; no program with a token may bear the name."""


def _jobcentre(value: str) -> str:
    if not re.fullmatch(r"[0-9]{5}", value):
        raise ValueError("should be the five digits of a jobcentre")
    return value


Jobcentre = Annotated[str, AfterValidator(_jobcentre)]
CaseworkerIdentifier = Annotated[str, Field(min_length=1, max_length=255)]


class JobnetSection(CertificateMeans):
    """The planner facade for Jobnet over DFDG; it answers only when the key of citizens' numbers is given."""

    cpr_key: Annotated[
        SecretRef | None,
        Field(
            description="The key that turns civil registration numbers into references, kept outside the database and "
            "its backups. Make one with `openssl rand -hex 32`, and never lose it.",
            examples=[{"credential": "cpr"}],
        ),
    ] = None
    mapping: Annotated[
        Path | None,
        Field(
            description="Names, paths and codes that the contract leaves open; unset: those of "
            "config/jobnet-mapping.toml as shipped.",
            examples=["jobnet-mapping.toml"],
        ),
    ] = None
    jobcentres: Annotated[
        dict[Jobcentre, tuple[Id, ...]],
        Field(
            description="Offers by the citizen's jobcentre; an empty list means all offers.",
            examples=[{"12345": ["jobsamtale"]}],
            default_factory=dict,
        ),
    ]
    caseworkers: Annotated[
        dict[Id, CaseworkerIdentifier],
        Field(
            description="What the case system calls a caseworker (RID or GUID), by our id; unset: our id.",
            examples=[{"anna": "CVR:12345678-RID:1234567890"}],
            default_factory=dict,
        ),
    ]
    reservation_minutes: Annotated[int, Field(ge=1, le=120, description="How long a reserved time is kept.")] = 15
    longest_days: Annotated[int, Field(ge=1, le=366, description="The longest interval that may be asked about.")] = 190
    certificate_subjects: Annotated[
        tuple[str, ...],
        Field(
            description="Subjects of the function certificates that may call, as RFC 4514 writes them; without one "
            "nobody may.",
            examples=[["CN=STAR DFDG,serialNumber=UI:DK-O:G:1,O=Styrelsen,C=DK"]],
        ),
    ] = ()
    certificate_issuers: Annotated[
        tuple[str, ...],
        Field(
            description="Issuers that may have signed them, written the same way.", examples=[["CN=OCES3 CA,O=X,C=DK"]]
        ),
    ] = ()

    @property
    def on(self) -> bool:
        """Whether the facade answers at all."""
        return self.cpr_key is not None

    def anchored(self, base: Path) -> JobnetSection:
        """The same with absolute paths."""
        files = {"mapping": base / self.mapping if self.mapping else None}
        key = self.cpr_key
        if key is not None and key.file is not None:
            key = key.model_copy(update={"file": base / key.file})
        return self.placed(base).model_copy(update=files | {"cpr_key": key})

    @model_validator(mode="after")
    def _whole(self) -> JobnetSection:
        if self.on and not (self.trusted_proxies or self.listen):
            raise ValueError("needs trusted_proxies or listen: without one nobody can show a certificate")
        if self.on and not (self.certificate_subjects and self.certificate_issuers):
            raise ValueError("needs certificate_subjects and certificate_issuers: they say who may call")
        return self
