"""The words that the demo's titles, descriptions, tags and names are made of, in Japanese and English.

A theme's words occur only in videos of that theme, so that text tells something about who will like a video.
"""

from functools import cache
from typing import NamedTuple

JAPANESE, ENGLISH = 0, 1


class Theme(NamedTuple):
    """What a video is about.

    Attributes:
        genre: as in `videos.genres`.
        minutes: how long a video about it usually is.
        name: in Japanese and in English.
        words: in Japanese and in English; they serve as tags and in titles.
    """

    genre: str
    minutes: int
    name: tuple[str, str]
    words: tuple[list[str], list[str]]


@cache
def themes() -> list[Theme]:
    """All themes; those of one genre stand together."""
    found = []
    for line in _THEMES.strip().splitlines():
        genre, minutes, japanese, english, japanese_words, english_words = (part.strip() for part in line.split("|"))
        words = (japanese_words.split("、"), [word.strip() for word in english_words.split(",")])
        found.append(Theme(genre, int(minutes), (japanese, english), words))
    return found


def maker_name(number: int, language: int) -> str:
    """A company's name, another for each number up to a thousand or so."""
    return _combined(number, *_MAKERS[language], between="" if language == JAPANESE else " ")


def performer_name(number: int, language: int) -> str:
    """A person's name, another for each number up to a thousand or so."""
    return _combined(number, *_PEOPLE[language], between=" ")


