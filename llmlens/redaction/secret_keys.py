"""Secrets that say what they are by how they begin, as their issuers document it."""

from __future__ import annotations

import re

from .pattern import Pattern

_END = rb"(?![0-9A-Za-z_-])"
_RUN = re.compile(rb"[0-9A-Za-z]+")


def is_random(value: bytes) -> bool:
    """Tell a key from words with hyphens: some long piece of it has letters and digits."""
    return any(
        len(run) >= 16 and any(48 <= byte <= 57 for byte in run) and not run.isdigit() for run in _RUN.findall(value)
    )


def _key(kind: str, begins: str | tuple[str, ...], rest: str, example: str, *, random: bool = False) -> Pattern:
    """Make the pattern of a key: how it begins, what follows."""
    anchors = tuple(each.encode() for each in ((begins,) if isinstance(begins, str) else begins))
    either = b"|".join(re.escape(anchor) for anchor in anchors)
    regex = re.compile(rb"(?:" + either + rb")" + rest.encode())
    shown = anchors[0].decode() + example
    return Pattern(kind, regex, shown, anchors, check=is_random) if random else Pattern(kind, regex, shown, anchors)


_A = "a1B2c3D4"  # what examples are made of; none is a key
_HEX = "0a1b2c3d"
_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_PRIVATE_KEY = Pattern(
    "PRIVATE_KEY",
    re.compile(
        rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----"
        rb"(?:[^\x00]{0,20000}?-----END [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----"
        rb"|[0-9A-Za-z+/=\s\x01\\:,-]*[0-9A-Za-z+/=])"
    ),
    "-----BEGIN PRIVATE KEY-----\nMIIB" + _A * 4 + "\n-----END PRIVATE KEY-----",
    anchors=(b"-----BEGIN",),
)
#: The first that fits is taken, so the special before the general.
SECRET_KEYS: tuple[Pattern, ...] = (
    _key("ANTHROPIC_KEY", "sk-ant-", r"[\w-]{16,}", "api03-" + _A * 10),
    _key("OPENROUTER_KEY", "sk-or-", r"[\w-]{32,}", "v1-" + _HEX * 8),
    _key("LANGFUSE_KEY", ("sk-lf-", "pk-lf-"), rf"(?:{_UUID}|[\w-]{{16,}})", "0a1b2c3d-0a1b-2c3d-0a1b-0a1b2c3d4e5f"),
    _key("OPENAI_KEY", ("sk-proj-", "sk-svcacct-", "sk-admin-", "sk-service-"), r"[\w-]{20,}", _A * 8),
    _key("OPENAI_KEY", "sk-", r"[\w-]{20,}", _A * 6, random=True),
    _key("STRIPE_KEY", ("sk_live_", "sk_test_", "rk_live_", "rk_test_", "pk_live_", "pk_test_"),
         r"[0-9A-Za-z]{16,}", _A * 3),
    _key("STRIPE_KEY", "whsec_", r"[0-9A-Za-z+/=]{24,}", _A * 4),
    _key("AWS_KEY", ("AKIA", "ASIA", "ABIA", "ACCA"), r"[A-Z0-9]{16}(?![0-9A-Za-z])", "A2B3C4D5" * 2),
    _key("GITHUB_TOKEN", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"[0-9A-Za-z]{30,255}", _A * 4 + "a1B2"),
    _key("GITHUB_TOKEN", "github_pat_", r"\w{40,255}", _A * 2 + "a1B2c3_" + _A * 7),
    _key("GITLAB_TOKEN", ("glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "glsoat-", "glimt-", "glagent-", "glft-"),
         r"[\w.-]{20,}", _A * 2 + "a1B2"),
    _key("GOOGLE_KEY", "AIza", r"[\w-]{35}" + _END.decode(), "Sy" + _A * 4 + "b"),
    _key("GOOGLE_KEY", "GOCSPX-", r"[\w-]{28}", _A * 3 + "a1B2"),
    _key("GOOGLE_KEY", "ya29.", r"[\w.-]{20,}", _A * 5),
    _key("SLACK_TOKEN", ("xoxb-", "xoxp-", "xoxa-", "xoxe-", "xoxe.", "xoxo-", "xoxr-", "xoxs-", "xoxc-", "xoxd-"),
         r"[0-9A-Za-z%.-]{10,}", "123456789012-" + _A * 3),
    _key("SLACK_TOKEN", "xapp-", r"[0-9]-[0-9A-Z]+-[0-9]+-[0-9a-f]{16,}", "1-A1B2C3-123456-" + _HEX * 3),
    _key("WEBHOOK", "hooks.slack.com/", r"(?:services|workflows|triggers)/[0-9A-Za-z/_]{20,}",
         "services/T0A1B2C3/B0A1B2C3/" + _A * 3),
    _key("WEBHOOK", ("discord.com/api/webhooks/", "discordapp.com/api/webhooks/"), r"[0-9]{16,20}/[\w-]{40,}",
         "123456789012345678/" + _A * 8),
    _key("HUGGINGFACE_TOKEN", ("hf_", "api_org_"), r"[0-9A-Za-z]{30,}", _A * 4 + "ab"),
    _key("NPM_TOKEN", "npm_", r"[0-9A-Za-z]{36}", _A * 4 + "a1B2"),
    _key("PYPI_TOKEN", "pypi-", r"[\w-]{50,}", "AgEIcHlwaS5vcmc" + _A * 6),
    _key("SENDGRID_KEY", "SG.", r"[\w-]{16,}\.[\w-]{16,}", _A * 2 + "a1B2c3." + _A * 5 + "a1B"),
    _key("MAILGUN_KEY", "key-", r"[0-9a-f]{32}" + _END.decode(), _HEX * 4),
    _key("TWILIO_KEY", tuple(f"SK{digit}" for digit in "0123456789abcdef"),
         r"[0-9a-f]{31}" + _END.decode(), _HEX[1:] + _HEX * 3),
    _key("GROQ_KEY", "gsk_", r"[0-9A-Za-z]{40,}", _A * 6 + "a1B2"),
    _key("XAI_KEY", "xai-", r"[0-9A-Za-z]{40,}", _A * 10),
    _key("PERPLEXITY_KEY", "pplx-", r"[0-9A-Za-z]{40,}", _A * 6),
    _key("REPLICATE_TOKEN", "r8_", r"[0-9A-Za-z]{30,}", _A * 4 + "a1B2c"),
    _key("LANGSMITH_KEY", ("lsv2_pt_", "lsv2_sk_"), r"[0-9a-f]{32}_[0-9a-f]{10}", _HEX * 4 + "_0a1b2c3d4e"),
    _key("LANGSMITH_KEY", "ls__", r"[0-9a-f]{32}", _HEX * 4),
    _key("TAVILY_KEY", "tvly-", r"[\w-]{20,}", "dev-" + _A * 3, random=True),
    _key("NVIDIA_KEY", "nvapi-", r"[\w-]{40,}", _A * 8),
    _key("PINECONE_KEY", "pcsk_", r"\w{40,}", _A * 8),
    _key("FIREWORKS_KEY", "fw_", r"[0-9A-Za-z]{20,}" + _END.decode(), _A * 3, random=True),
    _key("DATABRICKS_TOKEN", "dapi", r"[0-9a-f]{32}(?:-[0-9])?" + _END.decode(), _HEX * 4),
    _key("DIGITALOCEAN_TOKEN", ("dop_v1_", "doo_v1_", "dor_v1_"), r"[0-9a-f]{64}", _HEX * 8),
    _key("SHOPIFY_TOKEN", ("shpat_", "shpca_", "shppa_", "shpss_"), r"[0-9a-fA-F]{32}", _HEX * 4),
    _key("GRAFANA_TOKEN", "glsa_", r"[0-9A-Za-z]{32}_[0-9a-fA-F]{8}", _A * 4 + "_" + _HEX),
    _key("GRAFANA_TOKEN", "glc_", r"[0-9A-Za-z+/]{32,}=*", _A * 5),
    _key("POSTHOG_KEY", ("phc_", "phx_"), r"[0-9A-Za-z]{40,}", _A * 5 + "a1B"),
    _key("ATLASSIAN_TOKEN", ("ATATT3", "ATCTT3", "ATBB"), r"[\w=-]{24,}", _A * 8),
    _key("LINEAR_KEY", "lin_api_", r"[0-9A-Za-z]{40}", _A * 5),
    _key("FIGMA_TOKEN", "figd_", r"[\w-]{40}", _A * 5),
    _key("NOTION_TOKEN", ("ntn_", "secret_"), r"[0-9A-Za-z]{40,}", _A * 6),
    _key("SENTRY_TOKEN", ("sntrys_", "sntryu_"), r"[\w+/=]{40,}", _A * 8),
    _key("POSTMAN_KEY", "PMAK-", r"[0-9a-f]{24}-[0-9a-f]{34}", _HEX * 3 + "-" + _HEX * 4 + "0a"),
    _key("NEWRELIC_KEY", ("NRAK-", "NRJS-"), r"[0-9A-Z]{19,}", "A1B2C3D4" * 3 + "A1B"),
    _key("DOCKER_TOKEN", ("dckr_pat_", "dckr_oat_"), r"[\w-]{27,}", _A * 3 + "a1B"),
    _key("VAULT_TOKEN", ("hvs.", "hvb.", "hvr."), r"[\w-]{24,}", _A * 4),
    _key("SUPABASE_KEY", ("sbp_", "sb_secret_"), r"[\w]{20,}", _HEX * 5),
    _key("SQUARE_TOKEN", ("sq0atp-", "sq0csp-", "EAAA"), r"[\w-]{22,}", _A * 3, random=True),
    _key("AGE_KEY", "AGE-SECRET-KEY-1", r"[0-9A-Z]{58}", "A2C3D4E5" * 7 + "QP"),
    _key("JWT", "eyJ", r"[\w-]{8,}\.eyJ[\w-]{8,}(?:\.[\w-]*)?", "hbGciOiJub25lIn0.eyJzdWIiOiIxMjM0In0." + _A * 4),
    _key("JWT", "eyJ", r"[\w-]{16,}\.[\w-]*\.[\w-]{16,}\.[\w-]{16,}\.[\w-]{16,}",
         "hbGciOiJSU0EtT0FFUCJ9." + ".".join([_A * 3] * 4)),
    _PRIVATE_KEY,
)  # fmt: skip

TELEGRAM_TOKEN = Pattern(
    "TELEGRAM_TOKEN",
    re.compile(rb"[0-9]{8,10}:[\w-]{35}" + _END),
    "123456789:" + _A * 4 + "a1B",
    openings=("99999999",),
)
