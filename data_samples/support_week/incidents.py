"""What goes wrong in the week, and since when. Everything else stays as it was."""

from __future__ import annotations

from datetime import UTC, datetime

WEEK = datetime(2026, 11, 2, tzinfo=UTC)  # a Monday


def _since_monday_us(day: int, hour: int, minute: int) -> int:
    return ((day * 24 + hour) * 60 + minute) * 60_000_000


#: Thursday: a release changes the prompt of `product_qa`, which now carries the whole web page.
RELEASE_US = _since_monday_us(3, 10, 40)
#: Friday: the refund policy service stops answering for one region.
OUTAGE_US = _since_monday_us(4, 8, 15)
OUTAGE_REGION = "eu-central"
#: Share of the calls for that region that fail, and of those the share that the span admits to.
OUTAGE_SHARE = 0.9
ADMITTED_SHARE = 0.45


def release(time_us: int) -> str:
    """Give the version of the application that runs at `time_us` (microseconds since Monday 00:00 UTC)."""
    return "4.3.0" if time_us >= RELEASE_US else "4.2.0"


def pastes_whole_page(time_us: int) -> bool:
    """Tell whether `product_qa` pastes the whole web page at `time_us`."""
    return time_us >= RELEASE_US


def policy_is_down(time_us: int, region: str) -> bool:
    """Tell whether `check_refund_policy` is broken for `region` at `time_us`."""
    return time_us >= OUTAGE_US and region == OUTAGE_REGION