def _combined(number: int, first_words: str, second_words: str, between: str) -> str:
    first, second = first_words.split(), second_words.split()
    turn, place = divmod(number, len(first) * len(second))
    # Neighbouring numbers differ in both halves.
    left, right = place % len(first), (place // len(first) + place) % len(second)
    return f"{first[left]}{between}{second[right]}" + (f" {turn + 1}" if turn else "")


_THEMES = """
Cooking     | 14 | ラーメン     | ramen            | 麺、スープ、チャーシュー、屋台、煮干し | noodles, broth, roast pork, street stall, dried sardines
Cooking     | 14 | パン作り     | bread baking     | 酵母、生地、クロワッサン、窯、小麦 | sourdough, dough, croissant, oven, wheat
Cooking     | 12 | お弁当       | lunch boxes      | 卵焼き、作り置き、梅干し、節約、冷凍 | omelette, meal prep, pickled plum, budget, freezer
Cooking     | 16 | スイーツ     | desserts         | チョコレート、ケーキ、抹茶、プリン、クリーム | chocolate, cake, matcha, pudding, cream
Cooking     | 18 | 居酒屋       | pub food         | 焼き鳥、日本酒、刺身、おでん、枝豆 | skewers, sake, sashimi, hot pot, edamame
Travel      | 24 | 鉄道の旅     | train journeys   | 夜行列車、駅弁、ローカル線、時刻表、終着駅 | night train, station lunch, branch line, timetable, last stop
Travel      | 22 | 温泉         | hot springs      | 露天風呂、湯けむり、旅館、浴衣、雪見 | open-air bath, steam, country inn, bathrobe, snow view
Travel      | 20 | 島めぐり     | island hopping   | 離島、フェリー、珊瑚、灯台、民宿 | remote island, ferry, coral, lighthouse, guest house
Travel      | 26 | 街歩き       | city walks       | 路地、市場、夜景、喫茶店、坂道 | back streets, market, night view, old cafe, stairs
Travel      | 28 | 山登り       | mountain hiking  | 縦走、山小屋、御来光、稜線、登山口 | ridge, mountain hut, sunrise, summit, trailhead
Games       | 32 | 謎解き       | puzzle games     | 暗号、脱出、推理、迷路、ひらめき | cipher, escape room, deduction, maze, logic
Games       | 45 | 対戦格闘     | fighting games   | 連続技、大会、必殺技、対戦、道場 | combo, tournament, finisher, versus, dojo
Games       | 50 | 街づくり     | city builders    | 開拓、資源、交通、工場、税金 | settlement, resources, traffic, factory, taxes
Games       | 40 | 農場生活     | farm life        | 収穫、牧場、種まき、釣り、村人 | harvest, ranch, sowing, fishing, villagers
Games       | 55 | 宇宙探検     | space exploration| 惑星、宇宙船、銀河、採掘、異星人 | planet, starship, galaxy, mining, aliens
Music       |  6 | ピアノ       | piano            | 独奏、練習曲、即興、連弾、調律 | solo recital, etude, improvisation, duet, tuning
Music       |  5 | 弾き語り     | singer songwriter| ギター、路上、歌詞、作曲、カバー | guitar, busking, lyrics, composing, cover song
Music       |  7 | ジャズ       | jazz             | サックス、セッション、深夜、ベース、即席 | saxophone, jam session, midnight, double bass, swing
Music       |  8 | 和楽器       | folk instruments | 三味線、太鼓、尺八、琴、祭囃子 | fiddle, drums, bamboo flute, harp, festival tune
Music       |  4 | 電子音楽     | electronic music | シンセ、ビート、踊れる、低音、録音 | synthesizer, beat, dance floor, deep bass, home studio
Animals     |  8 | 子猫         | kittens          | 肉球、昼寝、爪とぎ、保護猫、またたび | paws, nap, scratching, rescue cat, catnip
Animals     |  9 | 柴犬         | dogs             | 散歩、しつけ、子犬、毛づくろい、骨 | walk, training, puppy, grooming, bone
Animals     | 12 | 水族館       | aquariums        | クラゲ、ペンギン、熱帯魚、飼育員、イルカ | jellyfish, penguin, tropical fish, keeper, dolphin
Animals     | 15 | 野鳥         | wild birds       | さえずり、渡り鳥、双眼鏡、巣箱、湿原 | birdsong, migration, binoculars, nest box, wetland
Animals     | 10 | 小動物       | small pets       | ハムスター、うさぎ、回し車、牧草、ハリネズミ | hamster, rabbit, wheel, hay, hedgehog
Science     | 18 | 天体観測     | stargazing       | 望遠鏡、流星群、星座、月面、日食 | telescope, meteor shower, constellation, lunar surface, eclipse
Science     | 16 | 化学実験     | chemistry        | 試薬、炎色反応、結晶、フラスコ、触媒 | reagent, flame test, crystal, flask, catalyst
Science     | 20 | 恐竜         | dinosaurs        | 化石、白亜紀、発掘、骨格、肉食 | fossil, cretaceous, excavation, skeleton, predator
Science     | 22 | 数学         | mathematics      | 素数、証明、確率、図形、無限 | prime numbers, proof, probability, geometry, infinity
Science     | 19 | 深海         | deep sea         | 潜水艇、発光、海溝、熱水、巨大イカ | submersible, bioluminescence, trench, hot vent, giant squid
Sport       | 30 | サッカー     | football         | 得点、監督、守備、戦術、応援 | goal, coach, defence, tactics, supporters
Sport       | 35 | 野球         | baseball         | 投手、本塁打、甲子園、盗塁、打率 | pitcher, home run, ballpark, stolen base, batting
Sport       | 20 | ヨガ         | yoga             | 呼吸、柔軟、瞑想、体幹、朝活 | breathing, stretching, meditation, core, morning routine
Sport       | 25 | 自転車       | cycling          | 峠、輪行、部品、周回、整備 | mountain pass, touring, gears, lap, bike repair
Sport       | 22 | ランニング   | running          | 完走、心拍、靴、給水、記録 | marathon, heart rate, shoes, water stop, personal best
Craft       | 17 | 木工         | woodworking      | 鉋、椅子、組み手、檜、工房 | hand plane, chair, joinery, cypress, workshop
Craft       | 15 | 編み物       | knitting         | 毛糸、かぎ針、模様、靴下、帽子 | wool, crochet, pattern, socks, beanie
Craft       | 21 | 陶芸         | pottery          | ろくろ、釉薬、登り窯、茶碗、土 | potter's wheel, glaze, kiln, tea bowl, clay
Craft       | 13 | 折り紙       | paper folding    | 千代紙、鶴、展開図、立体、紙飛行機 | washi, crane, crease pattern, modular, paper plane
Craft       | 19 | 電子工作     | electronics      | 半田、基板、回路、センサー、配線 | solder, circuit board, schematic, sensor, wiring
Drama       | 46 | 学園         | school drama     | 放課後、転校生、部活、初恋、卒業 | after school, transfer student, club room, first love, graduation
Drama       | 48 | 医療         | hospital drama   | 手術、救急、看護師、病棟、研修医 | surgery, emergency room, nurse, ward, intern
Drama       | 50 | 刑事         | detective drama  | 事件、取調室、証拠、相棒、真犯人 | case file, interrogation, evidence, partner, culprit
Drama       | 47 | 時代劇       | samurai drama    | 侍、城下町、刀、忍者、将軍 | swordsman, castle town, blade, ninja, shogun
Drama       | 45 | 家族         | family drama     | 食卓、里帰り、祖母、引っ越し、約束 | dinner table, homecoming, grandmother, moving house, promise
Comedy      | 11 | 漫才         | stand-up         | ボケ、ツッコミ、舞台、相方、客席 | punchline, heckler, open mic, double act, crowd work
Comedy      | 10 | コント       | sketch comedy    | 勘違い、店員、上司、変装、衣装 | misunderstanding, shop clerk, boss, disguise, props
Comedy      | 14 | ドッキリ     | pranks           | 仕掛け、隠しカメラ、落とし穴、仕返し、絶叫 | hidden camera, trap door, revenge, setup, screaming
Comedy      | 20 | 落語         | storytelling     | 高座、長屋、扇子、師匠、小噺 | one-man show, row house, folding fan, old master, tall tale
Comedy      | 12 | ものまね     | impressions      | 声色、有名人、顔芸、歌まね、早口 | voices, celebrity, funny faces, parody song, tongue twister
Horror      | 40 | 怪談         | ghost stories    | 幽霊、廃墟、百物語、足音、呪い | ghost, abandoned house, candle, footsteps, curse
Horror      | 38 | 心霊探索     | haunted places   | 病院跡、隧道、霊感、懐中電灯、噂 | old hospital, tunnel, sixth sense, torch light, rumour
Horror      | 42 | 都市伝説     | urban legends    | 口裂け、未解決、陰謀、電話、掲示板 | slit mouth, unsolved, conspiracy, phone call, message board
Horror      | 44 | 怪物         | monsters         | 吸血鬼、狼男、沼、爪痕、満月 | vampire, werewolf, swamp, claw marks, full moon
Horror      | 41 | 生存         | survival horror  | 逃走、感染、隔離、武器庫、夜明け | chase, infection, quarantine, armoury, daybreak
Business    | 21 | 投資         | investing        | 株価、配当、積立、決算、金利 | share price, dividend, savings plan, earnings, interest rates
Business    | 19 | 起業         | start-ups        | 資金調達、創業者、失敗談、営業、顧客 | funding round, founder, lessons learned, sales, customers
Business    | 24 | プログラミング | programming    | 関数、設計、不具合、自動化、公開 | function, design, bug hunt, automation, release
Business    | 15 | 英会話       | language learning| 発音、単語、聞き取り、留学、文法 | pronunciation, vocabulary, listening, study abroad, grammar
Business    | 17 | 片付け       | tidying up       | 収納、断捨離、引き出し、掃除、習慣 | storage, decluttering, drawers, cleaning, habits
"""  # noqa: E501 (a table)

TITLES: tuple[list[str], list[str]] = (
    [
        "{name}の{a}と{b}",
        "はじめての{name}：{a}",
        "{a}を極める{name}講座",
        "{mood}{name}、{a}の夜",
        "{b}から始まる{name}",
        "【{name}】{mood}{a}特集",
        "{mood}{a}と{b}の物語",
    ],
    [
        "{a} and {b}: a {name} story",
        "{name} for beginners: {a}",
        "The {mood} {a}",
        "{mood} {name}: from {a} to {b}",
        "How to master {a}",
        "One day with {a} | {name}",
        "The art of {name}: {b}",
    ],
)
EPISODES = ("{title} 第{episode}話", "{title}, episode {episode}")
DESCRIPTIONS: tuple[list[str], list[str]] = (
    [
        "{a}と{b}を中心に、{name}の{mood}魅力をお届けします。",
        "今回は{c}に挑戦。{name}好きなら{a}も見逃せません。",
        "{name}のすべて：{a}、{b}、そして{c}。",
        "{mood}{c}をめぐる{name}の時間。出演者が{a}について語ります。",
    ],
    [
        "A {mood} look at {name}, with {a} and {b}.",
        "This time we try {c}. If you care for {name}, do not miss {a}.",
        "Everything about {name}: {a}, {b} and {c}.",
        "{mood} {name} with a lot of {c}, and a talk about {a}.",
    ],
)
MOODS: tuple[list[str], list[str]] = (
    ["静かな", "最高の", "懐かしい", "危険な", "やさしい", "幻の", "真夜中の", "本気の", "ゆるい", "伝説の"],
    ["quiet", "perfect", "forgotten", "dangerous", "gentle", "lost", "midnight", "serious", "lazy", "legendary"],
)
COMMON_TAGS: tuple[list[str], list[str]] = (
    ["4K", "初心者向け", "作業用", "人気", "解説", "生配信", "😂"],
    ["4K", "for beginners", "background", "best of", "explained", "live", "😂"],
)
# The first and the second half of names, in Japanese and in English.
_MAKERS = (
    (
        "青 赤 白 黒 金 銀 月 星 風 雷 雪 花 海 山 川 森 空 光 夢 虹 桜 梅 竹 松 鶴 亀 虎 龍 鷹 狼",
        "映像 制作所 放送 工房 企画 シネマ チャンネル メディア スタジオ 座 堂 社 組 舎",
    ),
    (
        "Blue Red Silver Golden Northern Little Grand Quiet Hidden Wild Paper Iron Velvet Lucky Second Open",
        "Lantern River Harbour Tower Fox Owl Bridge Garden Engine Window Comet Anchor Orchard Signal Valley",
    ),
)
_PEOPLE = (
    (
        "佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤 吉田 山田 松本 井上 木村 清水 山崎 森 池田 橋本 石川 前田",
        "陽菜 蓮 葵 湊 結衣 大翔 凛 悠真 紬 樹 美咲 陸 さくら 颯太 七海 健太 千尋 翔 花音 直樹 真央 拓海 彩 亮 遥 誠",
    ),
    (
        "Alice Ben Clara David Emma Frank Grace Henry Iris Jack Kate Leo Mia Noah Olive Paul Quinn Rose Sam Tess",
        "Adams Baker Carter Dixon Evans Fisher Green Harris Irving Jones Keller Lewis Moore Nolan Owens Parker Reed",
    ),
)
