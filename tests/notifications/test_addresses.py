"""Why: a webhook URL is an address an outsider chose and our own network is asked to dial."""

import contextlib
import ipaddress
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import addresses

ALLOWED = tuple(ipaddress.ip_network(each) for each in ("127.0.0.0/8", "10.9.0.0/16", "fd00::/8"))

PUBLIC = [
    "93.184.216.34",
    "8.8.8.8",
    "223.5.5.5",
    "2606:4700::1111",
    "2400:3200::1",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
]
NOT_PUBLIC = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:100.100.100.200",
    "::ffff:0:127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::7f00:1",
    "64:ff9b:1::808:808",
    "2001::1",
    "2001:0:7f00:1::f7f7:f7f7",
    "2001:0:808:808::80ff:fffe",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2002:a00:1::1",
    "3fff::1",
    "100::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_address_may_be_dialled(address: str) -> None:
    assert addresses.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_other_address_may_not_be_dialled(address: str) -> None:
    found = ipaddress.ip_address(address)

    assert not addresses.is_public(found)
    assert not addresses.may_dial(found, allowed=(), public=True)


@given(st.ip_addresses(v=4))
def test_address_is_judged_the_same_in_every_disguise(address: IPv4Address) -> None:
    number = int(address)
    disguises = (
        IPv6Address((0xFFFF << 32) | number),
        IPv6Address((0x64FF9B << 96) | number),
        IPv6Address((0x2002 << 112) | (number << 80)),
    )

    for disguise in disguises:
        assert addresses.is_public(disguise) == addresses.is_public(address)
        assert addresses.may_dial(disguise, allowed=ALLOWED, public=False) == addresses.may_dial(
            address, allowed=ALLOWED, public=False
        )


@given(st.ip_addresses(v=6))
def test_only_what_the_internet_routes_is_public(address: IPv6Address) -> None:
    hidden = addresses.unwrap(address) != (address,)

    assert hidden or not addresses.is_public(address) or address in addresses.UNICAST


@pytest.mark.parametrize(
    ("address", "public", "may"),
    [
        ("127.0.0.1", False, True),
        ("::ffff:127.0.0.1", False, True),
        ("10.9.1.1", True, True),
        ("10.8.1.1", True, False),
        ("fd00::7", False, True),
        ("8.8.8.8", False, False),
        ("8.8.8.8", True, True),
    ],
)
def test_allowed_networks_may_be_dialled_and_no_other_private_one(
    address: str, public: bool, may: bool
) -> None:
    found = ipaddress.ip_address(address)

    assert addresses.may_dial(found, allowed=ALLOWED, public=public) is may


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example.com/hooks",
        "https://shop.example.com",
        "https://shop.example.com:443/hooks?token=a%20b",
        "HTTPS://Shop.Example.com:8443/",
        "https://xn--fsqu00a.com/",
        "https://8.8.8.8/hooks",
        "https://[2606:4700::1111]/hooks",
        "https://shop.example.com/a@b",
    ],
)
def test_url_is_accepted(url: str) -> None:
    addresses.check_url(url, allowed=())


REFUSED = [
    "",
    "x",
    "http://shop.example.com/",
    "ftp://shop.example.com/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "https://",
    "https:///hooks",
    "//shop.example.com/",
    "https://shop.example.com:80/",
    "https://shop.example.com:8444/",
    "https://shop.example.com:0/",
    "https://shop.example.com:65536/",
    "https://shop.example.com:port/",
    "https://user@shop.example.com/",
    "https://user:password@shop.example.com/",
    "https://@shop.example.com/",
    "https://shop.example.com#@8.8.8.8/",
    "https://shop.example.com/#part",
    "https://shop.example.com\\@8.8.8.8/",
    "https://shop.example.com/a b",
    "https://shop.example.com/\n",
    "https://例子.com/",
    "https://shop.example.com./",
    "https://shop..example.com/",
    "https://-shop.example.com/",
    f"https://{'a' * 64}.example.com/",
    f"https://shop.example.com/{'a' * 476}",
    "https://localhost/",
    "https://shop/",
    "https://shop.localhost/",
    "https://metadata.google.internal/",
    "https://printer.local/",
    "https://router.home.arpa/",
    "https://127.1/",
    "https://2130706433/",
    "https://0177.0.0.1/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0/",
    "https://1.2.3.4.5/",
    "https://256.1.1.1/",
    *(
        f"https://[{address}]/" if ":" in address else f"https://{address}/"
        for address in NOT_PUBLIC
    ),
]


@pytest.mark.parametrize("url", REFUSED)
def test_url_is_refused(url: str) -> None:
    with pytest.raises(addresses.WebhookUrlRefused) as refusal:
        addresses.check_url(url, allowed=())

    assert (refusal.value.code, refusal.value.status) == ("webhook_url_refused", 422)


@pytest.mark.parametrize(
    ("url", "accepted"),
    [
        ("http://127.0.0.1:9000/hooks", True),
        ("http://[fd00::7]:9000/hooks", True),
        ("http://shop:8080/", True),
        ("http://shop.internal/", True),
        ("https://8.8.8.8/", True),
        ("http://8.8.8.8/", False),
        ("http://10.8.0.1/", False),
        ("http://user@127.0.0.1/", False),
        ("http://127.1/", False),
        ("ftp://127.0.0.1/", False),
    ],
)
def test_url_into_an_allowed_network_is_accepted(url: str, accepted: bool) -> None:
    found = True
    try:
        addresses.check_url(url, allowed=ALLOWED)
    except addresses.WebhookUrlRefused:
        found = False

    assert found is accepted


@given(
    st.text(max_size=80) | st.from_regex(r"https?://\S{0,60}", fullmatch=True),
    st.sampled_from([(), ALLOWED]),
)
def test_any_text_is_judged_without_an_accident(
    url: str, allowed: tuple[addresses.Network, ...]
) -> None:
    with contextlib.suppress(addresses.WebhookUrlRefused):
        addresses.check_url(url, allowed=allowed)
