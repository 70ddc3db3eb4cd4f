"""Numbers that states give to people, by their check digits; what could be any other number needs a word before it."""

from __future__ import annotations

import re
from collections import Counter

from .checksums import by_weights, digits, luhn, mod_11_10, verhoeff, weighted
from .numbers import Number, after
from .pattern import Pattern, alphanumeric

_NIF = b"TRWAGMYFPDXBNJZSQVHLCKE"
_CF_ODD = dict(
    zip(
        b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16,
         10, 22, 25, 24, 23),
        strict=True,
    )
)  # fmt: skip


def _is_date(yymmdd: bytes) -> bool:
    return 1 <= int(yymmdd[2:4]) <= 12 and 1 <= int(yymmdd[4:6]) <= 31


def _is_ssn(value: bytes) -> bool:
    """Follow the Social Security Administration: some areas, groups and serials were never given."""
    area, group, serial = value[:3], value[3:5], value[5:]
    return area not in (b"000", b"666") and area < b"900" and group != b"00" and serial != b"0000"


def _is_nhs(value: bytes) -> bool:
    return by_weights(range(10, 0, -1), 11)(value) and len(set(value)) > 1


def _is_steuer_id(value: bytes) -> bool:
    """Of its first ten digits one comes twice or three times and no other more than once; the last is the check."""
    often = sorted(Counter(value[:10]).values(), reverse=True)
    return value[0] != 48 and often[0] in (2, 3) and often[1] == 1 and mod_11_10(value)


def _is_nir(value: bytes) -> bool:
    months = {*range(1, 13), *range(20, 43), *range(50, 100)}
    return int(value[3:5]) in months and 97 - int(value[:13]) % 97 == int(value[13:])


def _is_bsn(value: bytes) -> bool:
    return value != b"000000000" and by_weights((9, 8, 7, 6, 5, 4, 3, 2, -1), 11)(value)


def _is_pesel(value: bytes) -> bool:
    """Check the digit and the date, whose month says the century: of who is alive it is one of two."""
    month, day = int(value[2:4]), int(value[4:6])
    return (
        (1 <= month <= 12 or 21 <= month <= 32)
        and 1 <= day <= 31
        and by_weights((1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1), 10)(value)
    )


def _is_cpf(value: bytes) -> bool:
    first = weighted(value[:9], range(10, 1, -1)) * 10 % 11 % 10
    second = weighted(value[:10], range(11, 1, -1)) * 10 % 11 % 10
    return len(set(value)) > 1 and (first, second) == tuple(digits(value[9:]))


def _is_aadhaar(value: bytes) -> bool:
    return value[0] >= 50 and verhoeff(value)


def _is_sin(value: bytes) -> bool:
    return value[0] not in (48, 56) and luhn(value)


def _is_nrn(value: bytes) -> bool:
    """Belgium: 97 less the rest of the first nine digits, with a 2 before them for who was born since 2000."""
    check = int(value[9:])
    return check in (97 - int(value[:9]) % 97, 97 - int(b"2" + value[:9]) % 97)


def _is_fnr(value: bytes) -> bool:
    born = value[4:6] + value[2:4] + value[:2]
    first, second = (3, 7, 6, 1, 8, 9, 4, 5, 2, 1), (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)
    return _is_date(born) and by_weights(first, 11)(value[:10]) and by_weights(second, 11)(value)


def _is_tckn(value: bytes) -> bool:
    d = digits(value)
    tenth = (sum(d[0:9:2]) * 7 - sum(d[1:8:2])) % 10
    return d[0] != 0 and d[9] == tenth and d[10] == sum(d[:10]) % 10


def _is_personnummer(value: bytes) -> bool:
    return _is_date(value[-10:]) and luhn(value[-10:])


def _is_za(value: bytes) -> bool:
    return _is_date(value) and value[10] in b"01" and luhn(value)


def _is_itin(value: bytes) -> bool:
    """Follow the IRS: taxpayers without a social security number have a 9 first and one of these groups."""
    group = int(value[3:5])
    return value[0] == 57 and (50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or group >= 94)


def _is_svnr(value: bytes) -> bool:
    """Austria: the fourth digit is the check, the last six are a date."""
    born = value[8:10] + value[6:8] + value[4:6]
    return weighted(value, (3, 7, 9, 0, 5, 8, 4, 2, 1, 6)) % 11 == value[3] - 48 and _is_date(born)


