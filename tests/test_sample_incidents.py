"""Each sample dump shows, to who reads it with the library, what `incidents.toml` says is in it, and its decoys."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from typing import TYPE_CHECKING, Any

import make
import orjson
import pandas as pd
import pytest
from harrowpine.advice import advice_texts
from incidents import SCENARIOS
from jsonschema import Draft202012Validator

import llmlens as ll

if TYPE_CHECKING:
    from llmlens.traces import Traces

NEW = tuple(name for name in SCENARIOS if name != "support_week")
TRUTH: dict[str, list[dict[str, Any]]] = tomllib.loads((make.HERE / make.TRUTH).read_text(encoding="utf-8"))


@cache
def dump(name: str) -> Traces:
    return ll.read(make.HERE / f"{name}.otlp.jsonl.gz")


@cache
def rows(name: str) -> pd.DataFrame:
    """The traces of a dump, with whether they began after its first incident, and their scores as columns."""
    traces = dump(name).traces
    scores = dump(name).scores.pivot_table(index="trace_id", columns="name", values="value")
    return traces.assign(after=traces["start"] >= TRUTH[name][0]["since"]).join(scores, on="trace_id")


def metadata(name: str) -> pd.DataFrame:
    spans = dump(name).spans
    root = spans[spans["depth"] == 0].set_index("trace_id")["metadata"]
    return pd.DataFrame(root.map(orjson.loads).tolist(), index=root.index)


def executed(name: str) -> pd.DataFrame:
    """The tool calls that were executed, in order, with the start of their span and the release of their trace."""
    calls = dump(name).tool_calls.dropna(subset=["span_id"])
    about = dump(name).spans[["trace_id", "span_id", "start", "release", "feature"]]
    return calls.merge(about, on=["trace_id", "span_id"]).sort_values("start", ignore_index=True)


@pytest.mark.parametrize("name", NEW)
def test_a_dump_is_read_without_a_problem(name: str) -> None:
    assert dump(name).problems.empty
    assert 1000 <= len(dump(name)) <= 2500


@pytest.mark.parametrize("name", NEW)
def test_a_dump_is_small_enough_to_ship(name: str) -> None:
    assert (make.HERE / f"{name}.otlp.jsonl.gz").stat().st_size < 2_000_000


def test_all_that_is_shipped_beside_the_week_is_small() -> None:
    assert sum((make.HERE / f"{name}.otlp.jsonl.gz").stat().st_size for name in NEW) < 6_000_000


@pytest.mark.parametrize("name", NEW)
def test_traffic_fills_the_days_of_the_scenario_and_no_other(name: str) -> None:
    days = rows(name)["start"].dt.date
    assert days.nunique() == SCENARIOS[name].days
    assert days.min() == SCENARIOS[name].start.date()


@pytest.mark.parametrize("name", NEW)
def test_every_answered_call_of_a_hosted_model_has_a_price_at_its_date(name: str) -> None:
    spans = dump(name).spans
    answered = spans[spans["kind"].isin(["llm", "embedding"]) & spans["input_tokens"].notna()]
    assert (answered["cost_source"] == "priced").all()
    assert len(answered) > 0.95 * spans["kind"].isin(["llm", "embedding"]).sum()


@pytest.mark.parametrize("name", NEW)
def test_children_lie_within_their_parents(name: str) -> None:
    spans = dump(name).spans
    both = spans.merge(
        spans, left_on=["trace_id", "parent_id"], right_on=["trace_id", "span_id"], suffixes=("", "_parent")
    )
    assert len(both) == (spans["depth"] > 0).sum()
    assert ((both["start_parent"] <= both["start"]) & (both["end"] <= both["end_parent"])).all()


@pytest.mark.parametrize("name", NEW)
def test_no_slot_of_a_text_is_left_open_and_addresses_are_nobodys(name: str) -> None:
    texts = rows(name)["input"] + rows(name)["output"]
    assert not texts.str.contains(r"[{}]").any()
    content = make.make_one(name)[f"{name}.otlp.jsonl.gz"].decode()
    assert set(re.findall(r"[a-z]@([a-z.]+[a-z])", content)) <= {"example.com"}


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_truth_is_in_the_dump_in_no_word(name: str) -> None:
    content = make.make_one(name)[f"{name}.otlp.jsonl.gz"].decode()
    for incident in TRUTH[name]:
        assert incident["what"] not in content
        assert all(decoy["what"] not in content for decoy in incident.get("decoys", []))
    assert "decoy" not in content


@pytest.mark.parametrize("name", SCENARIOS)
def test_incidents_and_decoys_begin_within_the_dump(name: str) -> None:
    first, last = dump(name).traces["start"].agg(["min", "max"])
    for incident in TRUTH[name]:
        times = [incident["since"], *(d["since"] for d in incident.get("decoys", []) if "since" in d)]
        assert all(first.floor("D") <= t < last for t in times)


# model_change


def bulleted(texts: pd.Series[str]) -> pd.Series[bool]:
    return texts.str.contains(r"(?:^|\n)- ")


def test_the_changed_model_answers_shorter_and_in_bullets_in_one_feature_only() -> None:
    traces = rows("model_change").assign(length=lambda t: t["output"].str.len(), listed=lambda t: bulleted(t["output"]))
    mean = traces.pivot_table(index="feature", columns="after", values=["length", "listed"])
    changed = TRUTH["model_change"][0]["slice"]["feature"]
    ratio = mean["length", True] / mean["length", False]
    assert ratio[changed] < 0.75
    assert (ratio.drop([changed, "small_talk"]) - 1).abs().max() < 0.15
    assert mean.loc[changed, ("listed", False)] == 0
    assert 0.75 < mean.loc[changed, ("listed", True)] < 0.95
    assert mean["listed", True].drop(changed).max() == 0


def test_refusals_rise_in_that_feature() -> None:
    traces = rows("model_change")
    refused = traces["output"].str.contains(
        "can't make a specific|not able to recommend|can't help with choosing|keine konkrete|keine Empfehlung"
        "|recommander de produit|no puedo recomendar"
    )
    changed = traces["feature"] == "product_search"
    assert not refused[~changed].any()
    assert refused[changed & ~traces["after"]].mean() <= 0.01
    assert 0.03 < refused[changed & traces["after"]].mean() < 0.1


def test_the_alias_stays_and_half_of_the_answers_tell_the_new_name() -> None:
    truth, spans = TRUTH["model_change"][0], dump("model_change").spans
    calls = spans[(spans["feature"] == "product_search") & (spans["kind"] == "llm") & spans["output_tokens"].notna()]
    assert set(calls["request_model"]) == {truth["request_model"]}
    after = calls["start"] >= truth["since"]
    assert set(calls.loc[~after, "model"]) == {truth["request_model"]}
    assert (calls.loc[after, "model"] == truth["new_model"]).mean() == pytest.approx(truth["new_model_share"], abs=0.08)
    assert truth["new_model"] not in set(spans.loc[spans["feature"] != "product_search", "model"])


def test_the_judge_notices_a_little() -> None:
    helpful = rows("model_change").pivot_table(index="feature", columns="after", values="helpfulness")
    fall = helpful[False] - helpful[True]
    assert 0.01 < fall["product_search"] < 0.1
    assert fall[["order_status", "product_qa"]].abs().max() < 0.03


def test_the_mix_moves_pooled_lengths_where_no_feature_moves() -> None:
    traces = rows("model_change").assign(length=lambda t: t["output"].str.len())
    others = traces[traces["feature"] != "product_search"]
    pooled = others.groupby("after")["length"].mean()
    assert pooled[True] / pooled[False] < 0.9
    mean = others.pivot_table(index="feature", columns="after", values="length")
    shares = others.loc[~others["after"], "feature"].value_counts(normalize=True)
    assert (mean[True] * shares).sum() / (mean[False] * shares).sum() == pytest.approx(1, abs=0.06)


# stale_index


@cache
def retrieved() -> pd.DataFrame:
    documents, spans = dump("stale_index").documents, dump("stale_index").spans
    kinds = spans[["trace_id", "span_id", "kind", "feature"]]
    found = documents.merge(kinds, on=["trace_id", "span_id"])
    found = found[(found["kind"] == "retriever") & (found["feature"] == "returns_policy")]
    found = found.merge(rows("stale_index")[["trace_id", "start", "after"]], on="trace_id")
    found["topic"] = found["metadata"].map(lambda m: orjson.loads(m)["topic"])
    found["age"] = (found["start"] - found["updated_at"]).dt.days
    return found


def test_documents_carry_id_score_date_and_content() -> None:
    assert retrieved()[["document_id", "score", "updated_at", "content"]].notna().all(axis=None)
    assert retrieved()["age"].min() >= 0


def test_one_area_is_old_since_the_rebuild_and_the_others_stay_fresh() -> None:
    age = retrieved().pivot_table(index="topic", columns="after", values="age", aggfunc=["min", "max"])
    area = TRUTH["stale_index"][0]["slice"]["topic"]
    assert age["max", False][area] <= 45
    assert age["min", True][area] > 600
    assert age.drop(area).max(axis=None) <= 45


def test_newer_articles_vanish_and_deleted_ones_come_back() -> None:
    truth = TRUTH["stale_index"][0]
    before, after = (set(retrieved().loc[retrieved()["after"] == since, "document_id"]) for since in (False, True))
    assert set(truth["vanished"]) <= before
    assert not set(truth["vanished"]) & after
    assert not set(truth["reappeared"]) & before
    assert set(truth["reappeared"]) | set(truth["outdated"]) <= after


def test_top_scores_fall_in_that_area_only() -> None:
    best = retrieved()[retrieved()["rank"] == 1]
    top = best.pivot_table(index="topic", columns="after", values="score")
    fall = top[False] - top[True]
    assert fall["returns"] > 0.1
    assert fall.drop("returns").abs().max() < 0.03


def test_answers_tell_the_old_rules() -> None:
    traces = rows("stale_index")
    old = traces["output"].str.contains("|".join(map(re.escape, TRUTH["stale_index"][0]["outdated_answers"])))
    assert not old[~traces["after"]].any()
    assert old[traces["after"] & (traces["feature"] == "returns_policy")].mean() > 0.15
    assert not old[traces["feature"] != "returns_policy"].any()


def test_customers_notice_more_than_the_judge() -> None:
    answered = rows("stale_index")[rows("stale_index")["feature"] == "returns_policy"]
    thumbs, helpful = (answered.groupby("after")[name].mean() for name in ("thumbs", "helpfulness"))
    assert thumbs[False] - thumbs[True] > 0.2
    assert 0 < helpful[False] - helpful[True] < 0.12
    doubts = answered["input"].str.contains(
        r"[Aa]re you sure|not what it says|can't be right|something different|current rules|the opposite|Since when"
        r"|Sicher\?|Bestellbestätigung|kann nicht stimmen|Vous êtes sûr|Ce n'est pas ce qui|Seguro|distinto"
    )
    assert doubts[~answered["after"]].sum() == 0
    assert doubts[answered["after"]].mean() > 0.1


# agent_loop


def repeats(calls: pd.DataFrame) -> pd.Series[int]:
    """How often the most frequent call, tool and arguments alike, comes in each trace."""
    return calls.groupby(["trace_id", "tool", "arguments"]).size().groupby("trace_id").max()


def test_identical_calls_repeat_since_the_release() -> None:
    calls = executed("agent_loop")
    tool = calls[calls["tool"] == "check_stock"]
    new = tool["release"] == "5.2.0"
    assert repeats(tool[~new]).max() <= 1
    assert (repeats(tool[new]) >= 3).mean() > 0.15
    assert tool.loc[new, "start"].min() >= TRUTH["agent_loop"][0]["since"]


def test_near_identical_calls_and_cycles_of_tools_and_agents_are_there() -> None:
    calls = executed("agent_loop")
    loops = calls[calls["release"] == "5.2.0"].groupby("trace_id")
    sequences = loops["tool"].agg(",".join)
    assert sequences.str.contains("check_stock,find_stores,check_stock,find_stores").sum() >= 5
    stores = calls[calls["tool"] == "check_stock"].groupby("trace_id")["arguments"].nunique()
    assert (stores >= 4).sum() >= 5
    traces = rows("agent_loop")
    assert (traces.loc[traces["release"] == "5.2.0", "max_depth"] > 8).sum() >= 3
    assert traces.loc[traces["release"] != "5.2.0", "max_depth"].max() <= 4


def test_a_pending_reservation_is_rightly_asked_for_again() -> None:
    polls = executed("agent_loop").query("tool == 'reservation_status'")
    again = polls[polls.duplicated(["trace_id", "arguments"], keep=False)]
    assert again["release"].nunique() == 2
    assert repeats(polls).max() == 2
    assert (again.groupby("trace_id")["result"].nunique() == 2).all()


@cache
def definitions() -> dict[str, dict[str, Any]]:
    """The tools that each trace was given, by trace and name."""
    spans, contents = dump("agent_loop").spans, dump("agent_loop").contents
    calls = spans[(spans["feature"] == "kit_planner") & (spans["kind"] == "llm")][["trace_id", "span_id"]]
    found: dict[str, dict[str, Any]] = {}
    for row in calls.merge(contents, on=["trace_id", "span_id"]).itertuples():
        tools = orjson.loads(orjson.loads(str(row.attributes))["gen_ai.tool.definitions"])
        found.setdefault(str(row.trace_id), {}).update({tool["name"]: tool for tool in tools})
    return found


def test_only_the_changed_tool_gets_arguments_that_break_its_schema() -> None:
    broken = []
    for call in executed("agent_loop").query("feature == 'kit_planner'").itertuples():
        tool = definitions()[str(call.trace_id)].get(str(call.tool))
        if tool and not Draft202012Validator(tool["parameters"]).is_valid(orjson.loads(str(call.arguments))):
            broken.append((call.tool, call.release))
    assert set(broken) == {("check_stock", "5.2.0")}
    assert len(broken) > 200


def test_a_tool_that_does_not_exist_is_called() -> None:
    unknown = [
        call.tool
        for call in executed("agent_loop").query("feature == 'kit_planner'").itertuples()
        if call.tool not in definitions()[str(call.trace_id)]
    ]
    assert set(unknown) == {TRUTH["agent_loop"][0]["unknown_tool"]}
    assert len(unknown) >= 5


def test_the_context_grows_step_by_step_to_the_window() -> None:
    spans = dump("agent_loop").spans
    calls = spans[(spans["model"] == "claude-haiku-4-5-20251001") & spans["input_tokens"].notna()].sort_values("start")
    steps = calls.groupby("trace_id")["input_tokens"]
    window = TRUTH["agent_loop"][0]["window"]
    assert 0.9 * window < calls["input_tokens"].max() < window
    longest = calls[calls["trace_id"] == steps.max().idxmax()]["input_tokens"]
    assert (longest.diff().dropna() > 0).mean() > 0.8
    overflown = spans[spans["error_type"] == "BadRequestError"]
    assert 1 <= overflown["trace_id"].nunique() <= 10
    assert overflown["status_message"].str.contains("prompt is too long").all()


def test_two_tools_fail_three_times_in_five_minutes() -> None:
    calls = executed("agent_loop")
    failed = calls[calls["status"] == "error"]
    third = failed.groupby(["trace_id", "tool"])["start"].agg(lambda s: (s.shift(-2) - s).min())
    tools = set(third[third < pd.Timedelta(minutes=5)].index.get_level_values("tool"))
    assert tools == {"check_stock", "get_weather"}
    weather = failed[failed["tool"] == "get_weather"]["start"]
    assert weather.between(TRUTH["agent_loop"][1]["since"], TRUTH["agent_loop"][1]["until"]).all()
    silent = calls["result"].str.contains('"error"') & (calls["status"] != "error")
    assert silent.sum() > 50


def test_most_of_the_money_goes_into_the_loops() -> None:
    kits = rows("agent_loop").query("feature == 'kit_planner'")
    mean = kits.groupby(kits["release"] == "5.2.0")["cost_usd"].mean()
    assert mean[True] > 5 * mean[False]
    tried = executed("agent_loop").query("tool == 'check_stock' and release == '5.2.0'")["trace_id"].value_counts()
    looping = kits["trace_id"].isin(tried.index[tried >= 3])
    assert looping.mean() < 0.25
    assert kits.loc[looping, "cost_usd"].sum() > 0.6 * kits["cost_usd"].sum()


# budget_overrun


def daily(feature: str) -> pd.Series[float]:
    traces = rows("budget_overrun")
    traces = traces[traces["feature"] == feature]
    return traces.groupby(traces["start"].dt.day)["cost_usd"].sum()


def test_the_month_passes_its_budget_in_the_last_week() -> None:
    traces = rows("budget_overrun")
    spent = traces.groupby(traces["start"].dt.day)["cost_usd"].sum().cumsum()
    budget = TRUTH["budget_overrun"][0]["monthly_usd"]
    assert 22 <= (spent >= budget).idxmax() <= 26
    assert spent[7] * 4 < 0.8 * budget


def test_weekdays_are_busy_and_weekends_quiet() -> None:
    days = rows("budget_overrun")["start"].dt.day_of_week.value_counts()
    assert days[[5, 6]].max() < 0.75 * days[[0, 1, 2, 3, 4]].min()


def test_the_new_prompt_spreads_and_is_never_cached() -> None:
    spans = dump("budget_overrun").spans
    calls = spans[(spans["feature"] == "refunds") & (spans["kind"] == "llm") & spans["input_tokens"].notna()]
    new = calls["prompt_version"] == "22"
    assert calls.loc[new, "cache_read_tokens"].fillna(0).sum() == 0
    old = calls[~new]
    assert old["cache_read_tokens"].sum() / old["input_tokens"].sum() > 0.4
    assert calls.loc[new, "input_tokens"].mean() > 1.6 * old["input_tokens"].mean()
    share = new.groupby((calls["start"].dt.day - 1) // 7).mean()
    assert share[0] == 0
    assert share.is_monotonic_increasing
    assert share[3] > 0.85
    other = calls["release"] == "4.10.0"
    assert not new[other].all()  # the release comes to everybody at once


def test_one_day_of_one_feature_stands_out() -> None:
    costs = daily("gear_advice")
    day = TRUTH["budget_overrun"][1]["since"].day
    same_weekday = costs[[day - 14, day - 7, day + 7]]
    assert costs[day] > 1.4 * same_weekday.mean()
    assert costs[day] == costs.max()


def test_nearly_a_third_of_the_advice_was_asked_for_before() -> None:
    examples = [(set(re.findall(r"\w+", e["text"].lower())), e["text"]) for e in advice_texts()["popular"]]

    def meant(question: str) -> str:
        words = set(re.findall(r"\w+", question.lower()))
        likeness, text = max((len(words & of) / len(words | of), text) for of, text in examples)
        return text if likeness > 0.6 else question

    questions = rows("budget_overrun").query("feature == 'gear_advice'").sort_values("start")["input"]
    assert questions.map(meant).duplicated().mean() == pytest.approx(TRUTH["budget_overrun"][2]["share"], abs=0.005)
    assert 0.1 < questions.duplicated().mean() < 0.2


def test_a_few_users_write_much_more_than_the_others() -> None:
    users = rows("budget_overrun")["user_id"].value_counts(normalize=True)
    assert users.head(4).sum() > 0.2
    assert users.iloc[4] < 0.02
    assert len(users) > 300


def test_goals_thumbs_and_regenerations_are_told() -> None:
    traces = rows("budget_overrun")
    assert set(traces["resolved"].dropna()) == {0.0, 1.0}
    assert traces["resolved"].notna().mean() > 0.6
    assert traces["thumbs"].notna().sum() > 80
    again = traces.sort_values("start").duplicated(["session_id", "feature", "input"])
    assert 10 <= (again & (traces["feature"] != "gear_advice")).sum() <= 80
