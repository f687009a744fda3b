"""Who sells what in the demo: a small marketplace one can believe in. Data only."""

from dataclasses import dataclass

PLATFORM_NAME, PLATFORM_NAME_ZH, PLATFORM_SLUG = "Jiya Market", "集雅商城", "jiya-market"


@dataclass(frozen=True, slots=True)
class Product:
    title: str
    category: str
    price_minor: int  # fen


@dataclass(frozen=True, slots=True)
class Seller:
    """One seller. `account_number` decides what the sandbox bank does: …0002 fails, …0003 is
    returned."""

    reference: str
    name: str
    email: str
    language: str
    account_number: str
    cadence: str
    approval_above_minor: int | None
    products: tuple[Product, ...]


SELLERS = (
    Seller(
        "longjing",
        "龙井茶庄 Longjing Tea House",
        "sales@longjing.example",
        "zh-hans",
        "6222021001000010001",
        "INSTANT",
        200_000,
        (
            Product("明前龙井 250g Longjing green tea", "tea", 36_800),
            Product("桂花乌龙 Osmanthus oolong", "tea", 12_901),
            Product("紫砂壶 Yixing teapot", "teaware", 129_900),
        ),
    ),
    Seller(
        "bamboo",
        "竹里 Bamboo Goods",
        "hello@bamboo.example",
        "en",
        "6222021001000020001",
        "DAILY",
        None,
        (
            Product("Bamboo lamp 竹灯", "home", 45_900),
            Product("Woven basket 竹编篮", "home", 8_901),
        ),
    ),
    Seller(
        "jingdezhen",
        "景德镇瓷坊 Jingdezhen Porcelain",
        "studio@jdz.example",
        "zh-hans",
        "6222021001000030001",
        "WEEKLY",
        None,
        (
            Product("青花茶杯 Blue-and-white cup", "teaware", 19_901),
            Product("影青花瓶 Celadon vase", "home", 88_000),
        ),
    ),
    Seller(
        "silkroad",
        "丝路布艺 Silk Road Fabrics",
        "orders@silkroad.example",
        "en",
        "6222021001000040001",
        "INSTANT",
        None,
        (
            Product("Silk scarf 真丝围巾", "fashion", 29_901),
            Product("Linen tablecloth 亚麻桌布", "home", 15_900),
        ),
    ),
    Seller(
        "inkstone",
        "砚田文房 Inkstone Studio",
        "ink@inkstone.example",
        "zh-hans",
        "6222021001000050002",
        "INSTANT",
        None,
        (
            Product("端砚 Duan inkstone", "stationery", 66_601),
            Product("宣纸 100张 Rice paper", "stationery", 7_800),
        ),
    ),
    Seller(
        "mountain",
        "云上山货 Mountain Pantry",
        "farm@mountain.example",
        "en",
        "6222021001000060003",
        "INSTANT",
        None,
        (
            Product("Wild honey 野生蜂蜜", "food", 13_901),
            Product("Dried mushrooms 香菇干", "food", 6_501),
        ),
    ),
)
BUYERS = ("陈伟", "李娜", "王芳", "Alice Meyer", "John Carter", "赵敏", "佐藤健", "Omar Haddad")
