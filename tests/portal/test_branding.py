"""Why: buyers release money on pages that carry somebody else's name, color and picture."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from merchants import services as merchants
from merchants.models import Branding, Role
from notifications import emails
from notifications.models import Delivery
from portal.buyer.branding import style_of, style_url
from tests.merchants.test_branding import png
from tests.portal.buying import buyer_of
from tests.world import World

SignIn = Callable[..., Client]
SAID = {
    "name": "Tea <Shop>",
    "name_zh": "茶店",
    "accent": "FFD700",
    "support_url": "https://tea.example/help",
    "support_email": "help@tea.example",
    "support_phone": "+86 571 8888 0000",
}


def save(client: Client, *, verb: str = "save", logo: bytes | None = None, **changes: Any) -> Any:
    said = {**SAID, **changes, verb: "1"}
    if logo is not None:
        said["logo_file"] = SimpleUploadedFile("logo.svg", logo, "image/svg+xml")
    return client.post("/portal/branding", said)


def test_buyers_see_the_platform_s_name_color_logo_and_contact(
    world: World, sign_in: SignIn
) -> None:
    client = sign_in(platform=world.platform)
    assert save(client, logo=png()).status_code == 302
    row = Branding.objects.get()
    buyer = buyer_of(world)

    page = buyer.page()
    chinese = buyer_of(world, language="zh-hans").page()

    assert "Tea &lt;Shop&gt;" in page
    assert "Tea &lt;Shop&gt; is a shop of Teahouse." in page
    assert "茶店" in chinese
    for each in (
        'href="https://tea.example/help"',
        "mailto:help@tea.example",
        "tel:+8657188880000",
    ):
        assert each in page
    style, logo = style_url("#ffd700"), f"/brand/{row.logo_hash}.png"
    assert f'href="{style}"' in page
    assert f'src="{logo}"' in page
    sheet, picture = Client().get(style), Client().get(logo)
    assert sheet.content.decode() == style_of("#ffd700")
    assert (sheet["Content-Type"], picture["Content-Type"]) == (
        "text/css; charset=utf-8",
        "image/png",
    )
    assert picture.content == png()
    for answer in (sheet, picture):
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert picture["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "style=" not in page  # nothing inline: the page's own policy forbids it


def test_page_shows_what_it_would_look_like_and_saves_nothing(
    world: World, sign_in: SignIn
) -> None:
    client = sign_in(platform=world.platform)

    page = save(client, verb="preview", logo=png()).content.decode()

    assert "Not saved yet." in page
    assert f'href="{style_url("#ffd700")}"' in page
    assert "Words in #ffd700 are hard to read on white." in page
    assert not Branding.objects.exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"accent": "gold"}, "A color is written as # and six digits"),
        ({"support_url": "http://tea.example"}, "The address of a help page begins with https://."),
        ({"logo": b"<svg onload=alert(1)>"}, "Only PNG and WEBP pictures that do not move"),
        ({"name": "Tea\u202epohS"}, "letters and signs that can be seen"),
    ],
)
def test_what_cannot_be_shown_is_refused_beside_its_field(
    world: World, sign_in: SignIn, changes: dict[str, Any], said: str
) -> None:
    page = save(sign_in(platform=world.platform), **changes)

    assert page.status_code == 200
    assert said in page.content.decode()
    assert not Branding.objects.exists()


def test_only_owners_of_the_platform_change_it(world: World, sign_in: SignIn) -> None:
    viewer = sign_in(platform=world.platform, role=Role.VIEWER)
    seller = sign_in(merchant=world.merchants[0])

    assert [save(each).status_code for each in (viewer, seller)] == [403, 404]
    assert not Branding.objects.exists()


def test_nothing_else_is_handed_out(world: World, sign_in: SignIn) -> None:
    save(sign_in(platform=world.platform), logo=png())
    kept = Branding.objects.get().logo_hash
    merchants.set_branding(
        platform_id=world.platform.pk, look=merchants.Look(), without_logo=True, at=world.now
    )

    asked = [
        f"/brand/{kept}.png",  # not shown any more
        f"/brand/{'0' * 64}.png",
        "/brand/ffd700.0123456789.css",
        "/brand/ffd700;}.0123456789.css",
    ]

    assert [Client().get(each).status_code for each in asked] == [404, 404, 404, 404]


def test_mails_to_buyers_name_the_shop_and_whom_to_ask(world: World, sign_in: SignIn) -> None:
    save(sign_in(platform=world.platform))
    buyer_of(world)
    world.pass_time(days=9)

    reminder = Delivery.objects.get(event__type="order.confirm_reminder", channel="email")
    mail = emails.compose(reminder)
    paid = emails.compose(Delivery.objects.get(event__type="order.paid", channel="email"))

    html = str(mail.alternatives[0][0])
    contact = "https://tea.example/help, help@tea.example, +86 571 8888 0000"
    assert "from Tea <Shop>" in mail.body
    assert f"Questions about your purchase? Ask Tea <Shop>: {contact}" in mail.body
    assert "Tea &lt;Shop&gt;: https://tea.example/help" in html
    assert "background:#4f39f6" not in html
    assert "help@tea.example" not in paid.body
    assert "Tea <Shop>" not in paid.body
