"""What a request asks: the fields of its address or its form, and the answers that are not a page."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs

MOST_FIELDS = 20_000


class Refused(Exception):
    """A request that can't be answered with its page: the status, and a sentence with the mend."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


@dataclass(frozen=True)
class Asked:
    """The fields sent, each with its values in their order."""

    fields: dict[str, list[str]]

    @classmethod
    def of(cls, query: bytes | str) -> Asked:
        """Read an address's query, or the body of a form.

        Raises
        ------
        Refused
            When there are more fields than any form of ours has.
        """
        text = query.decode("utf-8", "replace") if isinstance(query, bytes) else query
        try:
            return cls(parse_qs(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
        except ValueError:
            raise Refused(400, f"more than {MOST_FIELDS:,} fields were sent; write the file by hand") from None

    def has(self, name: str) -> bool:
        """Whether a field was sent, blank or not."""
        return name in self.fields

    def one(self, name: str) -> str:
        """A field's first value, blank where it was not sent; lines end as everywhere here."""
        return self.fields.get(name, [""])[0].replace("\r\n", "\n")

    def number(self, name: str) -> int | None:
        """A field as a whole number of at most nine digits; None where it is none."""
        text = self.one(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None

    def all(self, name: str) -> list[str]:
        """All values of a field."""
        return self.fields.get(name, [])
