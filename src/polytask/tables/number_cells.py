"""The grammar of one cell that holds a number the way people write it.

A cell is a sign, a currency or a unit, and digits with marks between them. What a mark means
(``7.700`` is 7.7 or 7700) is not known of one cell; `number_columns` decides over many.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["GAP_MARKS", "MARKS", "Cells", "is_known", "normal_text", "read_cells"]

MARKS = (".", ",")  # what can stand before the decimals
_GAP_WORDS = (  # pandas' list, and what spreadsheets write for errors
    "#N/A #NA -1.#IND -1.#QNAN 1.#IND 1.#QNAN <NA> N/A NA NULL NaN None n/a nan null -NaN -nan "
    "#N/A! #NV #NULL! #DIV/0! #VALUE! #REF! #NUM! #NAME?"
)
GAP_MARKS = frozenset(_GAP_WORDS.split())
_CODES = (
    "EUR|USD|GBP|CHF|JPY|CNY|RMB|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RON|INR|BRL|MXN|ZAR|KRW|"
    "SGD|HKD|TRY|RUB|UAH|ILS"
)
_MONEY = rf"(?:[A-Z]{{0,3}}\p{{Sc}}|\b(?:{_CODES})\b|Fr\.?|kr\.?|Rs\.?|zł|Kč)"
_UNIT = rf"(?:{_MONEY}|[%‰°]\p{{L}}{{0,2}}|[\p{{L}}µ](?:[\p{{L}}µ./²³^* ]|[23]\b)*(?:{_MONEY})?)"
_DIGITS = r"(?:[0-9][0-9.,' ]*|[.,][0-9]+)(?:[eE][-+]?[0-9]+)?"
_MONEY_ALONE = rf"[A-Z]{{0,3}}[$¢£¤¥֏؋৲৳฿៛₠-⃀﷼﹩＄￠￡￥￦]|{_CODES}|Fr\.?|kr\.?|Rs\.?|zł|Kč"
_CELL = (  # a minus, a plus or brackets may stand outside the unit or inside
    rf"^(?P<open>\()?(?P<first>[-+])? ?(?P<before>{_MONEY})? ?(?P<inner>\()?(?P<second>[-+])? ?"
    rf"(?P<digits>{_DIGITS})(?P<third>-)?(?P<shut>\))? ?(?P<after>{_UNIT})?(?P<last> ?-)?"
    r"(?P<close>\))?$"
)
_FRACTION = (  # and 1.5 ± 0.1
    r"^[-+]?(?:[0-9]+ )?[0-9]+ ?[/⁄] ?[0-9]+$|^[-+]?[0-9.,]+ ?(?:±|\+/-) ?[0-9.,]+$"
)
_NO_DECIMALS = r"([0-9])[.,]-+$"  # 12.- is a price without decimals, not a negative number
_VULGAR = r"^[-+]?[0-9]* ?\p{No}$"  # ½, 1 ¾
_UNIT_WORDS = (  # without these, 500 g beside 1.2 kg would be categories
    "% ‰ ° °C °F K mm cm dm m km in ft yd mi mm² cm² dm² m² km² mm2 cm2 m2 km2 m^2 qm sqm sqft ha "
    "m³ m3 cm³ cm3 ml mL cl dl l L µg mg g kg t lb lbs oz ms s sec min h hr hrs d day days wk "
    "weeks months yr yrs year years Std Tage Jahre W kW MW Wh kWh MWh J kJ kcal cal V mV A mA Hz "
    "kHz MHz GHz B kB KB MB GB TB Pa kPa hPa bar mbar km/h m/s mph ppm ppb k M mn Mio Mio. Mrd "
    "Mrd. bn pcs Stk pt px bpm mmHg mmol/l mg/dl"
)
KNOWN_UNITS = frozenset(_UNIT_WORDS.split())


@dataclass(frozen=True, eq=False)
class Cells:
    """Distinct cells taken apart, arrays of shape (k,).

    Attributes
    ----------
    text : list of str
        As written.
    like : bool
        Whether the cell is a number with marks, sign and unit.
    values : dict {mark: float}
        What it is where that mark stands before the decimals; NaN where it then is no number.
    unit : object
        Currency and unit, "" for none.
    glued : bool
        Whether letters follow the digits without a blank, and are no unit that is known.
    code : bool
        Digits after a leading zero, as in 007.
    fraction : bool
        Two numbers with a slash.
    whole : bool
        Digits without marks.
    grouped, turned : bool
        Whether thousands are marked, and whether the sign is written in another way than first.
    """

    text: list[str]
    like: np.ndarray
    values: dict[str, np.ndarray]
    unit: np.ndarray
    glued: np.ndarray
    code: np.ndarray
    fraction: np.ndarray
    whole: np.ndarray
    grouped: np.ndarray
    turned: np.ndarray


def normal_text(text: pa.Array) -> pa.Array:
    """Without the blanks around it, with ASCII digits, one kind of blank, minus and apostrophe."""
    foreign = pc.match_substring_regex(text, r"[^\x00-\x7f]")
    if pc.any(foreign).as_py():
        plain = _plain_letters()
        text = pa.array([t.translate(plain) for t in text.to_pylist()], text.type)
    return pc.utf8_trim_whitespace(text)


def read_cells(text: pa.Array) -> Cells:
    """Take distinct cells (no nulls) apart."""
    plain = pc.replace_substring_regex(normal_text(text), _NO_DECIMALS, r"\1")
    parts = pc.extract_regex(plain, _CELL)
    part = {name: pc.fill_null(pc.struct_field(parts, name), "") for name in _NAMES}
    digits = pc.utf8_trim_whitespace(part["digits"])
    minus, turned, once = _signs(part)
    once &= ~_true(plain, r"[0-9]-\p{L}")  # 12-kg is no minus
    values = {mark: np.where(minus, -1.0, 1.0) * _value(digits, mark) for mark in MARKS}
    endless = _true(plain, r"(?i)^[-+]?inf(inity)?$")
    for mark in MARKS:
        values[mark][~once] = np.nan
        values[mark][endless] = _floats(plain.filter(pa.array(endless)))
    after = pc.utf8_trim_whitespace(part["after"])
    unit = np.array(
        pc.binary_join_element_wise(part["before"], after, "").to_pylist(), dtype=object
    )
    letters = _true(part["digits"], r"[^ ]$") & _true(plain, r"[0-9.,]\p{L}")
    return Cells(
        text.to_pylist(),
        np.isfinite(values["."]) | np.isfinite(values[","]) | endless,
        values,
        unit,
        letters & ~np.array([is_known(u) for u in unit], bool),
        _true(plain, r"^[-+]?0[0-9]+$"),
        _true(plain, _FRACTION) | _true(plain, _VULGAR),
        _true(digits, r"^[0-9]+$"),
        _true(digits, r"[ ']|[.,][0-9]+[.,]"),
        turned,
    )


def is_known(unit: str) -> bool:
    """Whether ``unit`` is a currency or a unit that everybody writes, or none."""
    return not unit or unit in KNOWN_UNITS or re.fullmatch(_MONEY_ALONE, unit) is not None


_SIGNS = ("first", "second", "third", "last")
_BRACKETS = ("open", "close", "inner", "shut")
_NAMES = (*_SIGNS, *_BRACKETS, "before", "digits", "after")


def _signs(part: dict[str, pa.Array]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Negative or not; whether by brackets or a minus at the end; whether by one sign only."""
    there = {name: _true(part[name], r".") for name in (*_SIGNS, *_BRACKETS)}
    minus = {name: _true(part[name], "-") for name in _SIGNS}
    opened, closed = (there["open"] | there["inner"]), (there["shut"] | there["close"])
    signs = opened.astype(int) + sum(there[name].astype(int) for name in _SIGNS)
    twice = (there["open"] & there["inner"]) | (there["shut"] & there["close"])
    turned = opened | there["third"] | there["last"]
    negative = opened | np.logical_or.reduce(list(minus.values()))
    return negative, turned, (signs <= 1) & (opened == closed) & ~twice


