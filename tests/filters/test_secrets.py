import base64
import json
import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import secrets
from filters.masking import mask

LETTERS = string.ascii_letters + string.digits


def made(size, letters=LETTERS, seed=7):
    """A value with the form of a token; made here, so that no scanner takes this file for a leak."""
    return "".join(random.Random(seed).choices(letters, k=size))


def jwt(header):
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, {"sub": "1"})
    ]
    return ".".join([*parts, made(43)])


def pem(body):
    name = "RSA PRIVATE " + "KEY"
    return f"-----BEGIN {name}-----\n{body}\n-----END {name}-----"


TOKENS = {
    "aws_key_id": "AK" + "IA" + made(16, string.ascii_uppercase + "234567"),
    "github_token": "gh" + "p_" + made(36),
    "gitlab_token": "glp" + "at-" + made(20),
    "slack_token": "xo" + "xb-" + made(12, string.digits) + "-" + made(24),
    "slack_webhook": "hooks.slack" + ".com/services/T" + made(8) + "/B" + made(8) + "/" + made(24),
    "stripe_key": "sk_" + "live_" + made(24),
    "google_key": "AI" + "za" + made(35),
    "anthropic_key": "sk-" + "ant-api03-" + made(95),
    "openai_key": "s" + "k-" + made(48),
    "huggingface_token": "h" + "f_" + made(34, string.ascii_letters),
    "npm_token": "np" + "m_" + made(36),
    "pypi_token": "py" + "pi-AgE" + made(80),
    "sendgrid_key": "S" + "G." + made(22) + "." + made(43),
    "twilio_key": "S" + "K" + made(32, "0123456789abcdef"),
    "azure_storage_key": "Account" + "Key=" + made(86) + "==",
    "digitalocean_token": "do" + "p_v1_" + made(64, "0123456789abcdef"),
    "shopify_token": "sh" + "pat_" + made(32, "0123456789abcdef"),
    "jwt": jwt({"alg": "HS256", "typ": "JWT"}),
    "private_key": pem(made(900)),
}


def found(text, least=0.5):
    return [(text[s["start"] : s["end"]], s["kind"]) for s in secrets.spans(text) if s["score"] >= least]


@pytest.mark.parametrize("kind", TOKENS)
@pytest.mark.parametrize("frame", ["{}", "see {}, and", "x = '{}'\n", "({})"])
def test_forms(kind, frame):
    assert found(frame.format(TOKENS[kind])) == [(TOKENS[kind], kind)]


@pytest.mark.parametrize("kind", sorted(set(TOKENS) - {"private_key", "jwt", "slack_webhook", "azure_storage_key"}))
def test_a_part_of_a_longer_word_is_no_token(kind):
    assert kind not in [one for _, one in found("x" + TOKENS[kind] + "_y")]


def test_secrets_beside_their_names():
    key = made(40, LETTERS + "/+")
    assert (key, "aws_secret_key") in found(f"aws_secret_access_key = {key}")
    assert found(key) == []
    value = made(15) + "7"
    for line in (f"password = {value}", f'"api_key": "{value}"', f"DB_PASSWORD={value}", f"Mot de passe : {value}"):
        assert found(line) == [(value, "password")], line
    assert found(f"label = {value}") == [] == found("password: the reader chooses one of 12 letters")


def test_passwords_in_addresses():
    value = made(13) + "7"
    assert found(f"postgres://user:{value}@db.local/x") == [(value, "url_password")]
    assert found("https://user:password@host.org/") == [] == found("https://a.org:8080/@b") == found("http://[::1]:80/")


@pytest.mark.parametrize(
    "text",
    [
        "AK" + "IAIOSFODNN7" + "EXAMPLE",
        "gh" + "p_" + "x" * 36,
        "api_key = 'your-api-key-here-1'",
        "password=${DB_PASSWORD_1}",
        "sk_" + "live_" + "1234567890" * 3,
        pem("..."),
        "-----BEGIN PRIVATE " + "KEY-----",
        "eyJhbGciOiJub3Qgan" + "Nvbg.eyJzdWIi.abc",
        "Secret: the Council's deliberations. Token: 2016/679. pass: 100. Key=2004",
    ],
)
def test_placeholders_and_prose_do_not_count(text):
    assert found(text) == []


def test_a_token_without_signature_counts_less():
    assert secrets.spans(jwt({"alg": "none"}))[0]["score"] < secrets.spans(TOKENS["jwt"])[0]["score"]
    assert secrets.spans(jwt(["alg"])) == [] == secrets.spans(jwt({"alg": 1}))


def test_entropy():
    assert secrets.entropy("aaaa") == 0 and secrets.entropy("abcd") == 2


@given(
    st.lists(st.sampled_from([*TOKENS.values(), " ", "\n", "password = ", "x", "://u:", "@h", "\ud800"]), max_size=8)
)
def test_spans_are_sorted_and_disjoint_and_nothing_is_left_after_masking(parts):
    text = " ".join(parts)
    last = 0
    for span in secrets.spans(text):
        assert last <= span["start"] < span["end"] <= len(text) and 0 < span["score"] <= 1
        last = span["end"]
    assert found(mask(text, secrets.spans(text))) == []


@pytest.mark.parametrize(
    "unit", ["=", "a=", "://", "://a:", "eyJ", ".eyJ", "sk-", "gh" + "p_", "AK" + "IA", "-----BEGIN ", "k: a1"]
)
def test_any_text_is_read(unit):
    assert found(unit * (200_000 // len(unit))) == [] == secrets.spans("")


def test_an_end_belongs_to_the_last_beginning_before_it():
    begin, key = "-----BEGIN RSA PRIVATE " + "KEY-----", pem(made(900))
    spans = secrets.spans(begin * 3 + key + key)
    assert [span["score"] for span in spans] == [0.2] * 3 + [0.95] * 2
    assert found(begin * 600 + key) == [(key, "private_key")]
    many = secrets.spans((begin * 100 + "-----END RSA PRIVATE " + "KEY-----") * 60)
    assert len(many) == 6_000 and sum(span["end"] - span["start"] > len(begin) for span in many) == 60
