"""Danish first, English beside: translations, and dates and numbers as people here write them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, cached_property, lru_cache
from importlib.resources import files

from babel import Locale, dates, numbers
from babel.support import NullTranslations, Translations

from syncd.model.zones import wall_clock

LANGUAGES = {"da": "Dansk", "en": "English"}
FIRST = "da"


def N_(text: str) -> str:  # noqa: N802 - the name that gettext's tools know
    """Mark *text* for the catalogs; it is translated where it is shown."""
    return text


def NN_(one: str, many: str) -> tuple[str, str]:  # noqa: N802 - like N_, for `Language.count`
    """Mark a singular and its plural for the catalogs."""
    return one, many


@dataclass(frozen=True)
class Language:
    """One language of the pages. :param code: ``da`` or ``en``; texts in code and templates are English."""

    code: str

    @property
    def other(self) -> str:
        """The code of the other language."""
        return "en" if self.code == "da" else "da"

    @cached_property
    def locale(self) -> Locale:
        """The habits of the language; English as in Europe, with 24 hours."""
        return Locale.parse("da_DK" if self.code == "da" else "en_GB")

    @cached_property
    def translations(self) -> NullTranslations:
        """All catalogs of the language as one."""
        return catalogs(self.code)

    def say(self, text: str, **values: object) -> str:
        """*text* in this language, with ``%(name)s`` filled in."""
        said = self.translations.gettext(text)
        return said % values if values else said

    def count(self, one: str, many: str, number: int, **values: object) -> str:
        """The singular or the plural, with ``%(num)s`` and *values* filled in."""
        said = self.translations.ngettext(one, many, number)
        return said % ({"num": self.number(number)} | values)

    def day(self, at: date, form: str = "full") -> str:
        """A date: ``full`` mandag den 30. november 2026, ``long`` 30. november 2026, ``short`` man. 30. nov."""
        return _day(self.locale, at.date() if isinstance(at, datetime) else at, form)

    def localday(self, at: datetime, zone: str) -> str:
        """The day of an instant on a zone's clocks: mandag den 30. november 2026."""
        return self.day(wall_clock(at, zone).date())

    def clock(self, at: datetime, zone: str) -> str:
        """The time of an instant on a zone's clocks: 9.05 in Danish, 09:05 in English."""
        local = wall_clock(at, zone)
        return self.wall(local.hour * 60 + local.minute)

    def moment(self, at: datetime, zone: str) -> str:
        """An instant with its day: man. 30. nov. 9.05."""
        return f"{self.day(wall_clock(at, zone).date(), 'short')} {self.clock(at, zone)}"

    def walltime(self, at: datetime, zone: str) -> str:
        """What a field of a form takes for an instant on a zone's clocks (HTML, local date and time)."""
        return wall_clock(at, zone).replace(tzinfo=None).isoformat(timespec="minutes")

    def wall(self, minute: int) -> str:
        """A time of day from minutes after midnight."""
        mark = "." if self.code == "da" else ":"
        return f"{minute // 60:02d}{mark}{minute % 60:02d}"

    def number(self, value: float, digits: int = 0) -> str:
        """A number with at most *digits* decimals."""
        return _number(self.locale, value, digits)

    def percent(self, share: float | None, digits: int = 0) -> str:
        """A share as per cent; a dash when there is nothing to divide by."""
        if share is None:
            return "–"
        return _percent(self.locale, share, digits)

    def weekday(self, number: int, width: str = "wide") -> str:
        """The name of a weekday; 0 is Monday. *width*: ``wide`` or ``abbreviated``."""
        return str(self.locale.days["stand-alone"][width][number]).removesuffix(".")

    def hours(self, span: timedelta) -> str:
        """A length in hours and minutes."""
        minutes = span // timedelta(minutes=1)
        words = ("t", "min") if self.code == "da" else ("h", "min")
        parts = [f"{minutes // 60} {words[0]}"] if minutes >= 60 else []
        return " ".join([*parts, *([f"{minutes % 60} {words[1]}"] if minutes % 60 or not parts else [])])


@lru_cache(maxsize=4096)
def _day(locale: Locale, at: date, form: str) -> str:
    if form == "short":
        return dates.format_skeleton("MMMEd", at, locale=locale)
    return dates.format_date(at, format=form, locale=locale)


@lru_cache(maxsize=4096)
def _number(locale: Locale, value: float, digits: int) -> str:
    form = "#,##0" + ("." + "#" * digits if digits else "")
    return numbers.format_decimal(value, format=form, locale=locale)


@lru_cache(maxsize=4096)
def _percent(locale: Locale, share: float, digits: int) -> str:
    form = "#,##0" + ("." + "0" * digits if digits else "") + " %"
    return numbers.format_percent(share, format=form, locale=locale)


@cache
def language(code: str) -> Language:
    """The language of that code; the first one when there is none."""
    return Language(code if code in LANGUAGES else FIRST)


@cache
def catalogs(code: str) -> NullTranslations:
    """All catalogs of a language merged; English is what the code says."""
    folder = files("syncd.web") / "locale" / code / "LC_MESSAGES"
    if not folder.is_dir():
        return NullTranslations()
    merged = Translations()
    for file in sorted((file for file in folder.iterdir() if file.name.endswith(".mo")), key=lambda file: file.name):
        with file.open("rb") as opened:
            merged.merge(Translations(opened))
    return merged
