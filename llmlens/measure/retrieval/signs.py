"""Ways in which a text can address a model: data, to be extended."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Sign:
    """A way to address a model: its name, regular expressions of which any will do (without regard to case), a weight.

    >>> Sign("says hello", (r"hello model",), 1).find("Hello model!").start()
    0
    """

    name: str
    patterns: tuple[str, ...]
    weight: float

    @cached_property
    def _any(self) -> re.Pattern[str]:
        return re.compile("|".join(f"(?:{each})" for each in self.patterns), re.IGNORECASE | re.MULTILINE)

    def find(self, text: str) -> re.Match[str] | None:
        """Give the first place where a text shows it."""
        return self._any.search(text)


#: What is looked for; append your own. Each weighs less the more documents have it: a manual is full of orders.
SIGNS: list[Sign] = [
    Sign("sets aside what was said", (
        (r"\b(?:ignore|disregard|forget|override|bypass)\b[^.\n]{0,40}\b(?:previous|prior|above|earlier|all|your|the)\b"
        r"[^.\n]{0,20}\b(?:instruction|prompt|rule|guideline|direction|context|message)s?\b"),
        r"\b(?:ignoriere?|vergiss|missachte)\b[^.\n]{0,60}\b(?:anweisung|regel|vorgabe)",
        r"\b(?:ignorez?|oubliez?)\b[^.\n]{0,60}\b(?:instruction|consigne)s?",
        r"\b(?:ignora|olvida|ignore)\b[^.\n]{0,60}\b(?:instruccion|instrucción|istruzion|instruç)",
    ), 4),
    Sign("names a role", (
        r"<\|?(?:im_start|system|assistant|user|endoftext)\|?>", r"\[/?INST\]", r"<<SYS>>",
        r"^\s*#*\s*(?:system|assistant)\s*:", r"\bnew instructions?\s*:", r"\bsystem (?:prompt|message|override)\b",
    ), 3),
    Sign("gives a role", (
        r"\byou are (?:now|no longer)\b", r"\bact as (?:an?|the|if)\b", r"\bpretend (?:to be|that)\b",
        r"\bdeveloper mode\b",
    ), 2),
    Sign("speaks to a model", (
        r"\b(?:AI|language) (?:model|assistant)s?\b", r"\bif you are an? (?:AI|LLM|assistant|language model)\b",
        r"\b(?:LLM|chatbot|assistant)s? (?:must|should|reading|processing)\b",
    ), 2),
    Sign("says what to answer", (
        r"\b(?:respond|reply|answer|output|print) (?:only )?(?:with|exactly|in the following)\b",
        r"\balways (?:say|answer|recommend|respond)\b", r"\b(?:say|tell the user) that\b",
    ), 1.5),
    Sign("asks to keep it secret", (
        (r"\b(?:do not|don't|never) (?:tell|mention|reveal|disclose|inform|show)\b[^.\n]{0,40}"
        r"\b(?:user|customer|anyone|this)\b"),
        r"\bwithout (?:telling|informing|asking) the user\b",
    ), 3),
    Sign("asks for an action", (
        r"\b(?:call|invoke|use|run|execute) (?:the |this )?(?:\w+ )?(?:tool|function|command|code|api)\b",
        (r"\b(?:send|forward|post|upload|email)\b[^.\n]{0,60}"
        r"(?:https?://|\S@\S|api key|password|conversation|credentials)"),
    ), 2.5),
    Sign("carries data in a link", (
        r"!\[[^\]]*\]\(https?://[^)\s]*[?&=][^)\s]*\)", r"https?://\S*(?:\{|%7B|\$\{)",
    ), 2),
    Sign("is hidden", (
        "[\u200b-\u200f\u2060-\u2064\ufeff\U000e0000-\U000e007f]", r"<!--[^>]{10,}-->",
        r"(?:display:\s*none|font-size:\s*0)", r"[A-Za-z0-9+/]{120,}={0,2}",
    ), 1.5),
]  # fmt: skip
