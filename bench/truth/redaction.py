"""A labelled corpus of what must be redacted and of what only looks like it; `redact.py` reads it.

Values are made as their issuers document them, not as our patterns read them, and stand in what traces hold: prompts
in several languages, logs, JSON within JSON, code, URLs, tables. All is random, and nothing in it is anybody's.
"""

# ruff: noqa: E501  # tables of texts: a row a line
from __future__ import annotations

import base64
import json
import string
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

ALNUM = string.ascii_letters + string.digits
URLSAFE = ALNUM + "-_"
HEX = "0123456789abcdef"


@dataclass(frozen=True, slots=True)
class Item:
    """A text, what in it must go, and of which family that is; a decoy has nothing that must."""

    text: str
    family: str
    what: str
    truth: tuple[str, ...] = ()


def chars(r: Random, alphabet: str, n: int) -> str:
    return "".join(r.choices(alphabet, k=n))


def digits(r: Random, n: int) -> str:
    return chars(r, string.digits, n)


# ---------------------------------------------------------------------- secrets


def jwt(r: Random) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = {"sub": digits(r, 8), "name": "A. User", "iat": 1_762_000_000 + r.randrange(10**6)}
    return f"{part({'alg': r.choice(['HS256', 'RS256']), 'typ': 'JWT'})}.{part(claims)}.{chars(r, URLSAFE, 43)}"


def pem(r: Random) -> str:
    kind = r.choice(["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY"])
    body = "\n".join(chars(r, ALNUM + "+/", 64) for _ in range(r.randrange(3, 12)))
    return f"-----BEGIN {kind}-----\n{body}\n{chars(r, ALNUM, 30)}==\n-----END {kind}-----"


#: name -> how its issuer makes it
KEYS: dict[str, Callable[[Random], str]] = {
    "openai project": lambda r: f"sk-proj-{chars(r, URLSAFE, 74)}T3BlbkFJ{chars(r, URLSAFE, 74)}",
    "openai legacy": lambda r: f"sk-{chars(r, ALNUM, 20)}T3BlbkFJ{chars(r, ALNUM, 20)}",
    "openai service": lambda r: f"sk-svcacct-{chars(r, URLSAFE, 58)}T3BlbkFJ{chars(r, URLSAFE, 58)}",
    "deepseek": lambda r: f"sk-{chars(r, HEX, 32)}",
    "anthropic": lambda r: f"sk-ant-api03-{chars(r, URLSAFE, 93)}AA",
    "anthropic oauth": lambda r: f"sk-ant-oat01-{chars(r, URLSAFE, 86)}AA",
    "langfuse secret": lambda r: f"sk-lf-{uuid.UUID(int=r.getrandbits(128))}",
    "langfuse public": lambda r: f"pk-lf-{uuid.UUID(int=r.getrandbits(128))}",
    "openrouter": lambda r: f"sk-or-v1-{chars(r, HEX, 64)}",
    "aws id": lambda r: f"{r.choice(['AKIA', 'ASIA'])}{chars(r, string.ascii_uppercase + '234567', 16)}",
    "github classic": lambda r: f"gh{r.choice('pous')}_{chars(r, ALNUM, 36)}",
    "github fine": lambda r: f"github_pat_{chars(r, ALNUM, 22)}_{chars(r, ALNUM, 59)}",
    "gitlab": lambda r: f"glpat-{chars(r, URLSAFE, 20)}",
    "google api": lambda r: f"AIza{chars(r, URLSAFE, 35)}",
    "google oauth": lambda r: f"ya29.{chars(r, URLSAFE, 120)}",
    "slack bot": lambda r: f"xoxb-{digits(r, 12)}-{digits(r, 13)}-{chars(r, ALNUM, 24)}",
    "slack user": lambda r: f"xoxp-{digits(r, 12)}-{digits(r, 12)}-{digits(r, 13)}-{chars(r, HEX, 32)}",
    "slack hook": lambda r: f"hooks.slack.com/services/T{chars(r, string.ascii_uppercase + string.digits, 8)}/B{chars(r, string.ascii_uppercase + string.digits, 10)}/{chars(r, ALNUM, 24)}",
    "stripe": lambda r: f"{r.choice('sr')}k_{r.choice(['live', 'test'])}_{chars(r, ALNUM, 24)}",
    "stripe hook": lambda r: f"whsec_{chars(r, ALNUM, 32)}",
    "hugging face": lambda r: f"hf_{chars(r, string.ascii_letters, 34)}",
    "npm": lambda r: f"npm_{chars(r, ALNUM, 36)}",
    "pypi": lambda r: f"pypi-AgEIcHlwaS5vcmc{chars(r, URLSAFE, 140)}",
    "sendgrid": lambda r: f"SG.{chars(r, URLSAFE, 22)}.{chars(r, URLSAFE, 43)}",
    "groq": lambda r: f"gsk_{chars(r, ALNUM, 52)}",
    "xai": lambda r: f"xai-{chars(r, ALNUM, 80)}",
    "perplexity": lambda r: f"pplx-{chars(r, ALNUM, 48)}",
    "replicate": lambda r: f"r8_{chars(r, ALNUM, 37)}",
    "langsmith": lambda r: f"lsv2_{r.choice(['pt', 'sk'])}_{chars(r, HEX, 32)}_{chars(r, HEX, 10)}",
    "nvidia": lambda r: f"nvapi-{chars(r, URLSAFE, 64)}",
    "databricks": lambda r: f"dapi{chars(r, HEX, 32)}",
    "digitalocean": lambda r: f"dop_v1_{chars(r, HEX, 64)}",
    "telegram": lambda r: f"{r.randrange(10**8, 10**10)}:AA{chars(r, URLSAFE, 33)}",
    "twilio": lambda r: f"SK{chars(r, HEX, 32)}",
    "vault": lambda r: f"hvs.{chars(r, ALNUM, 90)}",
    "docker": lambda r: f"dckr_pat_{chars(r, URLSAFE, 27)}",
    "jwt": jwt,
    "pem": pem,
}  # fmt: skip
KEY_TEXTS = (
    "My key {} stopped working yesterday, can you see why?",
    "export API_KEY={}",
    "OPENAI_API_KEY={}\nDEBUG=1",
    "client = Client(api_key='{}')",
    'curl https://api.example.com/v1/chat -H "Authorization: Bearer {}" -d @body.json',
    '{{"role": "user", "content": "use {} please"}}',
    "401 Incorrect API key provided: {}. You can find your key in the dashboard.",
    "| service | key |\n|---|---|\n| prod | {} |",
    "2026-11-02T10:14:03Z ERROR auth failed key={} status=401",
    "Bitte nimm den Schlüssel {} für den Test.",
    "Voici la clé : {}, merci de ne pas la partager.",
    "la clave es {} y no funciona",
    "キーは {} です。",
    "密钥是{}，请检查。",
    "https://api.example.com/v1/models?key={}&limit=5",
    "secrets:\n  - name: prod\n    value: {}\n",
    "<config><key>{}</key></config>",
    "`{}`",
    "({})",
    "key:{};",
)