def _is_inn(value: bytes) -> bool:
    """Russia: two check digits over what is before them."""
    first, second = (7, 2, 4, 10, 3, 5, 9, 4, 6, 8), (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
    return (weighted(value[:10], first) % 11 % 10, weighted(value[:11], second) % 11 % 10) == (
        value[10] - 48,
        value[11] - 48,
    )


def _is_cpr(value: bytes) -> bool:
    return _is_date(value[4:6] + value[2:4] + value[:2])


def _announced(*words: str) -> re.Pattern[bytes]:
    """Make what announces a number of one country: its own words, and those that all understand."""
    return after(*words, "national.?(?:id|ins|num)", "identi[a-z]*", r"\bid.?(?:card|no|num)", r"tax.?(?:id|num)",
                 r"\bssn", "social.?(?:sec|ins)[a-z]*", "personal.?(?:id|num|code)")  # fmt: skip


#: What no word is needed for comes first among those of a size.
NUMBERS: tuple[Number, ...] = (
    Number("US_SSN", (9,), re.compile(rb"[0-9]{3}-[0-9]{2}-[0-9]{4}"), "536-22-8726", _is_ssn),
    Number("FR_NIR", (15,),
           re.compile(rb"[12](?:[0-9]{14}|[0-9]{12} [0-9]{2}| [0-9]{2} [0-9]{2} [0-9]{2} [0-9]{3} [0-9]{3} [0-9]{2})"),
           "1 85 05 78 006 084 91", _is_nir),
    Number("CH_AHV", (13,), re.compile(rb"756([. ]?)[0-9]{4}\1[0-9]{4}\1[0-9]{2}"), "756.9217.0769.85",
           by_weights((1, 3) * 6 + (1,), 10)),
    Number("US_ITIN", (9,), re.compile(rb"9[0-9]{2}-[0-9]{2}-[0-9]{4}"), "912-70-1234", _is_itin),
    Number("BR_CPF", (11,), re.compile(rb"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}"), "529.982.247-25", _is_cpf),
    Number("BE_NRN", (11,), re.compile(rb"[0-9]{2}\.[0-9]{2}\.[0-9]{2}[- ][0-9]{3}\.[0-9]{2}"), "85.07.30-033.28",
           _is_nrn),
    Number("DE_TAX_ID", (11,), re.compile(rb"[0-9]{11}|[0-9]{2} [0-9]{3} [0-9]{3} [0-9]{3}"), "86 095 742 719",
           _is_steuer_id),
    Number("PL_PESEL", (11,), re.compile(rb"[0-9]{11}"), "44051401359", _is_pesel),
    Number("NO_FNR", (11,), re.compile(rb"[0-9]{6} ?[0-9]{5}"), "150579 45181", _is_fnr),
    Number("TR_TCKN", (11,), re.compile(rb"[0-9]{11}"), "10000000146", _is_tckn),
    Number("IN_AADHAAR", (12,), re.compile(rb"[0-9]{4}([ \-])[0-9]{4}\1[0-9]{4}"), "2341 2341 2346", _is_aadhaar,
           single=True),
    Number("KR_RRN", (13,), re.compile(rb"[0-9]{6}-[1-8][0-9]{6}"), "820701-2409184", _is_date),
    Number("SE_PNR", (10, 12), re.compile(rb"(?:19|20)?[0-9]{6}[-+][0-9]{4}"), "811228-9874", _is_personnummer),
    Number("US_SSN", (9,), re.compile(rb"[0-9]{3}([ \-.]?)[0-9]{2}\1[0-9]{4}"), "536228726", _is_ssn,
           _announced("ssn", "social.sec[a-z]*")),
    Number("CA_SIN", (9,), re.compile(rb"[0-9]{3}([ \-]?)[0-9]{3}\1[0-9]{3}"), "130 692 544", _is_sin,
           _announced(r"\bsin\b", "social.insurance", r"\bnas\b")),
    Number("NL_BSN", (9,), re.compile(rb"[0-9]{9}|[0-9]{4}[. ][0-9]{2}[. ][0-9]{3}|[0-9]{3}[. ][0-9]{3}[. ][0-9]{3}"),
           "111222333", _is_bsn, _announced(r"\bbsn", "burgerservice", "sofi")),
    Number("AU_TFN", (9,), re.compile(rb"[0-9]{3} ?[0-9]{3} ?[0-9]{3}"), "123 456 782",
           by_weights((1, 4, 3, 7, 5, 8, 6, 9, 10), 11), _announced(r"\btfn\b", "tax.file")),
    Number("UK_NHS", (10,), re.compile(rb"[0-9]{3}([ \-]?)[0-9]{3}\1[0-9]{4}"), "943 476 5919", _is_nhs,
           _announced(r"\bnhs", "patient", "health.service")),
    Number("BR_CPF", (11,), re.compile(rb"[0-9]{11}"), "52998224725", _is_cpf, _announced(r"\bcpf\b", "cadastro")),
    Number("BE_NRN", (11,), re.compile(rb"[0-9]{11}"), "85073003328", _is_nrn,
           _announced("rijksregister", "national", r"\bnrn\b", "insz", "niss")),
    Number("IN_AADHAAR", (12,), re.compile(rb"[0-9]{12}"), "234123412346", _is_aadhaar,
           _announced("aadha+r", r"\buid(?:ai)?\b")),
    Number("SE_PNR", (10, 12), re.compile(rb"[0-9]{10}|[0-9]{12}"), "8112289874", _is_personnummer,
           _announced("personn", r"\bpnr\b")),
    Number("AT_SVNR", (10,), re.compile(rb"[0-9]{4} ?[0-9]{6}"), "1237 010180", _is_svnr,
           _announced("sozialvers", r"\bsvnr", r"\bsv-nr", "versicherungs")),
    Number("RU_INN", (12,), re.compile(rb"[0-9]{12}"), "500100732259", _is_inn, _announced("инн", r"\binn\b")),
    Number("DK_CPR", (10,), re.compile(rb"[0-9]{6}-?[0-9]{4}"), "070761-4285", _is_cpr, _announced(r"\bcpr")),
    Number("ZA_ID", (13,), re.compile(rb"[0-9]{13}|[0-9]{6} [0-9]{4} [0-9]{3}"), "8001015009087", _is_za,
           _announced(r"\bid\b", "identi[a-z]*", "national")),
)  # fmt: skip


def _is_hetu(value: bytes) -> bool:
    """Finland: the rest of nine digits by 31."""
    number = int(value[:6] + value[7:10])
    return b"0123456789ABCDEFHJKLMNPRSTUVWXY"[number % 31] == value[10]


def _is_nif(value: bytes) -> bool:
    plain = alphanumeric(value)
    number = plain[:-1].translate(bytes.maketrans(b"XYZ", b"012"))
    return _NIF[int(number) % 23] == plain[-1]


def _is_codice_fiscale(value: bytes) -> bool:
    """Agenzia delle Entrate: odd places through a table, even ones as they are, modulo 26."""
    even = sum(byte - 48 if byte < 65 else byte - 65 for byte in value[1:15:2])
    return (even + sum(_CF_ODD[byte] for byte in value[0:15:2])) % 26 == value[15] - 65


def _is_resident(value: bytes) -> bool:
    """China, GB 11643: ISO 7064 MOD 11-2 over 17 digits, and a date of birth."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return b"10X98765432"[weighted(value[:17], weights) % 11] == value[17] and _is_date(value[8:14])


#: Those with letters.
WITH_LETTERS: tuple[Pattern, ...] = (
    Pattern(
        "IT_CF",
        re.compile(
            rb"[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z](?![0-9A-Za-z_])"
        ),
        "RSSMRA85T10A562S",
        openings=("AAAAAA",),
        check=_is_codice_fiscale,
    ),
    Pattern(
        "UK_NINO",
        re.compile(
            rb"(?<!-)[ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z](?<!BG|GB|NK|KN|TN|NT|ZZ)"
            rb" ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D](?![0-9A-Za-z_-])"
        ),
        "AB 12 34 56 C",
        openings=("AA99", "AA 99"),
        normal=alphanumeric,
    ),
    Pattern(
        "ES_NIE",
        re.compile(rb"(?<!-)[XYZ]-?[0-9]{7}-?[A-Z](?![0-9A-Za-z_-])"),
        "X1234567L",
        openings=("A9999999", "A-9999999"),
        check=_is_nif,
        normal=alphanumeric,
    ),
    Pattern(
        "FI_HETU",
        re.compile(rb"(?<![.-])[0-3][0-9][01][0-9]{3}[-+A-FU-Y][0-9]{3}[0-9A-Y](?![0-9A-Za-z_-])"),
        "131052-308T",
        openings=("999999",),
        check=_is_hetu,
    ),
    Pattern(
        "ES_DNI",
        re.compile(rb"(?<![.-])[0-9]{8}-?[A-Z](?![0-9A-Za-z_-])"),
        "12345678Z",
        openings=("99999999A", "99999999-A"),
        check=_is_nif,
        normal=alphanumeric,
    ),
    Pattern(
        "CN_ID",
        re.compile(rb"(?<![.-])[1-9][0-9]{5}(?:19|20)[0-9]{9}[0-9X](?![0-9A-Za-z_-])"),
        "11010519491231002X",
        openings=("999999999999",),
        check=_is_resident,
    ),
)
