"""What a person might say about a drawing: its name, its keywords, what kind of thing it is."""

import random

from embeddings.drawings.emoji import Emoji
from embeddings.drawings.uses import uses_of

_NAME_FORMS = (
    "{}",
    "a drawing of {}",
    "an emoji of {}",
    "a picture of {}",
    "{} icon",
    "cartoon {}",
    "a small {}",
)

# What the sets of emoji-test.txt are called in plain words; subgroups first, then whole groups.
_KINDS: dict[str, tuple[str, ...]] = {
    "face-smiling": ("happy face", "a smile", "someone who is happy", "laughing and smiling"),
    "face-affection": ("a face in love", "affection", "kissing face", "a loving smile"),
    "face-tongue": ("a silly face", "sticking out the tongue", "playful face"),
    "face-hand": ("a face with hands", "a gesture with the face"),
    "face-neutral-skeptical": ("an unimpressed face", "neutral expression", "sceptical face"),
    "face-sleepy": ("tired face", "sleepy", "someone who needs to sleep"),
    "face-unwell": ("sick face", "feeling ill", "an unwell face"),
    "face-hat": ("a face with a hat", "dressed up face"),
    "face-glasses": ("a face with glasses", "wearing glasses"),
    "face-concerned": ("unhappy face", "worried face", "feeling bad", "a face with negative emotion"),
    "face-negative": ("angry face", "evil or furious face", "a bad mood"),
    "face-costume": ("a mask or costume", "a creature's face", "spooky or fantastic face"),
    "cat-face": ("a cat's expression", "emotional cat", "funny cat face"),
    "monkey-face": ("a monkey hiding its face",),
    "heart": ("a heart", "love", "a symbol of love"),
    "emotion": ("a comic symbol", "an emotion symbol"),
    "hand-fingers-open": ("an open hand", "hand gesture"),
    "hand-fingers-partial": ("hand sign", "fingers making a gesture"),
    "hand-single-finger": ("a pointing finger", "pointing hand"),
    "hand-fingers-closed": ("a fist", "closed hand"),
    "hands": ("two hands", "hands together"),
    "hand-prop": ("a hand holding something",),
    "body-parts": ("part of the body", "body part"),
    "person": ("a person", "someone's portrait", "human face"),
    "person-gesture": ("a person making a gesture", "body language"),
    "person-role": ("a person at work", "someone's job", "profession"),
    "person-fantasy": ("a fantasy character", "a fairy-tale being"),
    "person-activity": ("a person doing something", "an activity"),
    "person-sport": ("a person doing sports", "athlete", "exercise"),
    "person-resting": ("a person resting", "relaxing"),
    "family": ("a family", "people who belong together", "couple or family"),
    "animal-mammal": ("an animal", "a mammal", "a furry animal"),
    "animal-bird": ("a bird", "an animal with feathers", "an animal that can fly"),
    "animal-amphibian": ("an amphibian", "an animal"),
    "animal-reptile": ("a reptile", "a scaly animal", "dangerous animal"),
    "animal-marine": ("a sea animal", "an animal that lives in water", "ocean life"),
    "animal-bug": ("an insect", "a bug", "a tiny animal"),
    "plant-flower": ("a flower", "blossom", "something to give on a date"),
    "plant-other": ("a plant", "greenery", "nature"),
    "food-fruit": ("fruit", "a healthy sweet snack", "something that grows on a tree"),
    "food-vegetable": ("a vegetable", "healthy food", "ingredient for cooking"),
    "food-prepared": ("a meal", "something to eat", "fast food", "savoury food"),
    "food-asian": ("Asian food", "something to eat", "Japanese dish"),
    "food-marine": ("seafood", "something from the sea to eat"),
    "food-sweet": ("dessert", "something sweet", "sugary treat", "candy and cake"),
    "drink": ("a drink", "a beverage", "something for the thirsty"),
    "dishware": ("tableware", "kitchen things"),
    "place-map": ("a map", "the Earth"),
    "place-geographic": ("a landscape", "a place in nature", "travel destination"),
    "place-building": ("a building", "architecture", "a place in town"),
    "place-religious": ("a religious building", "a place of worship"),
    "place-other": ("a view", "a place to visit", "scenery"),
    "transport-ground": ("a vehicle", "something on wheels", "traffic on land"),
    "transport-water": ("a boat", "a vessel on the water"),
    "transport-air": ("something that flies", "aircraft"),
    "time": ("a clock", "time", "the hour of day"),
    "sky & weather": ("weather", "the sky", "something in the sky"),
    "event": ("a celebration", "party", "holiday"),
    "award-medal": ("a prize", "award for winners"),
    "sport": ("sports equipment", "a game with a ball", "sport"),
    "game": ("a game", "a toy", "something to play with"),
    "arts & crafts": ("art", "crafts", "something creative"),
    "clothing": ("clothes", "something to wear", "fashion"),
    "sound": ("sound", "loudness"),
    "music": ("music", "audio equipment"),
    "musical-instrument": ("a musical instrument", "something to make music with"),
    "phone": ("a telephone", "device for calls"),
    "computer": ("computer equipment", "electronics"),
    "light & video": ("light or film", "camera and light"),
    "book-paper": ("something to read", "books and paper"),
    "money": ("money", "finance"),
    "mail": ("mail", "a letter or parcel"),
    "writing": ("something to write with",),
    "office": ("office supplies", "stationery"),
    "lock": ("lock and key", "security"),
    "tool": ("a tool", "a tool or weapon", "something for repairs"),
    "science": ("science", "laboratory equipment"),
    "medical": ("medicine", "health care"),
    "household": ("a household item", "something at home"),
    "transport-sign": ("a sign", "public sign"),
    "warning": ("a warning sign", "not allowed"),
    "arrow": ("an arrow", "direction"),
    "religion": ("a religious symbol", "faith"),
    "zodiac": ("a zodiac sign", "astrology"),
    "av-symbol": ("a media button", "player control"),
    "gender": ("a gender symbol",),
    "math": ("a mathematical sign",),
    "punctuation": ("a punctuation mark",),
    "currency": ("a currency sign",),
    "keycap": ("a number key", "a digit"),
    "alphanum": ("a button with letters", "text symbol"),
    "geometric": ("a geometric shape", "a coloured shape"),
    "flag": ("a flag", "signal flag"),
    "country-flag": ("a flag", "a country's flag", "national flag"),
    "subdivision-flag": ("a regional flag", "a flag"),
}


