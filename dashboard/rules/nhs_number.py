"""NHS numbers: telling one by its check digit, and a column of them by how many it holds."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

WEIGHTS = range(10, 1, -1)
# One in eleven ten-digit numbers passes by chance, so a few of them prove nothing.
FEWEST_NUMBERS = 5
LARGEST_SHARE = 0.5
# Under a heading with one of these words, a single valid number is enough.
TELLING_WORDS = re.compile(r"nhs|patient|chi(_|$)", re.IGNORECASE)

_WRITTEN = re.compile(r"([0-9]{3})([ -]?)([0-9]{3})\2([0-9]{4})")
_TEN_DIGITS = re.compile(r"(?<![0-9.])[0-9]{10}(?![0-9:])")
_IN_GROUPS = re.compile(r"(?<![0-9])([0-9]{3})([\s.-]{1,2})([0-9]{3})\2([0-9]{4})(?![0-9])")


def is_nhs_number(text: str) -> bool:
    """Whether it is written as one, in ASCII digits, and its check digit is right.

    >>> is_nhs_number("943 476 5919"), is_nhs_number("943 476 5918")
    (True, False)
    """
    written = _WRITTEN.fullmatch(text.strip())
    if not written:
        return False
    digits = [int(digit) for digit in written[1] + written[3] + written[4]]
    check = 11 - sum(w * d for w, d in zip(WEIGHTS, digits, strict=False)) % 11
    return check != 10 and check % 11 == digits[9]


def ten_digits_in(text: str) -> list[str]:
    """Every ten digits in a text that could be such a number, however they are written.

    Full-width digits, spaces, dashes, dots and words or numbers around it do not hide one.
    """
    plain = text
    if not text.isascii():
        plain = unicodedata.normalize("NFKC", text)
        plain = "".join(c for c in plain if unicodedata.category(c) != "Cf")
        plain = re.sub("[\u2010-\u2015\u2212]", "-", plain)
    found = _TEN_DIGITS.findall(re.sub(r"(?<=[0-9])[\s-](?=[0-9])", "", plain))
    found += _TEN_DIGITS.findall(plain)
    found += [a + b + c for a, _, b, c in _IN_GROUPS.findall(plain)]
    return list(dict.fromkeys(found))


def nhs_numbers_in(text: str) -> list[str]:
    """Every number in a text that its check digit makes an NHS number."""
    return [number for number in ten_digits_in(text) if is_nhs_number(number)]


def are_nhs_numbers(heading: str, values: Iterable[str], *, one_is_enough: bool = False) -> bool:
    """Whether a column holds NHS numbers: most of at least five, any under a telling heading
    or in a text that calls it one.

    Of two to four, all must be valid: that happens to other numbers once in 120 times. Where
    one is enough, any valid one of up to four counts.
    """
    texts = set(values)
    numbers = {number for text in texts for number in ten_digits_in(text)}
    valid = sum(is_nhs_number(number) for number in numbers)
    if TELLING_WORDS.search(heading):
        return valid > 0
    if any("nhs" in text.casefold() and nhs_numbers_in(text) for text in texts):
        return True
    if len(numbers) < FEWEST_NUMBERS:
        return valid > 0 if one_is_enough else valid == len(numbers) >= 2
    return valid / len(numbers) > LARGEST_SHARE
