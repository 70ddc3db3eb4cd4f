"""Features about orders: where they are, and giving money back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .conversation import Conversation, Outcome, as_json, ask_for, fill, money, use_tool
from .models import call_model
from .texts import phrases
from .tracing import Message, ModelCall, ToolCall, Tracer

if TYPE_CHECKING:
    from random import Random


RETURN_FEES = {"eu-west": 3.5, "us": 9.0}
#: Of the calls of a broken tool, the share whose span says that it failed.
ADMITTED_SHARE = 0.45


def ask_order_status(rng: Random, talk: Conversation) -> tuple[str, None]:
    """Write a question about an order."""
    questions = phrases()["order_status"]["questions"][talk.customer.language]
    return fill(rng, rng.choice(questions), talk), None


def order_status(tracer: Tracer, talk: Conversation, question: str, _: None) -> Outcome:
    """Look the order up with a tool and answer."""
    prompt, order = tracer.prompt("order_status"), talk.order
    messages = [Message("system", prompt.text), *talk.history[-4:], Message("user", question)]
    wanted = ask_for(tracer.rng, prompt.model, "get_order", order=order.number)
    call_model(tracer, prompt, messages, wanted, cache=talk.cache, prefix=prompt.text)
    found = {
        "order": order.number,
        "status": order.state,
        "carrier": order.carrier,
        "last_scan": {"hub": order.hub, "days_ago": order.days % 3},
        "estimated_delivery": order.eta.isoformat(),
        "items": [
            {"sku": order.product.sku, "name": order.product.name, "quantity": 1, "price": money(order.product.price)}
        ],
        "customer": {"name": talk.customer.name, "email": talk.customer.email, "country": talk.customer.country.code},
    }
    messages += [wanted, use_tool(tracer, wanted.calls[0], found, 95)]
    answers = phrases()["order_status"]["answers"][talk.customer.language][order.state]
    answer = fill(tracer.rng, tracer.rng.choice(answers), talk)
    call_model(tracer, prompt, messages, Message("assistant", answer), cache=talk.cache, prefix=prompt.text)
    return Outcome(answer, 0.78 if order.state == "delayed" else 0.88)


def ask_refund(rng: Random, talk: Conversation) -> tuple[str, str]:
    """Write a request for a refund, and give its reason."""
    words, language = phrases()["refunds"], talk.customer.language
    reason = rng.choice(("damaged", "faulty", "wrong_item", "wrong_size", "changed_mind", "late"))
    template = rng.choice(words["questions"][language])
    return fill(rng, template, talk, problem=words["problems"][language][reason]), reason


def refunds(tracer: Tracer, talk: Conversation, question: str, reason: str) -> Outcome:
    """Let the refund agent look up the order, check the policy and pay."""
    with tracer.span("agent", "invoke_agent refund_agent", input=question) as agent:
        outcome = _refund_agent(tracer, talk, question, reason)
        agent.output = outcome.answer
        calls = [span.model for span in tracer.finished if span.parent_id == agent.span_id and span.model]
        agent.model = ModelCall(  # as agent frameworks do: the agent repeats the usage of its model calls
            provider=calls[0].provider,
            request_model=calls[0].request_model,
            input_tokens=sum(call.input_tokens or 0 for call in calls),
            output_tokens=sum(call.output_tokens or 0 for call in calls),
        )
    return outcome


def _refund_agent(tracer: Tracer, talk: Conversation, question: str, reason: str) -> Outcome:
    rng, order, country = tracer.rng, talk.order, talk.customer.country
    prompt, language = tracer.prompt("refunds"), talk.customer.language
    words = phrases()["refunds"]
    messages = [Message("system", prompt.text), *talk.history[-2:], Message("user", question)]

    def think(reply: Message) -> Message:
        prompt = tracer.prompt("refunds")  # of this call: it may tell the time
        messages[0] = Message("system", prompt.text)
        call_model(tracer, prompt, messages, reply, cache=talk.cache, prefix=prompt.text)
        messages.append(reply)
        return reply

    def use(name: str, result: object, median_ms: float, **arguments: Any) -> None:
        wanted = think(ask_for(rng, prompt.model, name, **arguments))
        messages.append(use_tool(tracer, wanted.calls[0], result, median_ms))

    price = money(order.product.price)
    found = {
        "order": order.number,
        "items": [
            {"sku": order.product.sku, "name": order.product.name, "paid": price, "currency": country.currency},
        ],
        "delivered_days_ago": order.days if order.refundable else order.days + 31,
        "paid_with": "card",
        "customer": {"name": talk.customer.name, "email": talk.customer.email},
    }
    use("lookup_order", found, 110, order=order.number)

    asked = {"order": order.number, "region": country.region, "reason": reason}
    if tracer.scenario.tool_is_down(tracer, "check_refund_policy"):
        for _ in range(rng.choices((3, 4, 5, 6), (4, 3, 2, 1))[0]):
            wanted = think(ask_for(rng, prompt.model, "check_refund_policy", **asked))
            messages.append(_broken_policy(tracer, wanted.calls[0], country.region))
        answer = fill(rng, rng.choice(words["answers"][language]["unchecked"]), talk)
        think(Message("assistant", answer))
        return Outcome(answer, 0.3)

    verdict = "approved" if order.refundable else "declined"
    fee = RETURN_FEES.get(country.region, 0.0) if reason in ("wrong_size", "changed_mind") else 0.0
    amount = money(order.product.price - fee)
    policy = {
        "eligible": order.refundable,
        "window_days": 30,
        "reason": reason,
        "return_fee": money(fee),
        "amount": amount,
    }
    use("check_refund_policy", policy, 180, **asked)
    reference = f"RF-{rng.randrange(100_000, 1_000_000)}"
    if order.refundable:
        use(
            "issue_refund",
            {"refund": reference, "state": "accepted"},
            320,
            order=order.number,
            amount=amount,
            reason=reason,
        )
    explained = words["policies"][language][verdict]
    template = rng.choice(words["answers"][language][verdict])
    answer = fill(rng, template, talk, amount=amount, refund=reference, policy=explained)
    think(Message("assistant", answer))
    return Outcome(answer, 0.9 if order.refundable else 0.72)


def _broken_policy(tracer: Tracer, call: ToolCall, region: str) -> Message:
    """Fail to check the policy: in part of the cases the span says so, in the others only its result does."""
    with tracer.span("tool", f"execute_tool {call.name}", tool=call) as span:
        if tracer.rng.random() < ADMITTED_SHARE:
            tracer.wait(5_000_000)
            span.fail("TimeoutError", f"policy-service {region}: deadline of 5.0 s exceeded")
            span.output = as_json({"error": "timeout"})
        else:
            tracer.wait_about(1900)
            span.output = as_json({"eligible": None, "error": "upstream_unavailable", "policy": None})
    return Message("tool", span.output, call_id=call.id)
