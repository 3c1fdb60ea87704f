import base64
import hashlib
import re

import pytest

from fankeep.gateway.pages import render_page
from fankeep.policy.errors import PAGE_TEXTS

NASTY = "<script>alert(1)</script>\"'"


def connect(**changes):
    values = {
        "app": "app.example",
        "third_party_apps": "https://www.fanvue.com/settings",
        "return_to": "/",
        "notice": None,
        "scopes": [],
        "upkeep": "",
    }
    return render_page("connect.html", **{**values, **changes}).body.decode()


@pytest.mark.parametrize("name", ["app", "return_to", "notice", "upkeep", "third_party_apps"])
def test_every_value_on_a_page_is_escaped(name):
    html = connect(**{name: NASTY})
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_the_style_on_a_page_is_the_one_that_its_policy_allows():
    response = render_page("message.html", text=PAGE_TEXTS["not_found"], reference="r")
    style = re.search(r"<style>(.*)</style>", response.body.decode(), re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in response.headers["content-security-policy"]


def test_a_page_loads_nothing_from_anywhere():
    html = connect()
    assert re.findall(r"<(?:script|img|iframe|object|embed|base)\b", html) == []
    assert re.findall(r"<link[^>]*href=\"(?!data:,)", html) == []
    assert "url(" not in html
    assert "@import" not in html


def test_a_form_may_end_up_at_fanvue_and_in_development_at_the_sandbox():
    policy = render_page("message.html", text=PAGE_TEXTS["not_found"], reference="r").headers[
        "content-security-policy"
    ]
    assert "form-action 'self' https:;" in policy
    response = render_page(
        "message.html", form_target="http://127.0.0.1:9000", text=PAGE_TEXTS["not_found"], reference="r"
    )
    assert "form-action 'self' https: http://127.0.0.1:9000;" in response.headers["content-security-policy"]


def test_a_template_that_lacks_a_value_fails_instead_of_showing_a_hole():
    with pytest.raises(Exception, match="undefined"):
        render_page("connect.html")