def _names(joined: str) -> frozenset[str]:
    return frozenset(joined.split("|"))


_MOODS: dict[str, frozenset[str]] = {
    "a cute animal": _names(
        "baby chick|front-facing baby chick|hatching chick|rabbit face|rabbit|cat face|cat|dog face|"
        "dog|hamster|panda|koala|bear|teddy bear|mouse face|fox|otter|sloth|hedgehog|chipmunk|"
        "penguin|ewe|unicorn|poodle|polar bear|seal|guide dog"
    ),
    "a soft pet": _names("rabbit face|cat face|dog face|cat|dog|hamster|rabbit|poodle|teddy bear|guide dog"),
    "a hot drink": _names("hot beverage|teapot|teacup without handle|mate"),
    "a warm cup": _names("hot beverage|teacup without handle|teapot"),
    "a cold drink": _names("tropical drink|cup with straw|bubble tea|beverage box|beer mug|glass of milk"),
    "alcohol": _names(
        "wine glass|cocktail glass|tropical drink|beer mug|clinking beer mugs|clinking glasses|sake|"
        "bottle with popping cork|tumbler glass"
    ),
    "a sad expression": _names(
        "crying face|loudly crying face|frowning face|slightly frowning face|pensive face|"
        "disappointed face|sad but relieved face|worried face|face holding back tears|crying cat|"
        "pleading face|weary face|downcast face with sweat|persevering face|confused face|"
        "anguished face"
    ),
    "red fruits": _names("red apple|strawberry|cherries|watermelon|tomato|grapes"),
    "a yellow fruit": _names("banana|lemon|pineapple|mango"),
    "a wild animal": _names(
        "lion|tiger|tiger face|leopard|wolf|elephant|giraffe|zebra|rhinoceros|hippopotamus|gorilla|"
        "bear|crocodile"
    ),
    "a farm animal": _names("cow|cow face|pig|pig face|ewe|goat|rooster|chicken|horse|ox|turkey|duck"),
    "winter": _names(
        "snowflake|snowman|snowman without snow|skis|snowboarder|ice skate|sled|gloves|scarf|ice|"
        "cold face|skier"
    ),
    "summer at the beach": _names(
        "beach with umbrella|sun|umbrella on ground|tropical drink|sunglasses|bikini|person surfing|"
        "desert island|palm tree|shorts|thong sandal"
    ),
}

