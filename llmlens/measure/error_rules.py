"""What makes a span an error of which class: a table that users see and extend."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from llmlens.errors import SelectionError, UnknownNameError, nearest
from llmlens.phrases import REFUSALS, pattern_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

#: What a rule can look at: name -> what it holds. All are texts; NA where there is nothing to see.
FIELDS = {
    "error": "type and message of a span that failed, as 'type: message'",
    "finish_reason": "why a model call ended",
    "answer": "the first 300 characters of what a model call answered; empty where it gave neither text nor call",
    "format": "'not json' where JSON was asked for and something else came",
    "language": "'other' where the answer is in another language than the question, and none was asked for",
}

FALLBACKS = (
    "something went wrong", "please try again later", "an error occurred", "an error has occurred",
    "i didn't understand", "i did not understand", "i'm having trouble", "i am having trouble",
    "technical difficulties", "unable to process your request", "could not process your request",
    "let me connect you", "contact support", "etwas ist schiefgelaufen", "versuchen sie es später",
    "une erreur s'est produite", "ha ocurrido un error",
)  # fmt: skip


class Rule(NamedTuple):
    """`pattern` (RE2, no regard to case) found in `field` makes a span an `error` of a `family`."""

    family: str
    error: str
    field: str
    pattern: str


#: The first that fits counts.
RULES: tuple[Rule, ...] = (
    Rule("application", "context overflow", "error",
         r"prompt is too long|context[ _-]?(length|window)|maximum context|too many (input )?tokens"
         r"|context_length_exceeded|input is too long"),
    Rule("provider", "rate limit", "error",
         r"\b429\b|rate.?limit|too many requests|quota|resource.?exhausted|throttl|insufficient_quota"
         r"|tokens per min"),
    Rule("provider", "unavailable", "error",
         r"\b(502|503|529)\b|overloaded|unavailable|connection (refused|reset|error|aborted)"
         r"|ConnectionError|ConnectError|bad gateway|no healthy upstream|name resolution"),
    Rule("provider", "timeout", "error", r"time[d_ -]?out|deadline.?exceeded|\b(408|504)\b|did not answer in time"),
    Rule("provider", "5xx", "error", r"\b5\d\d\b|internal.?server.?error|InternalError|server_error"),
    Rule("application", "output not parsed", "error",
         r"OutputParser|JSONDecode|could not parse|failed to parse|parsing (error|failed)|invalid json"
         r"|not valid json|LengthFinishReason|UnexpectedModelBehavior|RetryError"),
    Rule("application", "unknown tool", "error",
         r"tool ?not ?found|unknown (tool|function)|no such tool|tool .{0,60} does not exist"),
    Rule("application", "bad arguments", "error",
         r"ValidationError|required property|additional propert|missing \d* ?required|unexpected keyword"
         r"|invalid arguments?|is not of type|TypeError"),
    Rule("application", "not allowed", "error",
         r"\b(401|403)\b|unauthori[sz]ed|forbidden|permission.?denied|authentication|invalid api key"),
    Rule("semantic", "refusal", "error", r"content.?(filter|policy|management)|safety|blocked by"),
    Rule("application", "bad request", "error",
         r"\b(400|404|413|422)\b|bad.?request|invalid.?request|not.?found|unprocessable|invalid_argument"),
    Rule("semantic", "refusal", "finish_reason", r"content_?filter|safety|refus|blocked|prohibited|recitation"),
    Rule("semantic", "cut by length", "finish_reason", r"^(length|max_?(output_?)?tokens|model_length|incomplete)$"),
    Rule("application", "output not parsed", "format", r"^not json$"),
    Rule("semantic", "empty", "answer", r"^\s*$"),
    Rule("semantic", "refusal", "answer", pattern_of(REFUSALS)),
    Rule("semantic", "fallback answer", "answer", pattern_of(FALLBACKS)),
    Rule("semantic", "wrong language", "language", r"^other$"),
    Rule("other", "not classified", "error", r""),
)  # fmt: skip


def rules(own: Iterable[tuple[str, str, str, str]] = ()) -> pd.DataFrame:
    """Give the rules of `llmlens.errors`: a row a rule, in order; the first that fits a span counts.

    `own` are more of them, which come first: (family, error, field, pattern). `field` is `error` (type and message of
    a span that failed), `finish_reason`, `answer` (the beginning of what a model answered), `format` or `language`;
    `pattern` is a regular expression (RE2) that is looked for without regard to case.

    >>> rules([("provider", "maintenance", "error", "scheduled maintenance")]).iloc[0]["error"]
    'maintenance'

    The frame can be edited and given to `llmlens.errors(traces, rules=...)`. Raises `UnknownNameError` for a field,
    `SelectionError` for a row or a pattern that is none.
    """
    import pandas as pd

    rows = []
    for given in own:
        if isinstance(given, str) or len(given) != len(Rule._fields):
            raise SelectionError(f"A rule is (family, error, field, pattern); got {given!r}.")
        rows.append(Rule(*given))
    return checked(pd.DataFrame([*rows, *RULES], columns=list(Rule._fields)).astype("str"))


def checked(frame: pd.DataFrame) -> pd.DataFrame:
    """Give a table of rules back if it is one."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    missing = [name for name in Rule._fields if not isinstance(frame, pd.DataFrame) or name not in frame]
    if missing:
        raise SelectionError(f"rules= takes a frame such as llmlens.rules(); this one has no {', '.join(missing)}.")
    for rule in frame.itertuples(index=False):
        if rule.field not in FIELDS:
            raise UnknownNameError(f"A rule cannot look at {rule.field!r}.{nearest(str(rule.field), FIELDS)}")
        try:
            pc.match_substring_regex(pa.array(["x"]), str(rule.pattern), ignore_case=True)
        except (pa.ArrowInvalid, ValueError) as error:
            raise SelectionError(f"The pattern {rule.pattern!r} of {rule.error!r} is none: {error}") from None
    return frame.reset_index(drop=True)
