"""Keys, tokens and passwords in a text, as spans.

The forms are those that the vendors' documentation and their secret-scanning programmes publish: AWS, GitHub, GitLab,
Slack, Stripe, Google, OpenAI, Anthropic, Hugging Face, npm, PyPI, SendGrid, Twilio, Azure, DigitalOcean, Shopify. JWT
is RFC 7519, PEM RFC 7468, and `user:password@` RFC 3986. Nothing is tried against a service.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from heapq import merge
from typing import Any, NamedTuple

from filters.pii import disjoint
from filters.pii_shapes import Found

TOKEN, ASSIGNED, DUMMY = 0.95, 0.7, 0.2
"""Scores: a vendor's form; a value with the entropy of a secret after a word such as password; a placeholder."""


class _Form(NamedTuple):
    kind: str
    starts: tuple[str, ...]
    """What such a token begins with."""
    pattern: re.Pattern[str]
    score: float = TOKEN


def _form(kind: str, starts: str, pattern: str, score: float = TOKEN) -> _Form:
    return _Form(kind, tuple(starts.split()), re.compile(rf"(?<![A-Za-z0-9_])(?:{pattern})(?![A-Za-z0-9_-])"), score)


_FORMS = (
    _form("aws_key_id", "AKIA ASIA", "A(?:KIA|SIA)[A-Z2-7]{16}"),
    _form("github_token", "ghp_ gho_ ghu_ ghs_ ghr_", "gh[pousr]_[A-Za-z0-9]{36,255}"),
    _form("github_token", "github_pat_", "github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    _form("gitlab_token", "glpat-", r"glpat-[A-Za-z0-9_-]{20,64}(?:\.[A-Za-z0-9_.]{2,32})?"),
    _form("slack_token", "xox", "xox[abeoprs](?:-[A-Za-z0-9]{4,64}){2,6}"),
    _form("slack_token", "xapp-", "xapp-[0-9]-[A-Z0-9]{8,16}-[0-9]{8,16}-[a-f0-9]{32,128}"),
    _form("slack_webhook", "hooks.slack.com/", "hooks.slack.com/(?:services|workflows)/[A-Za-z0-9/]{30,80}"),
    _form("stripe_key", "sk_live_ rk_live_", "[sr]k_live_[A-Za-z0-9]{16,247}"),
    _form("stripe_key", "sk_test_ rk_test_", "[sr]k_test_[A-Za-z0-9]{16,247}", 0.6),
    _form("stripe_webhook", "whsec_", "whsec_[A-Za-z0-9+/=]{32,64}"),
    _form("google_key", "AIza", "AIza[A-Za-z0-9_-]{35}"),
    _form("google_secret", "GOCSPX-", "GOCSPX-[A-Za-z0-9_-]{28}"),
    _form("google_token", "ya29.", r"ya29\.[A-Za-z0-9_-]{40,512}"),
    _form("anthropic_key", "sk-ant-", "sk-ant-[a-z]{2,6}[0-9]{2}-[A-Za-z0-9_-]{80,120}"),
    _form("openai_key", "sk-", "sk-(?:(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{40,200}|[A-Za-z0-9]{48})"),
    _form("huggingface_token", "hf_", "hf_[A-Za-z]{34,40}"),
    _form("npm_token", "npm_", "npm_[A-Za-z0-9]{36}"),
    _form("pypi_token", "pypi-", "pypi-AgE[A-Za-z0-9_-]{50,512}"),
    _form("sendgrid_key", "SG.", r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    _form("twilio_key", "SK", "SK[0-9a-f]{32}", 0.8),
    _form("twilio_account", "AC", "AC[0-9a-f]{32}", 0.5),
    _form("azure_storage_key", "AccountKey=", "AccountKey=[A-Za-z0-9+/]{86}=="),
    _form("digitalocean_token", "dop_v1_ doo_v1_", "do[op]_v1_[a-f0-9]{64}"),
    _form("shopify_token", "shpat_ shpss_ shpca_", "shp(?:at|ss|ca)_[a-fA-F0-9]{32}"),
)
_JWT = re.compile(r"(?<![A-Za-z0-9_-])(eyJ[A-Za-z0-9_-]{12,2000}+)\.([A-Za-z0-9_-]{2,8000}+)\.([A-Za-z0-9_-]{0,2000})")
_PEM = re.compile(r"-----BEGIN ((?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?)-----")
_PEM_MOST = 16_384
_LOGIN = re.compile(r"://([^\s/:@?#\"'<>]{0,128}):([^\s/@?#\"'<>]{1,256})@(?=[A-Za-z0-9\[])")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,24}\Z")
_AWS = re.compile(r"(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])")
_AWS_NAMES = ("aws", "AWS", "SecretAccessKey")
_VALUE = re.compile(
    r"[=:](?![=:])>?[ \t]{0,4}(?:([\"'`])([^\"'`\s]{6,256})\1|([^\s\"'`<>{}()\[\],;=:]{8,256}+={0,2})(?=[\s,;\"'<]|\Z))"
)
_NAME = re.compile(
    r"(?:pass(?:wor[dt]|wd|phrase|code)?|pwd|mot ?de ?passe|passwort|kennwort|contraseña|senha|has[lł]o|wachtwoord|"
    r"secret|(?:api|access|auth|account|private|encryption|signing|client)[_ -]?(?:key|token|secret)|api ?key|token|"
    r"credentials?)[a-z0-9]{0,4}[\"'`]?[ \t]{0,4}\Z"
)
_DUMMIES = re.compile(
    r"example|sample|dummy|placeholder|changeme|change[_-]me|redacted|your|insert|here|foobar|password|passwort|secret|"
    r"token|x{4}|\*{3}|\.{3}|0{6}|1234567|abcdefg|test(?:ing)?\b|todo|null|none|true|false|\$\{|\$\(|<|%\(|\{\{|env\b|"
    r"(.)\1{4}"
)


def spans(text: str) -> list[dict[str, Any]]:
    """Where secrets are: start, end (characters, exclusive), kind and score, 0 to 1, by place and disjoint.

    Of two that overlap the one with the higher score stays, then the longer, then the first. At most
    `filters.pii.MOST`: then none was looked for behind the last one.
    """
    readers = (
        *(_tokens(text, form, start) for form in _FORMS for start in form.starts),
        _jwts(text),
        _keys(text),
        _logins(text),
        _aws(text),
        _values(text),
    )
    return disjoint(merge(*readers, key=lambda found: found.start))


def entropy(value: str) -> float:
    """Shannon's entropy of the characters of `value`, in bits a character."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())


def _tokens(text: str, form: _Form, start: str) -> Iterator[Found]:
    at = text.find(start)
    while at >= 0:
        match = form.pattern.match(text, at)
        if match:
            yield Found(*match.span(), form.kind, DUMMY if _dummy(match[0]) else form.score)
        at = text.find(start, match.end() if match else at + len(start))


def _dummy(value: str) -> bool:
    """Whether a value stands for one: a word such as `example`, a repeated sign, or little variety."""
    secret = value.lower()
    return bool(_DUMMIES.search(secret)) or len(set(secret[-24:])) < 6


def _jwts(text: str) -> Iterator[Found]:
    for match in _JWT.finditer(text) if "eyJ" in text else ():
        header = match[1]
        try:
            fields = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
        except (ValueError, RecursionError):
            continue
        if isinstance(fields, dict) and isinstance(fields.get("alg"), str):
            yield Found(*match.span(), "jwt", 0.6 if fields["alg"].lower() == "none" else 0.9)


def _keys(text: str) -> Iterator[Found]:
    begins = list(_PEM.finditer(text)) if "-----BEGIN " in text else []
    # An end belongs to the last beginning before it.
    limits = [*(following.start() for following in begins[1:]), len(text)]
    for match, limit in zip(begins, limits, strict=False):
        close = f"-----END {match[1]}-----"
        end = text.find(close, match.end(), min(limit, match.end() + _PEM_MOST))
        body = re.sub(r"[^A-Za-z0-9+/=]", "", text[match.end() : end]) if end >= 0 else ""
        whole = len(body) >= 64 and len(set(body)) >= 16
        yield Found(
            match.start(), end + len(close) if end >= 0 else match.end(), "private_key", TOKEN if whole else DUMMY
        )


def _logins(text: str) -> Iterator[Found]:
    for match in _LOGIN.finditer(text) if "://" in text else ():
        scheme = _SCHEME.search(text, max(0, match.start() - 26), match.start())
        if scheme:
            weak = _dummy_password(match[2])
            yield Found(match.start(2), match.end(2), "url_password", DUMMY if weak else 0.8)


def _dummy_password(value: str) -> bool:
    return (
        bool(_DUMMIES.search(value.lower()))
        or value.lower() in ("pass", "pw", "pwd", "user", "admin")
        or len(value) < 4
    )


def _aws(text: str) -> Iterator[Found]:
    if not any(name in text for name in _AWS_NAMES):
        return
    for match in _AWS.finditer(text):
        before = text[max(0, match.start() - 100) : match.start()].lower()
        if ("aws" in before or "secret" in before) and entropy(match[0]) > 4:
            yield Found(*match.span(), "aws_secret_key", DUMMY if _dummy(match[0]) else 0.85)


def _values(text: str) -> Iterator[Found]:
    for match in _VALUE.finditer(text):
        part = 2 if match[2] else 3
        value = match[part]
        if not any(map(str.isdigit, value)) or "://" in value:
            continue
        others = sum(any(test(sign) for sign in value) for test in (str.islower, str.isupper, _sign))
        if others and _NAME.search(text[max(0, match.start() - 40) : match.start()].lower()):
            sure = entropy(value) >= 3 and not _dummy_password(value)
            yield Found(*match.span(part), "password", ASSIGNED if sure else DUMMY)


def _sign(letter: str) -> bool:
    return not letter.isalnum()
