"""What no database says of languages as people who work with their data need it: chosen by hand, and why."""

LIKE = {"nah": "nhe", "oto": "ote", "otk": "oui", "axm": "hye"}
"""Codes of one language in corpora that Glottolog lacks, some those of collections: each stands where another does."""
NAMED = {"nah": "Nahuatl", "oto": "Otomi", "nya": "Chichewa", "luo": "Luo", "ben": "Bengali", "ilo": "Ilocano"}
NAMED |= {"bxr": "Buryat", "div": "Dhivehi", "quc": "K'iche'"}
"""Names in English where those of the databases are of a whole group, or less usual."""
SCRIPTS = {
    "nah": "Latn",
    "oto": "Latn",
    "twi": "Latn",
    "ajp": "Arab",
    "apc": "Arab",
    "ckb": "Arab",
    "bjn": "Latn",
    "min": "Latn",
    "kas": "Arab",
    "knc": "Latn",
    "taq": "Latn",
    "san": "Deva",
    "snd": "Arab",
    "pan": "Guru",
    "uzb": "Latn",
    "aze": "Latn",
    "tat": "Cyrl",
    "yue": "Hant",
    "cop": "Copt",
    "got": "Latn",
    "akk": "Latn",
    "grc": "Grek",
    "lzh": "Hant",
    "orv": "Cyrl",
}
"""The script that most data of a language is in, where CLDR's likely one is another or none."""
EXTRA = {
    "aeb": ["Derja", "Tunsi"],
    "arb": ["Modern Standard Arabic", "MSA"],
    "ary": ["Darija"],
    "arz": ["Masri"],
    "ban": ["Basa Bali"],
    "bar": ["Boarisch", "Bairisch", "Austro-Bavarian"],
    "ckb": ["Sorani"],
    "fry": ["West Frisian"],
    "gsw": ["Schwyzerdütsch", "Schweizerdeutsch", "Schwiizerdütsch", "Alemannic", "Alsatian", "Elsässisch"],
    "hch": ["Wixarika", "Wixárika"],
    "hye": ["Hayeren", "Eastern Armenian"],
    "jav": ["Basa Jawa"],
    "jpn": ["Nihongo"],
    "kik": ["Gĩkũyũ"],
    "kmr": ["Kurmancî"],
    "kor": ["Hangugeo"],
    "msa": ["Bahasa Melayu"],
    "nan": ["Min Nan", "Hokkien", "Taiwanese", "Taiwanese Hokkien", "Southern Min"],
    "nds": ["Plattdüütsch", "Plattdeutsch", "Low Saxon"],
    "nor": ["Bokmål"],
    "nno": ["Nynorsk"],
    "nso": ["Sepedi", "Sesotho sa Leboa"],
    "pcm": ["Naija"],
    "pes": ["Farsi", "Western Persian", "Iranian Persian"],
    "rmy": ["Vlax Romani"],
    "rus": ["Russkij"],
    "sme": ["Sámegiella"],
    "sot": ["Sesotho", "Sotho"],
    "sun": ["Basa Sunda"],
    "tar": ["Rarámuri", "Tarahumara"],
    "yue": ["Yue Chinese", "Gwongdungwaa"],
    "zho": ["Putonghua", "Zhongwen", "Simplified Chinese", "Traditional Chinese"],
}
"""Names that people write and no source of the others has."""
