from fankeep.policy import CALLBACK_HEADERS, api_headers, page_headers


def test_every_answer_is_kept_out_of_frames_caches_and_plain_http():
    for headers in (api_headers(), page_headers(style_hashes=["abc="])):
        assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["content-security-policy"].startswith("default-src 'none'")


def test_a_page_may_use_its_own_styles_and_post_to_the_named_places_only():
    policy = page_headers(style_hashes=["abc="], form_targets=["https://auth.example"])[
        "content-security-policy"
    ]
    assert "style-src 'sha256-abc='" in policy
    assert "form-action 'self' https://auth.example;" in policy
    assert "unsafe-inline" not in policy
    assert "script-src" not in policy


def test_the_callback_sends_no_referrer_at_all():
    assert CALLBACK_HEADERS["referrer-policy"] == "no-referrer"
