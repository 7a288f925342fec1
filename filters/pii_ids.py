"""National identity and tax numbers of the EU: their check digits.

The rules follow the OECD's and the European Commission's TIN sheets as we know them; they were not compared with these
line by line. A number is its digits and upper-case letters, without separators, and has its country's shape.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date

_TAIL = {
    "es": "TRWAGMYFPDXBNJZSQVHLCKE",
    "fi": "0123456789ABCDEFHJKLMNPRSTUVWXY",
    "ie": "WABCDEFGHIJKLMNOPQRSTUV",
    "it": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "cy": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
}
_IT_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_IT_MONTHS = "ABCDEHLMPRST"
_IT_DIGITS = str.maketrans("LMNPQRSTUV", "0123456789")
"""Letters that stand for digits where two persons would have one code."""
_FI_SIGNS = {"+": 1800, **dict.fromkeys("-UVWXY", 1900), **dict.fromkeys("ABCDEF", 2000)}


def luhn(digits: str) -> bool:
    """Whether the last digit is that of Luhn's formula (ISO/IEC 7812-1)."""
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (doubled + sum(map(int, digits[::-2]))) % 10 == 0


def _sum(digits: str, *weights: int) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def _mod_11_10(digits: str) -> bool:
    """ISO/IEC 7064, MOD 11,10."""
    check = 10
    for digit in digits[:-1]:
        check = ((check + int(digit)) % 10 or 10) * 2 % 11
    return (11 - check) % 10 == int(digits[-1])


def _verhoeff(digits: str) -> bool:
    """Verhoeff's check: products in the dihedral group of order 10, digits permuted by their place."""
    check, permuted = 0, list(range(10))
    step = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
    for digit in reversed(digits):
        a, b = check, permuted[int(digit)]
        turned = (a + b if a < 5 else a - b) % 5
        check = turned + 5 * ((a < 5) != (b < 5))
        permuted = [step[value] for value in permuted]
    return check == 0


def _day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _short_day(day: str, month: str, year: str) -> bool:
    """A day whose century is open: 29 February passes in any leap year of either."""
    return _day(1900 + int(year), int(month), int(day)) or _day(2000 + int(year), int(month), int(day))


def _at(n: str) -> bool:
    # Months 13 to 15 are given where a day has too many births.
    month = int(n[6:8])
    if n[0] == "0" or not 1 <= int(n[4:6]) <= 31 or not 1 <= month <= 15:
        return False
    return _sum(n, 3, 7, 9, 0, 5, 8, 4, 2, 1, 6) % 11 == int(n[3])


def _be(n: str) -> bool:
    # The month is 20 or 40 higher in a BIS number, and the day 00 where it is unknown.
    if int(n[2:4]) % 20 > 12 or int(n[2:4]) > 52 or int(n[4:6]) > 31:
        return False
    centuries = ("", "2") if int(n[:2]) < 50 else ("",)
    return any(97 - int(century + n[:9]) % 97 == int(n[9:]) for century in centuries)


def _bg(n: str) -> bool:
    month, century = int(n[2:4]), 1900
    if month > 40:
        month, century = month - 40, 2000
    elif month > 20:
        month, century = month - 20, 1800
    return _day(century + int(n[:2]), month, int(n[4:6])) and _sum(n, 2, 4, 8, 5, 10, 9, 7, 3, 6) % 11 % 10 == int(n[9])


def _cy(n: str) -> bool:
    total = sum(_IT_ODD[int(digit)] for digit in n[:8:2]) + sum(map(int, n[1:8:2]))
    return n[:2] != "12" and _TAIL["cy"][total % 26] == n[8]


def _cz(n: str) -> bool:
    month = int(n[2:4]) % 50
    month -= 20 if month > 20 else 0
    year = int(n[:2])
    if len(n) == 9:  # until 1953, without check digit
        return year < 54 and n[6:] != "000" and _day(1900 + year, month, int(n[4:6]))
    if not _day((1900 if year >= 54 else 2000) + year, month, int(n[4:6])):
        return False
    return int(n) % 11 == 0 or (int(n[:9]) % 11 == 10 and n[9] == "0")


def _de(n: str) -> bool:
    # Among the first ten digits just one is there twice or three times.
    counts = sorted(Counter(n[:10]).values())
    return n[0] != "0" and (counts[-2:] == [1, 2] or counts[-2:] == [1, 3]) and _mod_11_10(n)


def _dk(n: str) -> bool:
    # Since 2007 numbers without a valid check digit are issued too: the date is all that can be asked for.
    return _short_day(n[:2], n[2:4], n[4:6]) and n[6:] != "0000"


