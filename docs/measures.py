"""Write the README's table of measures from the first lines of their docstrings.

    python docs/measures.py

A test checks that the README holds what this writes.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import llmlens as ll

README = Path(__file__).resolve().parents[1] / "README.md"
BEGIN, END = "<!-- measures: docs/measures.py writes this table -->", "<!-- end of measures -->"

#: What a user asks -> the functions that answer.
QUESTIONS: dict[str, tuple[str, ...]] = {
    "What changed?": ("triage", "drift", "clusters", "fingerprint", "explain", "compare", "versions", "cost_change"),
    "What does it cost?": (
        "cost",
        "cost_per_goal",
        "budget",
        "cost_anomalies",
        "duplicates",
        "prompt_cache",
        "cost_audit",
    ),
    "Is it slow, does it fail?": ("latency", "critical_path", "self_time", "errors"),
    "Is it good?": ("quality", "slo", "signals", "agreement"),
    "Does retrieval work?": ("retrieval", "ranking", "document_changes", "groundedness", "instructions_in_documents"),
    "What do agents and users do?": ("agents", "loops", "tools", "context_growth", "handoffs", "sessions", "users"),
}


def first_line(name: str) -> str:
    """Give the first sentence of a public function's docstring."""
    text = inspect.getdoc(getattr(ll, name)) or ""
    return text.splitlines()[0].split(": `llmlens.")[0].rstrip(".").replace("|", "\\|")


def table() -> str:
    """Write the table as markdown."""
    lines = ["| | | |", "|---|---|---|"]
    for question, names in QUESTIONS.items():
        for place, name in enumerate(names):
            lines.append(f"| {f'**{question}**' if not place else ''} | `ll.{name}` | {first_line(name)} |")
    return "\n".join(lines)


def written(text: str) -> str:
    """Give the README with the table as it should be."""
    return re.sub(
        f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: f"{BEGIN}\n{table()}\n{END}", text, flags=re.DOTALL
    )


if __name__ == "__main__":
    README.write_text(written(README.read_text("utf-8")), "utf-8")
