"""The vocabulary of the `reviews` data set: topics, their aspects, and how each is judged.

Every predicate forms a natural clause with any subject of its aspect, both plain and negated.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Aspect:
    """One thing that a review judges.

    Attributes:
        subjects: noun phrases.
        positive: predicates that praise.
        negative: predicates that blame.
    """

    subjects: tuple[str, ...]
    positive: tuple[str, ...]
    negative: tuple[str, ...]


@dataclass(frozen=True)
class Topic:
    """The topic of a review.

    Attributes:
        occasions: opening sentences without sentiment.
        facts: informative sentences without sentiment.
        aspects: what a review judges.
    """

    occasions: tuple[str, ...]
    facts: tuple[str, ...]
    aspects: tuple[Aspect, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))


def _aspect(subjects: str, positive: str, negative: str) -> Aspect:
    return Aspect(_words(subjects), _words(positive), _words(negative))


_PRICE = _aspect("harganya, tarifnya, biayanya", "murah, terjangkau", "mahal, mencekik")
_STAFF = _aspect(
    "pelayanannya, petugasnya, stafnya, kasirnya", "ramah, cepat, sopan", "kasar, lambat, jutek"
)
_PLACE = _aspect(
    "tempatnya, ruangannya, suasananya, toiletnya, areanya",
    "bersih, nyaman, rapi",
    "kotor, pengap, bising",
)

_FOOD = Topic(
    occasions=(
        "kemarin saya makan siang di warung ini bersama keluarga",
        "ini kunjungan kedua saya ke restoran ini",
        "kami datang berlima pada akhir pekan",
        "saya memesan makan malam lewat aplikasi",
        "sepulang kerja saya mampir ke kedai ini",
    ),
    facts=(
        "warung ini buka dari pukul sembilan pagi sampai malam",
        "restorannya berada di seberang stasiun",
        "menunya terdiri dari nasi goreng, mi, dan sate",
        "pembayaran dilakukan di kasir",
        "kedai ini punya dua lantai dan taman kecil di belakang",
        "pesanan dicatat oleh pelayan di meja",
    ),
    aspects=(
        _aspect(
            "ayam gorengnya, nasi gorengnya, sambalnya, sotonya, satenya, rendangnya",
            "enak, lezat, gurih",
            "hambar, alot, gosong",
        ),
        _aspect(
            "kopinya, es tehnya, jus mangganya, wedang jahenya", "segar, enak", "hambar, pahit"
        ),
        _aspect("porsinya, lauknya", "banyak, mengenyangkan", "sedikit, pelit"),
        _PRICE,
        _STAFF,
        _PLACE,
    ),
)

_HOTEL = Topic(
    occasions=(
        "saya menginap dua malam di hotel ini",
        "kami sekeluarga bermalam di sini saat liburan",
        "kantor memesankan saya kamar di hotel ini",
        "saya tiba di penginapan ini menjelang tengah malam",
    ),
    facts=(
        "hotel ini terletak lima menit dari bandara",
        "kamar kami berada di lantai tujuh",
        "sarapan disajikan dari pukul enam sampai sepuluh",
        "penginapan ini memiliki kolam renang di lantai dasar",
        "waktu masuk kamar mulai pukul dua siang",
    ),
    aspects=(
        _aspect(
            "kamarnya, kamar mandinya, lobinya", "bersih, nyaman, luas", "kotor, sempit, pengap"
        ),
        _aspect("kasurnya, bantalnya, selimutnya", "nyaman, bersih", "keras, kotor"),
        _aspect("sarapannya, makan malamnya", "enak, segar, lezat", "hambar, dingin"),
        _PRICE,
        _STAFF,
    ),
)

_PHONE = Topic(
    occasions=(
        "saya membeli ponsel ini bulan lalu",
        "sudah tiga minggu saya memakai ponsel ini",
        "ponsel ini saya beli untuk adik saya",
        "saya beralih dari merek lain ke ponsel ini",
    ),
    facts=(
        "ponsel ini tersedia dalam warna hitam dan biru",
        "di dalam kotaknya ada pengisi daya dan kabel",
        "ponsel ini memakai dua kartu SIM",
        "garansinya berlaku selama satu tahun",
        "layarnya berukuran enam inci",
    ),
    aspects=(
        _aspect("baterainya, dayanya", "awet, irit", "boros, lemah"),
        _aspect("layarnya, kameranya, hasil fotonya", "jernih, tajam", "buram, redup"),
        _aspect("kinerjanya, sistemnya, prosesornya, sinyalnya", "cepat, lancar", "lambat, lemot"),
        _aspect("bodinya, desainnya", "kuat, rapi", "rapuh, jelek"),
        _PRICE,
    ),
)

_TRANSPORT = Topic(
    occasions=(
        "saya naik bus ini dari Bandung ke Jakarta",
        "kami pulang kampung dengan kereta ini",
        "setiap pagi saya berangkat kerja dengan travel ini",
        "minggu lalu saya mencoba kapal cepat ini",
    ),
    facts=(
        "bus ini berangkat setiap dua jam dari terminal",
        "keretanya berhenti di empat stasiun",
        "tiket dapat dibeli di loket atau lewat aplikasi",
        "perjalanannya memakan waktu sekitar tiga jam",
        "bagasi disimpan di bagian belakang",
    ),
    aspects=(
        _aspect("sopirnya, kondekturnya, kru busnya", "ramah, sopan, sabar", "kasar, ceroboh"),
        _aspect("kursinya, kabinnya, gerbongnya", "nyaman, bersih, luas", "sempit, kotor, keras"),
        _aspect("jadwalnya, keberangkatannya, perjalanannya", "lancar, teratur", "kacau, lambat"),
        _PRICE,
    ),
)

_SHOP = Topic(
    occasions=(
        "saya memesan sepatu dari toko daring ini",
        "ini pembelian pertama saya di toko ini",
        "saya membeli tas ini saat ada promo",
        "paket saya dikirim dari Surabaya",
    ),
    facts=(
        "paketnya dikirim hari Senin dan tiba hari Kamis",
        "toko ini menjual sepatu, tas, dan ikat pinggang",
        "tokonya menerima pembayaran lewat transfer",
        "barangnya tersedia dalam lima ukuran",
        "nomor resi dikirim lewat pesan singkat",
    ),
    aspects=(
        _aspect(
            "barangnya, jahitannya, bahannya, kualitasnya",
            "rapi, kuat, bagus",
            "rusak, rapuh, jelek",
        ),
        _aspect("pengirimannya, prosesnya, tanggapan penjualnya", "cepat, lancar", "lambat, rumit"),
        _aspect("kemasannya, bungkusnya", "rapi, kuat", "rusak, jelek"),
        _PRICE,
    ),
)

_FILM = Topic(
    occasions=(
        "semalam saya menonton film ini di bioskop",
        "saya menonton film ini bersama teman kuliah",
        "film ini saya tonton pada hari pertama tayang",
    ),
    facts=(
        "film ini berdurasi dua jam",
        "ceritanya berlatar di Yogyakarta tahun sembilan puluhan",
        "film ini diangkat dari sebuah novel",
        "pemerannya berasal dari lima daerah",
    ),
    aspects=(
        _aspect(
            "ceritanya, alurnya, akhir kisahnya, dialognya",
            "menarik, seru, segar",
            "membosankan, hambar, kacau",
        ),
        _aspect("aktingnya, pemeran utamanya", "bagus, meyakinkan", "jelek, kaku"),
        _aspect("gambarnya, musiknya, efeknya", "indah, bagus", "jelek, murahan"),
    ),
)

TOPICS = (_FOOD, _HOTEL, _PHONE, _TRANSPORT, _SHOP, _FILM)

ANYTHING = Aspect(
    subjects=(),
    positive=_words("memuaskan, menyenangkan, mengesankan"),
    negative=_words("mengecewakan, buruk, payah"),
)
"""Predicates that fit every subject."""

SPEAKER = Aspect(
    subjects=_words("saya, kami, keluarga saya, teman saya, anak-anak"),
    positive=_words("puas, senang, suka"),
    negative=_words("kecewa, kesal, menyesal"),
)
"""Feelings that fit every topic."""

MEDIOCRE = (
    "biasa saja",
    "standar",
    "sedang-sedang saja",
    "seperti pada umumnya",
    "rata-rata",
    "lumayan",
)
INTENSIFIERS_BEFORE = _words("sangat, benar-benar, sungguh, amat, memang, cukup, begitu")
INTENSIFIERS_AFTER = _words("sekali, banget")
NEGATIONS = ("tidak", "sama sekali tidak", "jauh dari", "tidak bisa dibilang")
NEGATIONS_OF_PRAISE = ("kurang", "tidak terlalu", "tidak begitu")
"""Negations that sound natural only before praise."""
