"""The hosted cashier page, in Chinese or English. It must never decide about money."""

import secrets
from typing import Any
from urllib.parse import urlsplit

from flask import Response, make_response, redirect, render_template, request

from sandbox.wire import iso

EXPONENTS = {
    "JPY": 0,
    "KRW": 0,
    "VND": 0,
    "CLP": 0,
    "KWD": 3,
    "BHD": 3,
    "OMR": 3,
    "JOD": 3,
    "TND": 3,
}
WORDS = {
    "en": {
        "lang": "en",
        "other": "zh",
        "other_name": "中文",
        "brand": "Sandbox Pay",
        "badge": "Test money",
        "amount": "Amount to pay",
        "paid_amount": "Amount",
        "order": "Payment number",
        "for": "For",
        "until": "Please pay before",
        "pay": "Pay",
        "cancel": "Cancel and go back",
        "back": "Back to the shop",
        "foot": "A test cashier. No real money moves here.",
        "SUCCEEDED": ("Payment received", "Thank you. You can go back to the shop now."),
        "FAILED": (
            "Payment closed",
            "This payment was closed or has expired. No charge.",
        ),
        "MISSING": ("Page not found", "This payment link is wrong or no longer known."),
    },
    "zh": {
        "lang": "zh-CN",
        "other": "en",
        "other_name": "English",
        "brand": "沙盒收银台",
        "badge": "测试环境",
        "amount": "应付金额",
        "paid_amount": "金额",
        "order": "支付单号",
        "for": "商品说明",
        "until": "请在此时间前支付",
        "pay": "确认支付",
        "cancel": "取消并返回",
        "back": "返回商家",
        "foot": "测试收银台，不会发生真实扣款。",
        "SUCCEEDED": ("支付成功", "感谢您的支付，现在可以返回商家页面。"),
        "FAILED": ("支付已关闭", "该支付单已关闭或已过期，未产生任何扣款。"),
        "MISSING": ("页面不存在", "支付链接有误，或已失效。"),
    },
}


def page(payment: dict[str, Any] | None, *, open_for_payment: bool) -> Response:
    """Show the payment as it stands; buttons only while it is open. 404 for an unknown token."""
    state = "MISSING" if payment is None else payment["status"]
    if state == "PENDING":
        state = "OPEN" if open_for_payment else "FAILED"
    nonce = secrets.token_urlsafe(16)
    body = render_template(
        "sandbox/cashier.html",
        words=WORDS[_language()],
        payment=payment,
        state=state,
        amount=payment and money_text(payment["amount_minor"], payment["currency"]),
        until=payment and (iso(payment["expires_at"]) or "")[:16].replace("T", " "),
        nonce=nonce,
    )
    answer = make_response(body, 404 if payment is None else 200)
    # Browsers apply form-action to the redirect after the form, so the shop's origin belongs in it.
    back = urlsplit(payment["return_url"]) if payment else urlsplit("")
    shop = f" {back.scheme}://{back.netloc}" if back.netloc and _is_plain(back.netloc) else ""
    answer.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'{shop};"
        " base-uri 'none'; frame-ancestors 'none'"
    )
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def leave(payment: dict[str, Any]) -> Any:
    """Go back to the shop, or to the cashier page when the shop named no address."""
    return redirect(payment["return_url"] or f"/cashier/{payment['token']}", code=303)


def money_text(amount_minor: int, currency: str) -> str:
    digits = EXPONENTS.get(currency, 2)
    whole, rest = divmod(amount_minor, 10**digits)
    return f"{whole:,}.{rest:0{digits}d}" if digits else f"{whole:,}"


def _is_plain(netloc: str) -> bool:
    return all(one.isascii() and (one.isalnum() or one in ".-:[]") for one in netloc)


def _language() -> str:
    asked = request.args.get("lang", "")
    return asked if asked in WORDS else request.accept_languages.best_match(["en", "zh"]) or "zh"