_STARRED = _names(
    "Angola|Aruba|Australia|Azerbaijan|Bosnia & Herzegovina|Burkina Faso|Burundi|Cameroon|Cape Verde|"
    "Central African Republic|Chile|China|Christmas Island|Comoros|Congo - Kinshasa|Cook Islands|"
    "Cuba|Curaçao|Djibouti|Dominica|Ethiopia|European Union|Ghana|Grenada|Guinea-Bissau|"
    "Heard & McDonald Islands|Honduras|Hong Kong SAR China|Iraq|Israel|Jordan|Kosovo|Liberia|Libya|"
    "Malaysia|Marshall Islands|Mauritania|Micronesia|Morocco|Mozambique|Myanmar (Burma)|Nauru|"
    "New Zealand|Niue|North Korea|Pakistan|Palestinian Territories|Panama|Papua New Guinea|Paraguay|"
    "Philippines|Puerto Rico|Samoa|Senegal|Singapore|Slovenia|Solomon Islands|Somalia|South Sudan|"
    "St. Kitts & Nevis|Suriname|Syria|São Tomé & Príncipe|Tajikistan|Timor-Leste|Togo|Tokelau|"
    "Tunisia|Turkey|Turkmenistan|Tuvalu|U.S. Outlying Islands|United States|Uzbekistan|Vanuatu|"
    "Venezuela|Vietnam|Western Sahara|Zimbabwe"
)
_MOONED = _names(
    "Algeria|Azerbaijan|Comoros|Libya|Malaysia|Maldives|Mauritania|Pakistan|Singapore|Tunisia|Turkey|"
    "Turkmenistan|Uzbekistan|Western Sahara"
)
_CROSSED = _names(
    "Denmark|Dominican Republic|England|Faroe Islands|Finland|Georgia|Greece|Guernsey|Iceland|Jersey|"
    "Malta|Norway|Scotland|Slovakia|Svalbard & Jan Mayen|Sweden|Switzerland|Tonga|United Kingdom|"
    "Åland Islands"
)


def captions_for(emoji: Emoji, rng: random.Random) -> list[str]:
    """Captions, the plain name first, without repetitions."""
    spoken = spoken_name(emoji)
    captions = [emoji.name, spoken, emoji.base_name]
    captions += [form.format(spoken) for form in rng.sample(_NAME_FORMS, 3)]
    words = [word for word in emoji.keywords if "skin tone" not in word]
    if words:
        captions += [", ".join(words), words[0], rng.choice(words)]
        captions += [" ".join(rng.sample(words, 2)) for _ in range(2) if len(words) > 1]
        captions += [f"{spoken}: {rng.choice(words)}"]
    captions += _KINDS.get(emoji.subgroup, (emoji.subgroup.replace("-", " "),))
    captions += [phrase for phrase, names in _MOODS.items() if emoji.base_name in names]
    captions += _flag_captions(emoji)
    captions += uses_of(emoji)
    return list(dict.fromkeys(captions))


def spoken_name(emoji: Emoji) -> str:
    """The name as one would say it: "flag: Italy" is "flag of Italy"; tones become "with dark skin"."""
    name, colon, details = emoji.name.partition(": ")
    if not colon:
        return name
    if name == "flag":
        return f"flag of {details}"
    parts = [part.replace("skin tone", "skin") for part in details.split(", ")]
    return f"{name} with {' and '.join(parts)}"


def _flag_captions(emoji: Emoji) -> list[str]:
    kind, _, place = emoji.name.partition(": ")
    if kind != "flag":
        return []
    captions = [f"{place} flag", place]
    if place in _STARRED:
        captions += ["a flag with a star", "star on a flag", "a flag with stars"]
    if place in _MOONED:
        captions += ["a flag with a crescent moon"]
    if place in _CROSSED:
        captions += ["a flag with a cross"]
    return captions
