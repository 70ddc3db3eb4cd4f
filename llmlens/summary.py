"""What a `Traces` says of itself: counts, window, models, features, tokens, cost, and what was wrong with the load."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from . import theme
from .schema import USAGE_KINDS

if TYPE_CHECKING:
    import pandas as pd

    from .traces import Traces

_SHOWN = 6
_LISTED = 50


#: What was done about a problem, gravest first; all else comes in between.
_GRAVITY = {"dropped": 0, "noted": 2}


def summarise(traces: Traces) -> dict[str, Any]:
    """Count everything once; see `Traces.summary`.

    Keys: traces, spans, sessions, users, since, until (datetimes or None), kinds, models, features (name -> count),
    services, input_tokens, output_tokens, cost_usd, n_unpriced, errors, conventions, problems (list of dicts, what was
    dropped first and what was only noted last), notes.
    """
    from .rollups import unpriced

    spans = traces.table("spans")
    usage = spans.kind.isin(USAGE_KINDS)
    total = traces.fetch(
        spans.agg(
            traces=spans.trace_id.nunique(),
            spans=spans.count(),
            sessions=spans.session_id.nunique(),
            users=spans.user_id.nunique(),
            since=spans.start.min(),
            until=spans.end.max(),
            input_tokens=spans.input_tokens.sum(where=usage),
            output_tokens=spans.output_tokens.sum(where=usage),
            cost_usd=spans.cost_usd.sum(where=usage),
            n_unpriced=unpriced(spans).sum(),
            errors=(spans.status == "error").sum(),
        )
    ).iloc[0]
    said: dict[str, Any] = {key: _plain(total[key]) for key in total.index}
    for key in ("input_tokens", "output_tokens", "n_unpriced", "errors"):
        said[key] = int(said[key] or 0)
    for key, column in (
        ("kinds", "kind"),
        ("features", "feature"),
        ("services", "service"),
        ("conventions", "convention"),
    ):
        said[key] = _counts(traces, spans, column)
    said["models"] = _counts(traces, spans.filter(usage), "model")
    problems = [{str(k): _plain(v) for k, v in row.items()} for row in traces.problems.to_dict("records")]
    said["problems"] = sorted(problems, key=lambda each: _GRAVITY.get(each["action"], 1))
    said["notes"] = list(traces.notes)
    return said


def as_text(traces: Traces) -> str:
    """Write the summary for a terminal."""
    said = summarise(traces)
    lines = [f"Traces: {_headline(said)}"]
    for label, value in _facts(said):
        lines.append(f"  {label:<9} {value}")
    lines += [f"  {theme.one_line(p['action'] or 'problem')}: {_problem(p)}" for p in said["problems"][:_SHOWN]]
    if len(said["problems"]) > _SHOWN:
        lines.append(f"  and {len(said['problems']) - _SHOWN} more in .problems")
    lines += [f"  note: {theme.one_line(note, 1000)}" for note in said["notes"]]
    return "\n".join(lines)


def as_html(traces: Traces) -> str:
    """Write the summary as HTML without scripts, styles inline."""
    said = summarise(traces)
    esc = html.escape
    rows = "".join(
        f"<tr><td style='text-align:left;padding:2px 12px 2px 0;opacity:.65;vertical-align:top'>{esc(label)}</td>"
        f"<td style='text-align:left;padding:2px 0;white-space:normal'>{esc(value)}</td></tr>"
        for label, value in _facts(said)
    )
    parts = [
        f"<div class='{theme.NO_MATH}' style='font-family:system-ui,sans-serif;font-size:13px;line-height:1.45'>",
        f"<div style='font-size:15px;font-weight:600;margin-bottom:4px'>{esc(_headline(said))}</div>",
        f"<table style='border-collapse:collapse;margin:0'><tbody>{rows}</tbody></table>",
    ]
    problems = said["problems"]
    if problems:
        wrong = [p for p in problems if p["action"] != "noted"]
        count = sum(p["count"] or 0 for p in wrong)
        items = "".join(
            f"<li><b>{esc(theme.one_line(p['action'] or 'problem'))}</b>: {esc(_problem(p))}"
            + (f"<br><code style='opacity:.65'>{esc(theme.one_line(p['example'], 120))}</code>" if p["example"] else "")
            + "</li>"
            for p in problems[:_LISTED]
        )
        if len(problems) > _LISTED:
            items += f"<li>and {len(problems) - _LISTED:,} more in <code>.problems</code></li>"
        told = f"{_number(count, 'problem')} in the load" if wrong else "No problems in the load; noted"
        summary = f"{told}: {esc(_problem(problems[0]))}"
        edge = "#d97706" if wrong else "#8a94a6"
        parts.append(
            f"<details style='margin-top:6px;padding:4px 10px;border-left:3px solid {edge}'>"
            f"<summary style='cursor:pointer'>{summary}{' …' if len(problems) > 1 else ''}</summary>"
            f"<ul style='margin:4px 0;padding-left:18px'>{items}</ul></details>"
        )
    else:
        parts.append("<div style='margin-top:6px;opacity:.65'>No problems in the load.</div>")
    if said["notes"]:
        notes = "".join(f"<li>{esc(theme.one_line(note, 1000))}</li>" for note in said["notes"])
        parts.append(
            "<details style='margin-top:4px'>"
            "<summary style='cursor:pointer;opacity:.65'>How columns were read</summary>"
            f"<ul style='margin:4px 0;padding-left:18px'>{notes}</ul></details>"
        )
    parts.append("</div>")
    return "".join(parts)


def _headline(said: dict[str, Any]) -> str:
    if not said["spans"]:
        return "no traces"
    return f"{_number(said['traces'], 'trace')}, {_number(said['spans'], 'span')}{_window(said)}"


def _window(said: dict[str, Any]) -> str:
    since, until = said["since"], said["until"] or said["since"]
    if since is None:
        return ", no times"
    form = "%Y-%m-%d %H:%M"
    same_day = since.date() == until.date()
    return f", {since:{form}} – {until:{'%H:%M' if same_day else form}} UTC"


def _facts(said: dict[str, Any]) -> list[tuple[str, str]]:
    if not said["spans"]:
        return []
    facts = [
        ("features", _list(said["features"])),
        ("models", _list(said["models"])),
        ("kinds", _list(said["kinds"])),
        ("tokens", f"{said['input_tokens']:,} in, {said['output_tokens']:,} out"),
        ("cost", _cost(said)),
        ("errors", f"{said['errors']:,} of {said['spans']:,} spans"),
    ]
    if said["sessions"] or said["users"]:
        facts.append(("who", f"{_number(said['sessions'], 'session')}, {_number(said['users'], 'user')}"))
    conventions = ", ".join(theme.one_line(name) for name in said["conventions"]) or "no known convention"
    facts.append(("from", f"{_list(said['services'])} ({conventions})".strip()))
    return [(label, value) for label, value in facts if value]


def _cost(said: dict[str, Any]) -> str:
    usd = said["cost_usd"]
    cost = "not known" if usd is None else f"${usd:,.2f}" if usd >= 1 or usd == 0 else f"${usd:.3g}"
    if said["n_unpriced"]:
        calls = _number(said["n_unpriced"], "call")
        return f"{cost}, and {calls} without a known price"
    return cost


def _list(counts: dict[str, int]) -> str:
    shown = [f"{theme.one_line(name)} ({count:,})" for name, count in list(counts.items())[:_SHOWN]]
    more = len(counts) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _problem(problem: dict[str, Any]) -> str:
    at = theme.one_line(problem["source"] or "", 200)
    if problem["line"] is not None:
        at += f":{problem['line']}"
    count = problem["count"] or 0
    reason = theme.one_line(problem["reason"] or "no reason given", 300)
    return f"{reason}{f' (×{count:,})' if count > 1 else ''}{f', {at}' if at else ''}"


def _number(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _counts(traces: Traces, spans: Any, column: str) -> dict[str, int]:
    import ibis

    counted = spans.filter(spans[column].notnull()).group_by(column).agg(n=ibis._.count())
    frame: pd.DataFrame = traces.fetch(counted.order_by([ibis.desc("n"), column]))
    return dict(zip(frame[column].tolist(), (int(n) for n in frame["n"]), strict=True))


def _plain(value: Any) -> Any:
    import pandas as pd

    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return None
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    return value.item() if hasattr(value, "item") else value
