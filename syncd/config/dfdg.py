"""Reporting to DFDG: where it is, who we are there, what is listened to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from syncd.config.sections import SecretRef, web_address
from syncd.section import Section


class DfdgSection(Section):
    """Reporting to DFDG (IndkaldelseService), and its messages; off until an address is given."""

    url: Annotated[
        str | None,
        Field(description="Address of the services, without a path.", examples=["https://dfdg.example.dk"]),
    ] = None
    certificate: Annotated[
        SecretRef | None,
        Field(
            description="The function certificate that we show, with its key (PEM); a file or a credential.",
            examples=[{"credential": "dfdg"}],
        ),
    ] = None
    ca_file: Annotated[
        Path | None, Field(description="Authorities that sign DFDG's certificate (PEM).", examples=["oces3.pem"])
    ] = None
    organisation_type: Annotated[
        int, Field(ge=0, description="OrganisationTypeIdentifier of the authority on whose behalf we call.")
    ] = 2
    organisation_code: Annotated[
        str, Field(description="OrganisationCode of it: jobcentre or municipality.", examples=["10101"])
    ] = ""
    user: Annotated[str, Field(min_length=1, description="Who acts when no person does (UserIdentifier).")] = "syncd"
    user_type: Annotated[
        int, Field(ge=0, description="RequestUserTypeIdentifier of that; 1 is a citizen, others ask STAR.")
    ] = 3
    messages: Annotated[
        Literal["off", "poll", "push", "both"],
        Field(description="How messages 90000 and 90001 come: we ask, they are sent to us, or both."),
    ] = "off"
    poll_seconds: Annotated[int, Field(ge=1, le=3600, description="Pause between two questions.")] = 30
    deadlines: Annotated[
        bool, Field(description="Deadlines (Frist) may be read; open ones drive the supply guard.")
    ] = False
    report_selfbook: Annotated[
        Literal["never", "if-missing"],
        Field(
            description="Whether a Jobnet booking that DFDG does not have is reported to it; DFDG writes its own, so "
            "otherwise a task tells."
        ),
    ] = "never"
    mapping: Annotated[
        Path | None,
        Field(
            description="Names, paths and codes that the contract leaves open; unset: those of "
            "config/dfdg-mapping.toml as shipped.",
            examples=["dfdg-mapping.toml"],
        ),
    ] = None
    benefit_groups: Annotated[
        tuple[str, ...],
        Field(description="Kontaktgrupper of unemployment benefit, counted by the rule of 2016 (B E999)."),
    ] = ("1", "8")

    @property
    def on(self) -> bool:
        """Whether anything is reported at all."""
        return self.url is not None

    def anchored(self, base: Path) -> DfdgSection:
        """The same with absolute paths."""
        files = {name: base / file for name in ("ca_file", "mapping") if (file := getattr(self, name))}
        shown = self.certificate
        if shown is not None and shown.file is not None:
            shown = shown.model_copy(update={"file": base / shown.file})
        return self.model_copy(update=files | {"certificate": shown})

    @field_validator("url")
    @classmethod
    def _web(cls, value: str | None) -> str | None:
        return web_address(value)

    @model_validator(mode="after")
    def _whole(self) -> DfdgSection:
        if not self.on:
            return self
        if not self.organisation_code:
            raise ValueError("needs organisation_code: every call says on whose behalf it is made")
        if self.certificate is None and (self.url or "").startswith("https"):
            raise ValueError("needs certificate: DFDG is called with a function certificate")
        if self.certificate is not None and self.certificate.env is not None:
            raise ValueError("certificate must be a file or a credential, for its key is read from there")
        return self
