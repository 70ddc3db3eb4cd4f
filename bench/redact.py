"""What redaction finds, what it takes for something that it is not, and how fast: against the goals.

    python bench/redact.py [--seed 0] [--times 1] [--show 20] [--peer]

Makes a labelled corpus (truth/redaction.py) of 2,000 items, or `--times` as many. An item is found when nothing of its
value is left; a pseudonym too many is a false alarm. `--peer` also runs datafog, where it is installed.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import sys
from collections import Counter
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bench.truth.redaction import FAMILIES, Item, corpus
from llmlens.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

GOALS = {"secrets": 0.99, "cards": 0.99, "iban": 0.99, "e-mail": 0.99, "phone": 0.95, "ids": 0.95}
PRECISION, SPEED = 0.98, 10.0
_PSEUDONYM = re.compile(r"<([A-Z][A-Z0-9_]*):[0-9a-f]{8}>")
_FAMILY = {"CARD": "cards", "IBAN": "iban", "EMAIL": "e-mail", "PHONE": "phone", "IP": "ip"}
_PIECE = 6


def left(truth: str, text: str) -> bool:
    """Say whether a piece of a value is still there."""
    return any(truth[at : at + _PIECE] in text for at in range(max(1, len(truth) - _PIECE + 1)))


def family_of(kind: str) -> str:
    """Tell national ids by the country before them; all else is a secret."""
    return _FAMILY.get(kind) or ("ids" if re.match(r"[A-Z]{2}_(?!KEY|TOKEN)", kind) else "secrets")


def judge(items: Sequence[Item], redacted: Sequence[str], show: int) -> str:
    """Count what was found and what was too much, as a table."""
    found, missed, false = Counter[str](), Counter[str](), Counter[str]()
    misses, alarms = [], []
    for item, text in zip(items, redacted, strict=True):
        around = item.text.replace(item.truth[0], "") if item.truth else item.text
        rest = _PSEUDONYM.sub("<>", text)
        gone = sum(not left(truth, rest) or (left(truth, around) and truth not in rest) for truth in item.truth)
        found[item.family] += gone
        missed[item.family] += len(item.truth) - gone
        kinds = [family_of(kind) for kind in _PSEUDONYM.findall(text)]
        extra = len(kinds) - gone
        if extra > 0:
            if gone:
                kinds.remove(item.family) if item.family in kinds else kinds.pop()
            false.update(kinds[:extra])
            alarms.append((item, text))
        if gone < len(item.truth):
            misses.append((item, text))
    for title, these in (("missed", misses), ("false alarm", alarms)):
        for item, text in these[:show]:
            print(f"{title}: {item.family} {item.what}: {item.text[:160]!r}\n    -> {text[:160]!r}")
    lines = ["| family | items | recall | goal | false alarms | precision |", "|---|---:|---:|---:|---:|---:|"]
    for family in FAMILIES:
        if family != "decoys":
            n, goal = found[family] + missed[family], GOALS.get(family)
            precision = found[family] / max(1, found[family] + false[family])
            lines.append(
                f"| {family} | {n:,} | {found[family] / n:.4f} | {goal or ''} | {false[family]} | {precision:.4f} |"
            )
    all_found, all_false = sum(found.values()), sum(false.values())
    all_n = all_found + sum(missed.values())
    precision = all_found / (all_found + all_false)
    decoys = sum(item.family == "decoys" for item in items)
    lines.append(f"| all, among {decoys:,} decoys | {all_n:,} | {all_found / all_n:.4f} "
                 f"| precision {PRECISION} | {all_false} | {precision:.4f} |")  # fmt: skip
    return "\n".join(lines)


def speed(redact: Callable[[list[str]], object], texts: list[str]) -> float:
    """Measure megabytes a second of processor time."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    redact(texts)
    after = resource.getrusage(resource.RUSAGE_SELF)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return sum(len(text.encode()) for text in texts) / 1e6 / spent


def spans(r: Random, items: Sequence[Item], megabytes: float) -> list[str]:
    """Put the items among what else is in traces: prose, usage, ids, tool schemas; one item in about 2 kB."""
    words = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8").split()
    texts: list[str] = []
    size = 0.0
    while size < megabytes * 1e6:
        prose = " ".join(r.choices(words, k=180))
        usage = {
            "input_tokens": r.randrange(9999),
            "output_tokens": r.randrange(999),
            "latency": r.random(),
            "id": f"chatcmpl-{r.getrandbits(96):x}",
        }
        messages = [{"role": "system", "content": prose}, {"role": "user", "content": r.choice(items).text}]
        start = 1_762_000_000_000_000_000 + r.randrange(10**15)
        trace = {"messages": messages, "usage": usage, "trace": f"{r.getrandbits(128):032x}", "start": start}
        text = json.dumps(trace)
        texts.append(text)
        size += len(text)
    return texts


#: What datafog calls ours; its dates and postcodes are not asked for here, so they are no false alarms.
_DATAFOG = {"EMAIL": "EMAIL", "PHONE": "PHONE", "SSN": "US_SSN", "CREDIT_CARD": "CARD", "IP_ADDRESS": "IP"}


def datafog(texts: Sequence[str]) -> list[str]:
    """Redact with datafog, whose marks are made ours."""
    from datafog import sanitize  # type: ignore[import-not-found]

    def mark(match: re.Match[str]) -> str:
        return f"<{_DATAFOG[match[1]]}:00000000>" if match[1] in _DATAFOG else ""

    return [re.sub(r"\[([A-Z_]+?)(?:_[0-9]+)?\]", mark, sanitize(text)) for text in texts]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--megabytes", type=float, default=12)
    parser.add_argument("--peer", action="store_true")
    given = parser.parse_args()
    r = Random(given.seed)
    items = corpus(r, given.times)
    redactor = Redactor(key="of the bench, which is no secret")
    print(judge(items, [redactor.text(item.text) for item in items], given.show))
    mixed = spans(r, items, given.megabytes)
    reached = speed(redactor.texts, mixed)
    print(f"\n{reached:.1f} MB/s on one core (goal {SPEED:.0f}), {len(mixed):,} texts as spans hold them")
    if given.peer:
        print("\ndatafog\n" + judge(items, datafog([item.text for item in items]), 0))
        print(f"\n{speed(datafog, mixed[: len(mixed) // 10]):.2f} MB/s")


if __name__ == "__main__":
    main()