def password(r: Random) -> str:
    word = r.choice(["Sommer", "dragon", "Tiger", "winter", "Falcon", "mango", "Qwerty", "zebra", "rocket", "Berlin"])
    return r.choice([
        f"{word}{digits(r, 4)}!",
        f"{word}_{digits(r, 3)}#{chars(r, ALNUM, 2)}",
        chars(r, ALNUM, r.randrange(10, 20)) + digits(r, 1) + chars(r, string.ascii_letters, 1),
        f"{chars(r, ALNUM, 6)}${digits(r, 2)}{chars(r, ALNUM, 6)}",
        f"{word.lower()}{digits(r, 2)}",
        f"p@{word}{digits(r, 3)}",
    ])  # fmt: skip


PASSWORD_TEXTS = (
    'password: "{}"',
    "password={}",
    "My password is {} but it is refused.",
    '{{"username": "jd", "password": "{}"}}',
    "DB_PASSWORD={}\nDB_HOST=db.internal",
    "spring.datasource.password={}",
    "passwd: {}",
    "Mein Passwort: {}",
    "mot de passe : {}",
    "contraseña: {}",
    "senha: {}",
    "psql postgresql://app:{}@db.internal:5432/orders",
    "mongodb+srv://admin:{}@cluster0.mongodb.net/test",
    "redis://:{}@cache:6379/0",
    "Server=tcp:db.example.net;Database=orders;User Id=app;Password={};Encrypt=True",
    "sshpass -p x; export PGPASSWORD={}",
    "login(user='jd', password='{}')",
    'config["password"] = "{}"',
    "user=jd&password={}&remember=1",
    "пароль: {}",
)
TOKEN_TEXTS = (
    '{{"access_token": "{}", "expires_in": 3600}}',
    "Authorization: Bearer {}",
    'headers = {{"x-api-key": "{}"}}',
    "api-key: {}",
    "client_secret={}",
    "aws_secret_access_key = {}",
    "AccountKey={};EndpointSuffix=core.windows.net",
    "https://files.example.com/a.pdf?sig={}&se=2026-12-01",
    "GET /v1/items?access_token={} HTTP/1.1",
    'auth_token: "{}"',
    "SECRET_KEY = '{}'",
    '-H "Authorization: token {}"',
    "apiKey: '{}',",
    "https://example.com/callback?code={}&state=x",
    "Set-Cookie: session={}; HttpOnly",
)


def token(r: Random) -> str:
    return r.choice(
        [
            chars(r, HEX, 32),
            chars(r, HEX, 40),
            chars(r, ALNUM, 40),
            chars(r, URLSAFE, 43),
            str(uuid.UUID(int=r.getrandbits(128))),
        ]
    )


def basic(r: Random) -> str:
    return base64.b64encode(f"user{digits(r, 2)}:{password(r)}".encode()).decode()


