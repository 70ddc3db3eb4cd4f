"""What language models say when they refuse, apologise or hedge, in several languages: data, to be extended.

The phrases are the common openings of such answers, in lower case and without regard to the kind of apostrophe; they
are matched anywhere in the part of a text that is looked at, at the border of a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

REFUSALS: tuple[str, ...] = (
    "i can't help", "i cannot help", "i can't assist", "i cannot assist", "i can't provide", "i cannot provide",
    "i can't comply", "i cannot comply", "i can't answer", "i cannot answer", "i can't do that", "i cannot do that",
    "i can't support", "i cannot support", "i can't generate", "i cannot generate", "i can't create", "i cannot create",
    "i can't share", "i cannot share", "i can't discuss", "i cannot discuss", "i can't give", "i cannot give",
    "i can't fulfill", "i cannot fulfill", "i can't engage", "i cannot engage", "i won't be able", "i will not",
    "i'm unable", "i am unable", "i'm not able", "i am not able", "unable to assist", "unable to help",
    "not comfortable", "as an ai", "against my guidelines", "can't assist with that", "it is inappropriate",
    "it is not appropriate", "not possible for me", "i must decline", "i have to decline",
    "ich kann dir nicht", "ich kann ihnen nicht", "ich kann dabei nicht", "kann ich nicht helfen", "nicht möglich",
    "je ne peux pas", "je ne suis pas en mesure", "no puedo ayudar", "no puedo proporcionar", "no me es posible",
    "non posso aiutar", "non sono in grado", "não posso ajudar", "não consigo", "ik kan u niet", "ik kan je niet",
    "nie mogę", "申し訳", "できません", "お手伝いできません", "我无法", "我不能",
    "無法提供", "도와드릴 수 없", "не могу помочь",
)  # fmt: skip

APOLOGIES: tuple[str, ...] = (
    "i'm sorry", "i am sorry", "sorry,", "i apologize", "i apologise", "my apologies", "unfortunately",
    "es tut mir leid", "tut mir leid", "entschuldigung", "leider", "je suis désolé", "désolé", "malheureusement",
    "lo siento", "lamentablemente", "mi dispiace", "purtroppo", "desculpe", "infelizmente", "het spijt me", "helaas",
    "przykro mi", "niestety", "すみません", "申し訳ありません", "抱歉", "对不起", "죄송합니다",
    "к сожалению", "извините",
)  # fmt: skip

HEDGES: tuple[str, ...] = (
    "may", "might", "could", "perhaps", "possibly", "probably", "likely", "generally", "typically", "usually",
    "however", "it depends", "it seems", "appears to", "i believe", "i think", "not sure", "vielleicht",
    "möglicherweise", "wahrscheinlich", "könnte", "peut-être", "probablement", "quizás", "probablemente", "tal vez",
    "forse", "probabilmente", "talvez", "misschien", "waarschijnlijk", "może",
)  # fmt: skip


#: What users say to an answer that they do not believe or that was not what they asked for.
DOUBTS: tuple[str, ...] = (
    "are you sure", "that's not right", "that is not right", "that isn't right", "that's wrong", "that is wrong",
    "can't be right", "cannot be right", "can't be true", "not correct", "that's incorrect", "you're wrong",
    "you are wrong", "not what i asked", "not what i meant", "that's not what", "that is not what",
    "didn't answer", "did not answer", "doesn't answer", "no, i mean", "i meant", "check again", "double check",
    "double-check", "try again", "something else", "something different", "says otherwise", "told me otherwise",
    "the opposite", "since when", "still not working", "didn't work", "did not work",
    "bist du sicher", "sind sie sicher", "sicher?", "stimmt nicht", "nicht stimmen", "das ist falsch",
    "etwas anderes", "aber anders", "noch mal prüfen", "nochmal prüfen", "nicht was ich", "ich meinte", "seit wann",
    "vous êtes sûr", "tu es sûr", "êtes-vous sûr", "c'est faux", "ce n'est pas ce qu", "ce n'est pas correct",
    "pas ce que j", "depuis quand", "autre chose", "seguro?", "¿seguro", "está seguro", "estás seguro",
    "no es correcto", "no es lo que", "algo distinto", "otra cosa", "desde cuándo", "sei sicuro", "è sicuro",
    "non è corretto", "non è quello che", "tem certeza", "não está correto", "não é o que", "weet je het zeker",
    "klopt niet", "jesteś pewien", "to nieprawda", "本当ですか", "違います", "你确定", "不对", "확실한가요",
    "вы уверены", "это неправда", "неверно",
)  # fmt: skip


def pattern_of(phrases: Iterable[str]) -> str:
    """Give a regular expression (RE2, without regard to case) that finds any of the phrases."""
    import re

    def one(phrase: str) -> str:
        escaped = re.escape(phrase).replace("'", "['’]")
        # Scripts that do not separate words have no border to match.
        return (
            rf"\b{escaped}" + (r"\b" if phrase[-1].isascii() and phrase[-1].isalnum() else "")
            if (phrase[0].isascii())
            else escaped
        )

    return "(?i)(?:" + "|".join(one(phrase) for phrase in phrases) + ")"