def _ee(n: str) -> bool:
    if (
        n[0] == "9"
        or n[0] == "0"
        or not _day(1800 + (int(n[0]) - 1) // 2 * 100 + int(n[1:3]), int(n[3:5]), int(n[5:7]))
    ):
        return False
    check = _sum(n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1) % 11
    if check == 10:
        check = _sum(n, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3) % 11 % 10
    return check == int(n[10])


def _el(n: str) -> bool:
    if len(n) == 11:  # AMKA
        return _short_day(n[:2], n[2:4], n[4:6]) and luhn(n)
    return n.strip("0") != "" and _sum(n, 256, 128, 64, 32, 16, 8, 4, 2) % 11 % 10 == int(n[8])  # AFM


def _es(n: str) -> bool:
    return _TAIL["es"][int(n[:-1].translate(str.maketrans("XYZ", "012"))) % 23] == n[-1]


def _fi(n: str) -> bool:
    if not _day(_FI_SIGNS[n[6]] + int(n[4:6]), int(n[2:4]), int(n[:2])) or int(n[7:10]) < 2:
        return False
    return _TAIL["fi"][int(n[:6] + n[7:10]) % 31] == n[10]


def _fr(n: str) -> bool:
    # Months 20 to 42 and 50 to 99 stand for an unknown month of birth.
    month = int(n[3:5])
    if n[0] not in "123478" or n[5:7] == "00" or not (1 <= month <= 12 or 20 <= month <= 42 or month >= 50):
        return False
    return 97 - int(n[:13].replace("2A", "19").replace("2B", "18")) % 97 == int(n[13:])


def _hu(n: str) -> bool:
    if len(n) == 9:  # TAJ
        return n.strip("0") != "" and _sum(n, 3, 7, 3, 7, 3, 7, 3, 7) % 10 == int(n[8])
    return n[0] == "8" and _sum(n, *range(1, 10)) % 11 == int(n[9])  # adóazonosító jel


def _ie(n: str) -> bool:
    second = ord(n[8]) - 64 if len(n) == 9 and n[8] != "W" else 0
    return _TAIL["ie"][(_sum(n[:7], 8, 7, 6, 5, 4, 3, 2) + 9 * second) % 23] == n[7]


def _it(n: str) -> bool:
    year, day, place = (n[part].translate(_IT_DIGITS) for part in (slice(6, 8), slice(9, 11), slice(12, 15)))
    if not (year + day + place).isdigit() or n[8] not in _IT_MONTHS or not n[11].isalpha():
        return False
    if not 1 <= int(day) % 40 <= 31 or int(day) > 71:
        return False
    values = [int(sign) if sign.isdigit() else ord(sign) - 65 for sign in n[:15]]
    return _TAIL["it"][(sum(_IT_ODD[value] for value in values[::2]) + sum(values[1::2])) % 26] == n[15]


def _lu(n: str) -> bool:
    return 1850 < int(n[:4]) < 2100 and _day(int(n[:4]), int(n[4:6]), int(n[6:8])) and luhn(n[:12]) and (
        _verhoeff(n[:11] + n[12])
    )  # fmt: skip


def _lv(n: str) -> bool:
    # Since 2017 numbers begin with 32 and tell no date.
    if not n.startswith("32") and not _short_day(n[:2], n[2:4], n[4:6]):
        return False
    return (1101 - _sum(n, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)) % 11 % 10 == int(n[10])


def _mt(n: str) -> bool:
    return n[-1] in "MGAPLHBZ" and n[:-1].strip("0") != ""


def _nl(n: str) -> bool:
    return n.strip("0") != "" and _sum(n, 9, 8, 7, 6, 5, 4, 3, 2, -1) % 11 == 0


def _pl(n: str) -> bool:
    century, month = divmod(int(n[2:4]), 20)
    year = (1900, 2000, 2100, 2200, 1800)[century] + int(n[:2])
    return _day(year, month, int(n[4:6])) and -_sum(n, 1, 3, 7, 9, 1, 3, 7, 9, 1, 3) % 10 == int(n[10])


def _pt(n: str) -> bool:
    return n[0] in "123" and -_sum(n, 9, 8, 7, 6, 5, 4, 3, 2) % 11 % 10 == int(n[8])


def _ro(n: str) -> bool:
    county = int(n[7:9])
    if (
        n[0] == "0"
        or not _short_day(n[5:7], n[3:5], n[1:3])
        or not (1 <= county <= 52 or county in (70, *range(80, 84)))
    ):
        return False
    check = _sum(n, 2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9) % 11
    return (1 if check == 10 else check) == int(n[12])


def _se(n: str) -> bool:
    # A coordination number has a day 60 higher.
    ten = n[-10:]
    return _short_day(f"{int(ten[4:6]) % 60:02}", ten[2:4], ten[:2]) and luhn(ten)


def _si(n: str) -> bool:
    year = int(n[4:7]) + (1000 if n[4] in "89" else 2000)
    if not _day(year, int(n[2:4]), int(n[:2])) or not 50 <= int(n[7:9]) <= 59:
        return False
    return -_sum(n, 7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2) % 11 % 10 == int(n[12])


def _us(n: str) -> bool:
    return n[:3] not in ("000", "666") and n[0] != "9" and n[3:5] != "00" and n[5:] != "0000"


CHECKS: dict[str, Callable[[str], bool]] = {
    "at": _at,
    "be": _be,
    "bg": _bg,
    "cy": _cy,
    "cz": _cz,
    "de": _de,
    "dk": _dk,
    "ee": _ee,
    "el": _el,
    "es": _es,
    "fi": _fi,
    "fr": _fr,
    "hr": _mod_11_10,
    "hu": _hu,
    "ie": _ie,
    "it": _it,
    "lt": _ee,
    "lu": _lu,
    "lv": _lv,
    "mt": _mt,
    "nl": _nl,
    "pl": _pl,
    "pt": _pt,
    "ro": _ro,
    "se": _se,
    "si": _si,
    "sk": _cz,
    "us": _us,
}
"""Country to the check of a number that has its shape (`pii_shapes`)."""
