"""Words in cells of numbers: missing values, currencies, powers of ten."""

from __future__ import annotations

import re
from functools import cache


def _listed(text: str) -> frozenset[str]:
    """Split `one | two words | three`."""
    return frozenset(word.strip() for word in text.replace("\n", " ").split("|"))


def _named(text: str) -> dict[str, str]:
    """Parse `USD $ us$ | EUR € euro` as spelling → code."""
    groups = [group.split() for group in text.split("|")]
    return {spelling: group[0] for group in groups for spelling in (*group[1:], group[0].lower())}


# How tables spell a missing cell of a column of numbers. These say nothing else, and are read as missing in silence.
USUAL = _listed(r"na | n/a | #n/a | <na> | nan | -nan | nat | null | (null) | none | nil") | _listed(
    r"- | -- | --- | – | — | ? | . | .. | ... | … | \n |"
)
# The same as programs write them, for readers that compare letter by letter.
USUAL_SPELLINGS = sorted({*USUAL, *(w.upper() for w in USUAL), *(w.title() for w in USUAL), "NaN", "-NaN", "NaT"})
# These may say more ("below the limit", "not asked"); in a column of numbers they are missing, and that is reported.
GAPS = _listed(r"""
n.a. | n. a. | n.a | n/a. | n.b. | n. b. | n.b | nb | n/b | k.a. | k. a. | k.a | ka | k/a | o.a. | n.d. | n.d |
n. d. | n/d | nd | n.v. | n.v | nv | n.m. | n.q. | nq | n.e. | ne | n.c. | nc | n/c | n.s. | ns | n/k | nk |
s.o. | s/o | w/o | ukn | unk | unknown | missing | miss | absent | empty | blank | (blank) | [null] | undefined
| void | tbd | tba | t.b.d. | pending | no data | nodata | not available | not applicable | not reported |
not recorded | not measured | not known | not tested | not detected | not determined | no value | no answer |
refused | keine angabe | unbekannt | fehlt | leer | nicht bestimmt | nicht gemessen | nicht verfügbar | keine |
sans objet | non disponible | inconnu | no disponible | desconocido | sin dato | sin datos | s/d | s.d. |
non disponibile | onbekend | brak | okänd | ukendt | ukjent | neznámý | desconhecido | н/д | н.д. | нет данных |
нет | неизвестно | 缺失 | 无 | 不详 | 未知 | 無 | 不明 | なし | 없음 | * | ** | *** | x | xx | xxx | / | //
| \ | # | _ | #nv
| #n/v | #n/d | #div/0! | #value! | #wert! | #valeur! | #ref! | #bezug! | #name? | #num! | #zahl! | #null! |
#error | error | bdl | lod | <lod | <loq | loq | bql | blq | lloq | <lloq | nr | n.r. | n/r
""")

CURRENCIES = _named("""USD $ us$ usdollar dollar dollars | EUR € euro euros | GBP £ pounds | JPY ¥ 円 yen | INR ₹ rs rs.
| RUB ₽ руб руб. р. | KRW ₩ 원 | TRY ₺ tl | ILS ₪ | VND ₫ | UAH ₴ грн грн. | NGN ₦ | THB ฿ | PHP ₱ | BTC ₿ | KZT ₸
| GEL ₾ | BRL r$ | AUD a$ au$ | CAD c$ ca$ | HKD hk$ | NZD nz$ | SGD s$ sg$ | TWD nt$ | MXN mx$ | CNY 元 人民币 rmb yuan
| kr kr. | PLN zł zl | CZK kč | HUF ft | RON lei | BGN лв лв. | CHF sfr sfr. fr. | AED | ARS | BDT | BGN | BHD | CLP
| COP | DKK | EGP | ETH | GHS | HRK | IDR | IQD | IRR | ISK | JOD | KES | KWD | LKR | MAD | MYR | NOK | OMR | PEN | PKR
| QAR | RSD | SAR | SEK | TWD | TZS | UGX | UYU | VND | XAF | XOF | ZAR""")
ANY_SYMBOL = "[$¢£¤¥֏؋৲৳฿៛₠-⃏]"
_LETTERED = sorted((word for word in CURRENCIES if word[0].isalpha()), key=len, reverse=True)
CURRENCY = rf"(?:(?i:{'|'.join(map(re.escape, _LETTERED))})(?![A-Za-z])|{ANY_SYMBOL})"

POWERS = {"k": 3, "thousand": 3, "tsd": 3, "tausend": 3, "千": 3, "万": 4, "萬": 4, "lakh": 5, "m": 6, "mm": 6, "mn": 6}
POWERS |= {"mln": 6, "mio": 6, "million": 6, "millions": 6, "百万": 6, "crore": 7, "cr": 7, "亿": 8, "億": 8, "b": 9}
POWERS |= {"bn": 9, "bln": 9, "mrd": 9, "md": 9, "mia": 9, "billion": 9, "billions": 9, "milliarden": 9, "tn": 12}
POWERS |= {"trn": 12, "trillion": 12}
POWER = rf"(?:(?i:{'|'.join(sorted(POWERS, key=len, reverse=True))})\.?(?![A-Za-z]))"

BELOW = ("<", "<=", "=<", "≤", "⩽", "less than", "under", "below", "up to", "at most", "unter", "höchstens", "moins de")
ABOVE = (">", ">=", "=>", "≥", "⩾", "more than", "over", "above", "at least", "über", "mindestens", "plus de")
ABOUT = ("~", "≈", "about", "approx", "approx.", "approximately", "circa", "ca", "ca.", "c.", "around", "etwa", "rund")
LIMITS = dict.fromkeys(BELOW, -1) | dict.fromkeys(ABOVE, 1) | dict.fromkeys(ABOUT, 0)
LIMIT = rf"(?i:{'|'.join(map(re.escape, sorted(LIMITS, key=len, reverse=True)))})"

_SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t"
_DROPPED = "\u200b\u200c\u200d\u200e\u200f\u061c\u2060\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_QUOTES = "\u2019\u2018\u02bc\u2032\u00b4`"
_FOLDED = dict.fromkeys(_SPACES, " ") | dict.fromkeys(_QUOTES, "'") | dict.fromkeys(_DROPPED, "")
_FOLDED |= dict.fromkeys("\u2212\ufe63\uff0d\u2010\u2011", "-") | {"٪": "%", "＜": "<", "＞": ">", "￥": "¥", "￡": "£"}
_FOLDED |= {"￦": "₩", "﹩": "$", "٬": "'"}
SPACES, QUOTES = " " + _SPACES, "'" + _QUOTES


def fold(text: str) -> str:
    """Return text without surrounding blanks, with ASCII spaces, minus signs, apostrophes and digits."""
    if text.isascii():
        return text.replace("\t", " ").strip()
    return "".join(map(_folded, text)).strip()


def is_gap(text: str) -> bool:
    """Return whether the word stands for a missing cell among numbers."""
    word = text.strip().casefold()
    return word in USUAL or word in GAPS


def is_usual_gap(text: str) -> bool:
    return text.strip().casefold() in USUAL


def currency_of(text: str) -> str:
    """Return the currency code: `€`, `eur`, `Euro` → EUR; a sign without its own code is unchanged."""
    return CURRENCIES.get(text.strip().casefold(), text.strip().upper())


@cache
def _folded(sign: str) -> str:
    found = _FOLDED.get(sign)
    if found is not None:
        return found
    if "\uff01" <= sign <= "\uff5e":
        return chr(ord(sign) - 0xFEE0)
    return str(int(sign)) if sign.isdecimal() else sign
