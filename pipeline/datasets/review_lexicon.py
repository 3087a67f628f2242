"""The words of the `reviews` data set: topics, what is judged in them, and how.

Every predicate makes a natural clause after any subject of its aspect, plain and negated.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Aspect:
    """Something a review judges.

    Attributes:
        subjects: noun phrases.
        positive: predicates of praise.
        negative: predicates of blame.
    """

    subjects: tuple[str, ...]
    positive: tuple[str, ...]
    negative: tuple[str, ...]


@dataclass(frozen=True)
class Topic:
    """What a review is about.

    Attributes:
        occasions: sentences that open a review and judge nothing.
        facts: sentences that inform and judge nothing.
        aspects: what is judged.
    """

    occasions: tuple[str, ...]
    facts: tuple[str, ...]
    aspects: tuple[Aspect, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))


_PRICE = Aspect(
    _words("harganya, tarifnya, biayanya"),
    _words("murah, terjangkau, wajar, bersahabat"),
    _words("mahal, kemahalan, mencekik"),
)
_STAFF = Aspect(
    _words("pelayanannya, petugasnya, stafnya, kasirnya"),
    _words("ramah, sigap, sopan, cekatan, profesional, cepat"),
    _words("jutek, lambat, kasar, cuek, judes, lelet"),
)
_PLACE = Aspect(
    _words("tempatnya, ruangannya, suasananya, toiletnya, areanya"),
    _words("bersih, nyaman, sejuk, rapi, asri"),
    _words("kotor, pengap, bising, kumuh, gerah"),
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
        Aspect(
            _words("ayam gorengnya, nasi gorengnya, sambalnya, sotonya, satenya, rendangnya"),
            _words("enak, lezat, gurih, sedap, nikmat, empuk"),
            _words("hambar, alot, gosong, amis, keasinan, basi"),
        ),
        Aspect(
            _words("kopinya, es tehnya, jus mangganya, wedang jahenya"),
            _words("segar, nikmat, mantap, harum"),
            _words("encer, kemanisan, pahit, hambar"),
        ),
        Aspect(
            _words("porsinya, lauknya"),
            _words("melimpah, mengenyangkan, banyak"),
            _words("sedikit, pelit, kekecilan"),
        ),
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
        Aspect(
            _words("kamarnya, kamar mandinya, lobinya"),
            _words("bersih, luas, nyaman, wangi, terawat"),
            _words("kotor, sempit, pengap, bau, berjamur"),
        ),
        Aspect(
            _words("kasurnya, bantalnya, selimutnya"),
            _words("empuk, lembut, bersih, hangat"),
            _words("keras, apek, kusam, berdebu"),
        ),
        Aspect(
            _words("sarapannya, makan malamnya"),
            _words("enak, lezat, beragam, segar"),
            _words("hambar, monoton, dingin, basi"),
        ),
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
        Aspect(
            _words("baterainya, dayanya"),
            _words("awet, tahan lama, irit"),
            _words("boros, cepat habis, bocor"),
        ),
        Aspect(
            _words("layarnya, kameranya, hasil fotonya"),
            _words("jernih, tajam, cerah, terang"),
            _words("buram, kusam, redup, pecah"),
        ),
        Aspect(
            _words("kinerjanya, sistemnya, prosesornya, sinyalnya"),
            _words("cepat, lancar, stabil, kencang"),
            _words("lemot, lambat, tersendat, panas"),
        ),
        Aspect(
            _words("bodinya, desainnya"),
            _words("kokoh, elegan, ringan, cantik"),
            _words("ringkih, norak, berat, licin"),
        ),
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
        Aspect(
            _words("sopirnya, kondekturnya, kru busnya"),
            _words("ramah, sopan, sabar, cekatan"),
            _words("ugal-ugalan, kasar, galak, ceroboh"),
        ),
        Aspect(
            _words("kursinya, kabinnya, gerbongnya"),
            _words("nyaman, empuk, lapang, bersih"),
            _words("sempit, keras, kotor, pengap, rusak"),
        ),
        Aspect(
            _words("jadwalnya, keberangkatannya, perjalanannya"),
            _words("tepat waktu, teratur, lancar"),
            _words("terlambat, molor, kacau"),
        ),
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
        Aspect(
            _words("barangnya, jahitannya, bahannya, kualitasnya"),
            _words("bagus, rapi, halus, kuat, tebal"),
            _words("cacat, tipis, kasar, luntur, rapuh"),
        ),
        Aspect(
            _words("pengirimannya, prosesnya, tanggapan penjualnya"),
            _words("cepat, mudah, lancar"),
            _words("lambat, rumit, molor, berbelit"),
        ),
        Aspect(
            _words("kemasannya, bungkusnya"),
            _words("rapi, aman, kokoh"),
            _words("rusak, penyok, asal-asalan"),
        ),
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
        Aspect(
            _words("ceritanya, alurnya, akhir kisahnya, dialognya"),
            _words("seru, menarik, menyentuh, cerdas, segar"),
            _words("membosankan, klise, garing, berantakan, hambar"),
        ),
        Aspect(
            _words("aktingnya, pemeran utamanya"),
            _words("bagus, alami, memukau, meyakinkan"),
            _words("kaku, jelek, datar, lebay"),
        ),
        Aspect(
            _words("gambarnya, musiknya, efeknya"),
            _words("indah, megah, halus, memanjakan"),
            _words("norak, murahan, berisik, kasar"),
        ),
    ),
)

TOPICS = (_FOOD, _HOTEL, _PHONE, _TRANSPORT, _SHOP, _FILM)

ANYTHING = Aspect(
    subjects=(),
    positive=_words("memuaskan, bagus, mengesankan, menyenangkan, menggembirakan"),
    negative=_words("mengecewakan, buruk, payah, menyebalkan, memprihatinkan, parah"),
)
"""Judgements that fit every subject."""

SPEAKER = Aspect(
    subjects=_words("saya, kami, keluarga saya, teman saya, anak-anak"),
    positive=_words("puas, senang, suka, betah, gembira, kagum"),
    negative=_words("kecewa, kesal, kapok, menyesal, jengkel, bosan"),
)
"""How people felt about any topic."""

MEDIOCRE = (
    "biasa saja",
    "standar",
    "sedang-sedang saja",
    "seperti pada umumnya",
    "rata-rata",
    "lumayan standar",
)
INTENSIFIERS_BEFORE = _words("sangat, benar-benar, sungguh, amat, memang, cukup, begitu")
INTENSIFIERS_AFTER = _words("sekali, banget")
NEGATIONS = ("tidak", "sama sekali tidak", "jauh dari", "tidak pernah", "tidak bisa dibilang")
NEGATIONS_OF_PRAISE = ("kurang", "tidak terlalu", "tidak begitu", "belum")
"""Negations that sound natural before praise only."""