def _value(digits: pa.Array, mark: str) -> np.ndarray:
    """Numbers where ``mark`` stands before the decimals, NaN where the cell is then none."""
    other = "," if mark == "." else "."
    dot, group = rf"\{mark}", rf"\{other}"
    grouped = "|".join(
        [rf"[1-9][0-9]{{0,2}}(?:{g}[0-9]{{3}})+" for g in (group, " ", "'")]
        # lakh and crore: 12,34,567
        + [r"[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}"] * (other == ",")
    )
    plain = rf"(?:[0-9]+(?:{dot}[0-9]*)?|{dot}[0-9]+)(?:[eE][-+]?[0-9]+)?"
    # With an exponent nobody marks thousands.
    form = rf"^(?:{plain}|(?:{grouped})(?:{dot}[0-9]*)?)$"
    able = _true(digits, form)
    out = np.full(len(digits), np.nan)
    if able.any():
        text = pc.replace_substring_regex(digits.filter(pa.array(able)), rf"[{group}' ]", "")
        out[able] = _floats(pc.replace_substring(text, mark, "."))
    return out


def _floats(text: pa.Array) -> np.ndarray:
    return np.asarray(text.cast(pa.float64()).to_numpy(zero_copy_only=False))


def _true(text: pa.Array, pattern: str) -> np.ndarray:
    return np.asarray(pc.match_substring_regex(text, pattern).to_numpy(zero_copy_only=False), bool)


@cache
def _plain_letters() -> dict[int, str]:
    """Digits of every script, blanks, minus signs, apostrophes as ASCII writes them."""
    made = {ord(c): "-" for c in "−–﹣－"} | {ord(c): "'" for c in "’‘´ʼ"}
    made |= {0x66B: ".", 0x66C: ","}  # Arabic decimal and thousands separators
    made |= {0xFF0E: ".", 0xFF0C: ",", 0xFF05: "%", 0xFF0B: "+"}  # as wide as ideographs
    for code in range(128, sys.maxunicode + 1):
        letter = chr(code)
        if letter.isdecimal():
            made[code] = str(unicodedata.decimal(letter))
        elif letter.isspace():
            made[code] = " "
    return made