def secret(r: Random) -> Item:
    kind = r.random()
    if kind < 0.62:
        name = r.choice(list(KEYS))
        value = KEYS[name](r)
        text = r.choice(KEY_TEXTS)
        return item(r, text, value, "secrets", name)
    if kind < 0.8:
        return item(r, r.choice(PASSWORD_TEXTS), password(r), "secrets", "password")
    if kind < 0.97:
        return item(r, r.choice(TOKEN_TEXTS), token(r), "secrets", "token")
    return item(r, "curl -H 'Authorization: Basic {}' https://api.example.com", basic(r), "secrets", "basic")


# ---------------------------------------------------------------------- cards, accounts


def luhn_digit(body: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(body)):
        n = int(digit) * (2 if place % 2 == 0 else 1)
        total += n - 9 if n > 9 else n
    return str(-total % 10)


def card_number(r: Random) -> str:
    begin, length = r.choice([
        ("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("2720", 16), ("34", 15), ("37", 15), ("6011", 16), ("65", 16),
        ("3528", 16), ("36", 14), ("62", 16),
    ])  # fmt: skip
    body = begin + digits(r, length - len(begin) - 1)
    return body + luhn_digit(body)


def grouped(number: str, separator: str) -> str:
    sizes = (4, 6, len(number) - 10) if len(number) in (14, 15) else (4, 4, 4, 4)
    parts, at = [], 0
    for size in sizes:
        parts.append(number[at : at + size])
        at += size
    return separator.join(parts)


CARD_TEXTS = (
    "Please charge {} and send the receipt.",
    '{{"card": {{"number": "{}", "exp": "11/29"}}}}',
    "card_number={}, cvv hidden",
    "Meine Kreditkarte {} wurde abgelehnt.",
    "Ma carte {} ne passe pas.",
    "| customer | card |\n|---|---|\n| 17 | {} |",
    "payment failed for PAN {} (do_not_honor)",
    "mi tarjeta {} fue rechazada",
    "17,{},EUR,12.50",
    "卡号{}有问题",
)


def card(r: Random) -> Item:
    number = card_number(r)
    value = r.choice([number, number, grouped(number, " "), grouped(number, " "), grouped(number, "-")])
    return item(r, r.choice(CARD_TEXTS), value, "cards", "card")


def iban_number(r: Random) -> str:
    country, shape = r.choice([
        ("DE", "n18"), ("FR", "n10c11n2"), ("GB", "a4n14"), ("NL", "a4n10"), ("ES", "n20"), ("IT", "a1n10c12"),
        ("CH", "n5c12"), ("AT", "n16"), ("BE", "n12"), ("PL", "n24"), ("NO", "n11"), ("PT", "n21"), ("SE", "n20"),
        ("IE", "a4n14"), ("SA", "n2c18"), ("BR", "n23a1c1"), ("MT", "a4n5c18"),
    ])  # fmt: skip
    body, at = "", 0
    while at < len(shape):
        end = at + 1
        while end < len(shape) and shape[end].isdigit():
            end += 1
        alphabet = {"n": string.digits, "a": string.ascii_uppercase, "c": string.ascii_uppercase + string.digits}
        body += chars(r, alphabet[shape[at]], int(shape[at + 1 : end]))
        at = end
    number = "".join(str(int(c, 36)) for c in f"{body}{country}00")
    return f"{country}{98 - int(number) % 97:02}{body}"


IBAN_TEXTS = (
    "Bitte überweisen Sie auf {} bis Freitag.",
    "IBAN: {}",
    '{{"iban":"{}","bic":"DEUTDEFF"}}',
    "Refund to {} please.",
    "Mon compte est le {}.",
    "account {} was closed",
    "beneficiary;{};EUR;100.00",
    "Mi cuenta {} no aparece",
)


def iban(r: Random) -> Item:
    number = iban_number(r)
    spaced = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
    return item(r, r.choice(IBAN_TEXTS), r.choice([number, spaced, spaced, number.lower()]), "iban", number[:2])


# ---------------------------------------------------------------------- people

FIRST = (
    "anna",
    "li.wei",
    "o'neill",
    "jose",
    "m.garcia",
    "svetlana_k",
    "k-tanaka",
    "j.van.dijk",
    "zoë",
    "bob+news",
    "x.y",
    "support",
)
HOSTS = ("example.com", "gmail.com", "firma.de", "uni-koeln.de", "empresa.com.br", "co.uk", "sub.mail.example.org", "proton.me",
         "münchen.example", "qq.com", "dept.gov.in", "acme.io")  # fmt: skip
EMAIL_TEXTS = (
    "Write to {} about it.",
    '{{"user": {{"email": "{}", "plan": "pro"}}}}',
    "From: Anna <{}>\nTo: team",
    "user.id={} session=17",
    "mailto:{}",
    "Schreib mir an {}.",
    "请联系{}谢谢",
    "contact:{},phone unknown",
    "https://app.example.com/invite?email={}&ref=1",
    "[mail](mailto:{})",
    "login failed for {}: bad password",
    "Hello,\n{}\nBest",
    "correo: {}; gracias",
)


def email(r: Random) -> Item:
    host = r.choice(HOSTS)
    host = f"mail{digits(r, 1)}.{host}" if host == "co.uk" else host
    value = f"{r.choice(FIRST)}{r.choice(['', digits(r, 2)])}@{host}"
    text = r.choice(EMAIL_TEXTS)
    if "?email=" in text and r.random() < 0.6:
        value = value.replace("@", "%40")
    return item(r, text, value, "e-mail", "e-mail")


def filled(r: Random, shape: str) -> str:
    """Fill a shape: N is 2 to 9, # any digit, the rest is itself."""
    return "".join({"N": r.choice("23456789"), "#": r.choice(string.digits)}.get(c, c) for c in shape)


#: country -> international and national shapes, as people there write them
PHONES = {
    "US": (
        "+1 N## N## ####",
        "+1 (N##) N##-####",
        "+1N##N######",
        "(N##) N##-####",
        "N##-N##-####",
        "N##.N##.####",
        "1-N##-N##-####",
    ),
    "UK": (
        "+44 7911 ######",
        "+44 20 7### ####",
        "020 7### ####",
        "07911 ######",
        "0161 ### ####",
        "+44 (0)20 7### ####",
    ),
    "DE": (
        "+49 151 ########",
        "+49 30 #######",
        "030 #######",
        "0151 ########",
        "0221/######",
        "0049 89 ######",
        "(030) ### ### ##",
    ),
    "FR": ("+33 6 ## ## ## ##", "06 ## ## ## ##", "01.##.##.##.##", "+336########"),
    "ES": ("+34 6N# ### ###", "6N# ## ## ##", "+34 91 ### ## ##"),
    "IT": ("+39 347 #######", "+39 06 #### ####", "06 #### ####"),
    "NL": ("+31 6 ########", "06-########", "020-#######"),
    "BR": ("+55 11 9N###-####", "(11) 9N###-####", "(21) N###-####"),
    "IN": ("+91 98### #####", "98### #####", "+91-98###-#####"),
    "JP": ("+81 90-####-####", "090-####-####", "03-N###-####"),
    "CN": ("+86 138 #### ####", "138 #### ####", "138-####-####"),
    "AU": ("+61 4N# ### ###", "04N# ### ###", "(02) #### ####"),
    "CH": ("+41 79 ### ## ##", "079 ### ## ##"),
    "PL": ("+48 6N# ### ###",),
    "SE": ("+46 70 ### ## ##", "070-### ## ##"),
    "RU": ("+7 912 ###-##-##", "8 (912) ###-##-##"),
    "MX": ("+52 55 N### ####",),
    "KR": ("+82 10-N###-####", "010-N###-####"),
    "bare": ("N##N######", "07911######", "0151########", "138########"),
}
PHONE_TEXTS = (
    "Call me at {} after five.",
    '{{"name": "A", "phone": "{}"}}',
    "Tel.: {}",
    "My number changed, the phone is {}, thanks.",
    "Rückruf unter {} erbeten",
    "WhatsApp {}",
    "Mon numéro est le {}.",
    "| name | tel |\n|---|---|\n| A | tel {} |",
    "Mi teléfono: {}",
    "fax: {} / office hours",
    "mobile={}; lang=en",
    "電話 {} まで",
    "Handy {}, bitte nicht anrufen",
    "tel:{}",
)
PHONE_BARE_TEXTS = (
    "Call me at {} after five.",
    '{{"name": "A", "phone": "{}"}}',
    "phone number: {}",
    "Tel. {}",
    '{{"mobile": {}}}',
    "手机{}",
)


def phone(r: Random) -> Item:
    country = r.choice(list(PHONES))
    value = filled(r, r.choice(PHONES[country]))
    if country == "bare":
        text = r.choice(PHONE_BARE_TEXTS)
        value = value.replace("0", "5") if text.endswith(": {}}}") else value
        return item(r, text, value, "phone", country)
    return item(r, r.choice(PHONE_TEXTS), value, "phone", country)


def weighted_sum(number: str, weights: tuple[int, ...]) -> int:
    return sum(int(d) * w for d, w in zip(number, weights, strict=False))


def until(make: Callable[[], str | None]) -> str:
    while (made := make()) is None:
        pass
    return made


def born(r: Random) -> tuple[str, str, str]:
    return f"{r.randrange(40, 100)}", f"{r.randrange(1, 13):02}", f"{r.randrange(1, 29):02}"


def ssn(r: Random) -> str:
    area = r.choice([n for n in range(1, 900) if n != 666])
    return f"{area:03}-{r.randrange(1, 100):02}-{r.randrange(1, 10000):04}"


def nhs(r: Random) -> str:
    def make() -> str | None:
        body = digits(r, 9)
        check = 11 - weighted_sum(body, (10, 9, 8, 7, 6, 5, 4, 3, 2)) % 11
        return None if check == 10 else body + str(check % 11)

    n = until(make)
    return r.choice([n, f"{n[:3]} {n[3:6]} {n[6:]}"])


def steuer_id(r: Random) -> str:
    order = r.sample(string.digits, 10)
    order[r.randrange(1, 10)] = order[0] if order[0] != "0" else order[1]
    if order[0] == "0":
        order = [*order[1:], "0"]
    counts = sorted((order.count(d) for d in set(order)), reverse=True)
    if counts[0] != 2 or counts[1] != 1 or order[0] == "0":
        return steuer_id(r)
    product = 10
    for d in order:
        total = (int(d) + product) % 10 or 10
        product = 2 * total % 11
    n = "".join(order) + str((11 - product) % 10)
    return r.choice([n, f"{n[:2]} {n[2:5]} {n[5:8]} {n[8:]}"])


def nir(r: Random) -> str:
    yy, mm, _ = born(r)
    body = f"{r.choice('12')}{yy}{mm}{r.randrange(1, 96):02}{r.randrange(1, 990):03}{r.randrange(1, 1000):03}"
    key = f"{97 - int(body) % 97:02}"
    return r.choice([body + key, f"{body[0]} {body[1:3]} {body[3:5]} {body[5:7]} {body[7:10]} {body[10:]} {key}"])


def bsn(r: Random) -> str:
    while weighted_sum(n := digits(r, 9), (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 or n[0] == "0":
        pass
    return n


def dni(r: Random) -> str:
    n = digits(r, 8)
    return n + "TRWAGMYFPDXBNJZSQVHLCKE"[int(n) % 23]


def nie(r: Random) -> str:
    first, n = r.choice("XYZ"), digits(r, 7)
    return f"{first}{n}" + "TRWAGMYFPDXBNJZSQVHLCKE"[int(str("XYZ".index(first)) + n) % 23]


def codice_fiscale(r: Random) -> str:
    consonants = "BCDFGLMNPRSTVZ"
    body = chars(r, consonants, 6) + f"{r.randrange(40, 100)}" + r.choice("ABCDEHLMPRST") + f"{r.randrange(1, 29):02}"
    body += r.choice("ABCDEFGHIL") + digits(r, 3)
    odd = dict(zip("0123456789", (1, 0, 5, 7, 9, 13, 15, 17, 19, 21), strict=True))
    odd |= dict(
        zip(
            string.ascii_uppercase,
            (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
            strict=True,
        )
    )
    total = sum(odd[c] if place % 2 == 0 else int(c) if c.isdigit() else ord(c) - 65 for place, c in enumerate(body))
    return body + chr(65 + total % 26)


def pesel(r: Random) -> str:
    yy, mm, dd = born(r)
    body = yy + mm + dd + digits(r, 4)
    return body + str(-weighted_sum(body, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10)


def cpf(r: Random) -> str:
    n = digits(r, 9)
    for size in (10, 11):
        n += str(weighted_sum(n, tuple(range(size, 1, -1))) * 10 % 11 % 10)
    return r.choice([n, f"{n[:3]}.{n[3:6]}.{n[6:9]}-{n[9:]}", f"{n[:3]}.{n[3:6]}.{n[6:9]}-{n[9:]}"])


def aadhaar(r: Random) -> str:
    from llmlens.redaction.checksums import verhoeff

    def make() -> str | None:
        n = r.choice("23456789") + digits(r, 11)
        return n if verhoeff(n.encode()) else None

    n = until(make)
    return r.choice([n, f"{n[:4]} {n[4:8]} {n[8:]}", f"{n[:4]} {n[4:8]} {n[8:]}"])


def sin(r: Random) -> str:
    body = r.choice("1234567") + digits(r, 7)
    n = body + luhn_digit(body)
    return f"{n[:3]} {n[3:6]} {n[6:]}"


def ahv(r: Random) -> str:
    body = "756" + digits(r, 9)
    n = body + str(-sum(int(d) * (3 if place % 2 else 1) for place, d in enumerate(body)) % 10)
    return f"{n[:3]}.{n[3:7]}.{n[7:11]}.{n[11:]}"


def chinese(r: Random) -> str:
    body = f"{r.choice(['110105', '310101', '440305'])}19{r.randrange(50, 99)}{r.randrange(1, 13):02}{r.randrange(1, 29):02}{digits(r, 3)}"
    return body + "10X98765432"[weighted_sum(body, (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)) % 11]


def personnummer(r: Random) -> str:
    yy, mm, dd = born(r)
    body = yy + mm + dd + digits(r, 3)
    return f"{r.choice(['', '19'])}{body[:6]}-{body[6:]}{luhn_digit(body)}"


def nino(r: Random) -> str:
    pair = r.choice(["AB", "JK", "PM", "SL", "WR", "CE"])
    n = digits(r, 6)
    return r.choice([f"{pair}{n}{r.choice('ABCD')}", f"{pair} {n[:2]} {n[2:4]} {n[4:]} {r.choice('ABCD')}"])


#: how it is made, what it is called where it is used, whether it is known without that word
IDS: dict[str, tuple[Callable[[Random], str], tuple[str, ...], bool]] = {
    "US SSN": (ssn, ("SSN", "social security number", "ssn"), True),
    "UK NHS": (nhs, ("NHS number", "NHS no."), False),
    "UK NINO": (nino, ("NI number", "National Insurance"), True),
    "DE tax id": (steuer_id, ("Steuer-ID", "Steueridentifikationsnummer", "IdNr."), True),
    "FR NIR": (nir, ("numéro de sécurité sociale", "NIR"), True),
    "NL BSN": (bsn, ("BSN", "burgerservicenummer"), False),
    "ES DNI": (dni, ("DNI",), True),
    "ES NIE": (nie, ("NIE",), True),
    "IT CF": (codice_fiscale, ("codice fiscale", "C.F."), True),
    "PL PESEL": (pesel, ("PESEL",), True),
    "BR CPF": (cpf, ("CPF",), False),
    "IN Aadhaar": (aadhaar, ("Aadhaar", "Aadhaar number"), False),
    "CA SIN": (sin, ("SIN", "Social Insurance Number"), False),
    "CH AHV": (ahv, ("AHV-Nr.", "numéro AVS"), True),
    "CN id": (chinese, ("身份证", "ID card"), True),
    "SE personnummer": (personnummer, ("personnummer",), True),
}
ID_TEXTS = (
    "My {name} is {value}, please update the file.",
    '{{"{name}": "{value}"}}',
    "{name}: {value}",
    "{name} {value}",
    "The {name} on the form ({name}: {value}) is wrong.",
    "verify {name}={value} failed",
)
ID_ALONE_TEXTS = ("Here it is: {value}.", "id,{value},ok", "customer wrote {value} on the form")


def national_id(r: Random) -> Item:
    name = r.choice(list(IDS))
    make, words, alone = IDS[name]
    value = make(r)
    text = r.choice(ID_ALONE_TEXTS) if alone and r.random() < 0.2 else r.choice(ID_TEXTS)
    return item(r, text.replace("{name}", r.choice(words)).replace("{value}", "{}"), value, "ids", name)


def ip(r: Random) -> Item:
    four = ".".join(str(r.choice([r.randrange(1, 256), r.randrange(11, 256)])) for _ in range(4))
    four = f"{r.choice([10, 84, 192, 203])}.{four.split('.', 1)[1]}"
    six = "2001:db8:" + ":".join(chars(r, HEX, 4) for _ in range(6))
    short = f"2a02:{chars(r, HEX, 4)}::{chars(r, HEX, 4)}:1"
    value = r.choice([four, four, six, short])
    texts = (
        "client {} timed out",
        '{{"ip": "{}"}}',
        "blocked {} after 5 tries",
        "X-Forwarded-For: {}",
        "von {} aus",
        "src={} dst=127.0.0.1",
    )
    return item(r, r.choice(texts), value, "ip", "ip")


# ---------------------------------------------------------------------- decoys


def not_luhn(r: Random, begin: str, length: int) -> str:
    body = begin + digits(r, length - len(begin) - 1)
    return body + str((int(luhn_digit(body)) + r.randrange(1, 10)) % 10)


def bad_iban(r: Random) -> str:
    number = iban_number(r)
    return number[:2] + f"{(int(number[2:4]) + 7) % 97 + 2:02}" + number[4:]


DECOYS: dict[str, Callable[[Random], str]] = {
    "order number": lambda r: f"Order {not_luhn(r, r.choice('4596'), 16)} was shipped on Monday.",
    "order number grouped": lambda r: f"Bestellung {grouped(not_luhn(r, '4', 16), r.choice(' -'))} ist unterwegs",
    "tracking": lambda r: f"tracking 1Z{chars(r, string.ascii_uppercase + string.digits, 8)}{digits(r, 8)}",
    "uuid": lambda r: f"request {uuid.UUID(int=r.getrandbits(128))} took 12 ms",
    "uuid of digits": lambda r: f"id={digits(r, 8)}-{digits(r, 4)}-4{digits(r, 3)}-8{digits(r, 3)}-{digits(r, 12)}",
    "sha256": lambda r: f"sha256:{chars(r, HEX, 64)}",
    "sha1": lambda r: f"commit {chars(r, HEX, 40)} by ci",
    "md5": lambda r: f'etag "{chars(r, HEX, 32)}"',
    "short sha": lambda r: f"fixed in {chars(r, HEX, 7)}",
    "trace id": lambda r: f'{{"trace_id": "{chars(r, HEX, 32)}", "span_id": "{chars(r, HEX, 16)}"}}',
    "epoch": lambda r: f'{{"created": {1_762_000_000 + r.randrange(10**6)}, "ms": {1_762_000_000_000 + r.randrange(10**9)}}}',
    "nanoseconds": lambda r: f'"startTimeUnixNano": "{1_762_000_000_000_000_000 + r.randrange(10**15)}"',
    "iso time": lambda r: f"2026-{r.randrange(1, 13):02}-{r.randrange(1, 29):02}T{r.randrange(24):02}:{r.randrange(60):02}:12.123456Z done",
    "date and time": lambda r: f"called on 2026-{r.randrange(1, 13):02}-{r.randrange(1, 29):02} {r.randrange(24):02}:{r.randrange(60):02}:{r.randrange(60):02}",
    "german date": lambda r: f"am {r.randrange(1, 29):02}.{r.randrange(1, 13):02}.2026 um {r.randrange(24):02}:30",
    "isbn": lambda r: f"ISBN 978-{r.randrange(0, 10)}-{digits(r, 2)}-{digits(r, 6)}-{digits(r, 1)}",
    "ean": lambda r: f"EAN 40{digits(r, 11)}",
    "version": lambda r: f"upgraded to version {r.randrange(1, 20)}.{r.randrange(20)}.{r.randrange(30)}.{r.randrange(99)}",
    "version v": lambda r: f"v{r.randrange(1, 20)}.{r.randrange(20)}.{r.randrange(30)}.{r.randrange(99)} is out",
    "user agent": lambda r: f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/{r.randrange(100, 130)}.0.{r.randrange(9999)}.{r.randrange(200)} Safari/537.36",
    "requirement": lambda r: f"numpy=={r.randrange(1, 3)}.{r.randrange(30)}.{r.randrange(9)}.{r.randrange(9)}",
    "section": lambda r: f"see section {r.randrange(1, 9)}.{r.randrange(1, 9)}.{r.randrange(1, 9)}.{r.randrange(1, 9)}",
    "price": lambda r: f"Total: ${r.randrange(1, 9999):,}.{digits(r, 2)} incl. {r.randrange(1, 99)}.50 tax",
    "large number": lambda r: f"population {r.randrange(10**6, 10**9):,} in 2026",
    "spaced number": lambda r: f"environ {r.randrange(100, 600)} {digits(r, 3)} {digits(r, 3)} euros",
    "floats": lambda r: "embedding: [" + ", ".join(f"{r.uniform(-1, 1):.16f}" for _ in range(12)) + "]",
    "integers": lambda r: "ids " + " ".join(str(r.randrange(10, 99999)) for _ in range(14)),
    "coordinates": lambda r: f"at {r.uniform(-90, 90):.6f}, {r.uniform(-180, 180):.6f}",
    "usage": lambda r: f'{{"prompt_tokens": {r.randrange(9999)}, "completion_tokens": {r.randrange(9999)}, "max_tokens": 4096}}',
    "chat id": lambda r: f'{{"id": "chatcmpl-{chars(r, ALNUM, 29)}", "model": "gpt-4o"}}',
    "tool id": lambda r: f'{{"tool_use_id": "toolu_01{chars(r, ALNUM, 22)}", "call": "call_{chars(r, ALNUM, 24)}"}}',
    "request id": lambda r: f"req_011C{chars(r, ALNUM, 20)} / msg_01{chars(r, ALNUM, 22)}",
    "password words": lambda r: r.choice([
        "Password: must have 8 characters or more", "I forgot my password, what now?", "password: string, required",
        "password=os.environ['DB_PASSWORD']", "password: ${DB_PASSWORD}", "password = getpass.getpass()",
        "password: ********", '{"password": null, "token": ""}', '<input type="password" name="password">',
        "Das Passwort: bitte sofort ändern", "passwords are hashed with argon2", "def login(user: str, password: str) -> bool:",
        "The password is case sensitive.", "Your password was reset.", "password: {{ vault_password }}",
    ]),
    "token words": lambda r: r.choice([
        "token = tokenizer.decode(ids)", "token: str | None = None", '{"token": "the", "logprob": -0.31}',
        "next_token: null", "tokens: 1234567", "token=None", "secret = client.secrets.get('db')",
        "The secret is to listen.", "secret: true", "Secretary: John Smith, Room 12", "api_key=os.getenv('OPENAI_API_KEY')",
        "api_key: <your-api-key>", "bearer of good news 2026", "basic authentication is off", "auth: basic",
        "cache_key: user:42:profile", "const key = items[0].key;", "Set the API key: see the docs.", "token bucket, 20 per second",
        "key=value pairs", "sort_key=created_at_2026", "the key is under the mat 42",
    ]),
    "sk words": lambda r: r.choice(["pip install sk-learn-extensions-for-python", "div.sk-estimator-doc-link.fitted", "sk-container-id-12 div.sk-toggleable",
                                    "ask-for-help-with-your-first-pull-request-2026", "task-runner-for-continuous-integration-v2", "#sk-text-repr-fallback"]),
    "at signs": lambda r: r.choice(["npm i react@18.2.0 vite@5.0.1", "git clone git@github.com:acme/app.git", "icons/logo@2x.png", "@app.route('/login')",
                                    "thanks @maria_dev and @tom", "user@localhost:~$ ls", "image@sha256:" + "ab" * 32, "getty@tty1.service failed", "a @ b.T"]),
    "image": lambda r: "data:image/png;base64,iVBORw0KGgo" + chars(r, ALNUM + "+/", 400) + "=",
    "base64": lambda r: f'"thumb": "{chars(r, ALNUM + "+/", 300)}=="',
    "colours": lambda r: "#" + chars(r, HEX, 6) + " / #" + chars(r, HEX, 8),
    "ports": lambda r: f"listening on 127.0.0.1:{r.randrange(1024, 65535)} and 0.0.0.0:80",
    "mac": lambda r: "eth0 " + ":".join(chars(r, HEX, 2) for _ in range(6)),
    "times": lambda r: f"from {r.randrange(24):02}:{r.randrange(60):02}:{r.randrange(60):02} to {r.randrange(24):02}:15:00",
    "scope": lambda r: r.choice(["std::vector<int> a::b", "use crate::cafe::bad;", "Foo::Bar::BAZ", "face::dead"]),
    "invoice": lambda r: f"INV-2026-{digits(r, 6)} and PO-{digits(r, 8)}",
    "sku": lambda r: f"SKU-{digits(r, 3)}-{digits(r, 3)}-{digits(r, 2)}",
    "zip": lambda r: f"San Francisco, CA {r.randrange(10000, 99999)}-{digits(r, 4)}",
    "cas": lambda r: f"CAS {digits(r, 5)}-{digits(r, 2)}-{digits(r, 1)}",
    "doi": lambda r: f"https://doi.org/10.{r.randrange(1000, 9999)}/j.cell.2026.{digits(r, 2)}.{digits(r, 3)}",
    "range": lambda r: f"pages {r.randrange(100, 999)}-{r.randrange(1000, 9999)}, years 1990-2026",
    "scores": lambda r: f"{r.randrange(7)}-{r.randrange(7)}, {r.randrange(7)}-{r.randrange(7)}, 21-19",
    "bad iban": lambda r: f"account {bad_iban(r)} is not valid",
    "arn": lambda r: f"arn:aws:bedrock:eu-central-1:{digits(r, 12)}:inference-profile/eu.claude",
    "user id": lambda r: f"user_{chars(r, HEX, 8)} customer 4711 account {digits(r, 6)}",
    "imei": lambda r: "IMEI 35" + digits(r, 13),
    "bad ssn": lambda r: f"ref 000-{r.randrange(10, 99)}-{digits(r, 4)}",
    "telemetry": lambda r: f"cpu 0.{digits(r, 2)} mem {digits(r, 10)} disk {digits(r, 11)} net {digits(r, 9)}",
    "math": lambda r: f"{r.randrange(10**4)} + {r.randrange(10**4)} = {r.randrange(10**5)}; 2^31 = 2147483648",
    "table": lambda r: "| q1 | q2 | q3 |\n|---|---|---|\n| " + " | ".join(digits(r, 4) for _ in range(3)) + " |",
    "url": lambda r: f"https://example.com/items/{digits(r, 10)}?page={digits(r, 2)}&sort=key&v={digits(r, 8)}",
    "signature words": lambda r: r.choice(["please sign: signature=required", "code=404", "auth=none&key=name", "?code=de&key=title"]),
}  # fmt: skip


def decoy(r: Random) -> Item:
    name = r.choice(list(DECOYS))
    return item(r, "{}", DECOYS[name](r), "decoys", name)


# ---------------------------------------------------------------------- around them

AROUND = (
    "{}",
    "{}",
    "Hi, I have a question about my last order. {} Thanks in advance for your help!",
    "You are a helpful assistant of a shop. Answer in one sentence.\n\nUser: {}\nAssistant:",
    "Guten Tag, ich habe ein Problem mit meiner Rechnung. {} Mit freundlichen Grüßen",
    "Bonjour, {} Merci d'avance.",
    "[INFO] agent step 3 of 7: {}",
)


def item(r: Random, text: str, value: str, family: str, what: str) -> Item:
    """Put a value into a text, the text into another one, and that into JSON once or twice, or not."""
    inner = (
        text.replace("{{", "\x00").replace("}}", "\x01").replace("{}", value).replace("\x00", "{").replace("\x01", "}")
    )
    full = r.choice(AROUND).replace("{}", inner)
    truth = value
    for _ in range(r.choice((0, 0, 1, 1, 2))):
        ascii_only = r.random() < 0.3
        full = json.dumps([{"role": "user", "content": full}], ensure_ascii=ascii_only)
        truth = json.dumps(truth, ensure_ascii=ascii_only)[1:-1]
    return Item(full, family, what, () if family == "decoys" else (truth,))


#: family -> how it is made, how many of 2,000
FAMILIES: dict[str, tuple[Callable[[Random], Item], int]] = {
    "secrets": (secret, 420),
    "cards": (card, 120),
    "iban": (iban, 120),
    "e-mail": (email, 160),
    "phone": (phone, 160),
    "ids": (national_id, 160),
    "ip": (ip, 60),
    "decoys": (decoy, 800),
}


def corpus(r: Random, times: int = 1) -> list[Item]:
    """Make 2,000 items, or so many times more, in random order."""
    items = [make(r) for make, n in FAMILIES.values() for _ in range(n * times)]
    r.shuffle(items)
    return items
