"""Invented articles in two languages, for `servers.oai`."""

from __future__ import annotations

import random

TOPICS = {
    "tidal mills": "les moulins à marée", "ferry crossings": "les traversées en bac", "hedge laying": "le plessage",
    "salt roads": "les routes du sel", "ice houses": "les glacières", "orchard walls": "les murs à fruits",
    "bell foundries": "les fonderies de cloches", "peat bogs": "les tourbières", "lighthouse diaries":
    "les journaux de phare", "village bakeries": "les fours banals",
}  # fmt: skip


_WHO = [
    ("the parish clerk", "le greffier de la paroisse"),
    ("a widow from the upper village", "une veuve du village d'en haut"),
    ("a travelling surveyor", "un arpenteur de passage"),
    ("the keeper of the register", "le gardien du registre"),
    ("every second household", "un foyer sur deux"),
    ("the youngest of the masons", "le plus jeune des maçons"),
    ("a retired schoolteacher", "une institutrice à la retraite"),
    ("the council of elders", "le conseil des anciens"),
    ("a merchant from the coast", "un marchand de la côte"),
    ("an unnamed apprentice", "un apprenti sans nom"),
]
_DID = [
    ("wrote down without comment", "nota sans commentaire"),
    ("refused for years to discuss", "refusa longtemps de discuter"),
    ("measured again in spring", "mesura de nouveau au printemps"),
    ("sold at a loss", "vendit à perte"),
    ("praised in a long letter", "loua dans une longue lettre"),
    ("repaired with borrowed tools", "répara avec des outils prêtés"),
    ("compared to an older custom", "compara à un usage plus ancien"),
    ("kept hidden from visitors", "cacha aux visiteurs"),
    ("described to the magistrate", "décrivit au magistrat"),
    ("left to a distant cousin", "légua à un cousin éloigné"),
]
_WHAT = [
    ("the wooden gauge beside the weir", "la jauge de bois près du barrage"),
    ("a dispute over three fences", "une querelle de trois clôtures"),
    ("the price of lamp oil", "le prix de l'huile de lampe"),
    ("the order of the harvest", "l'ordre de la moisson"),
    ("a chest of unpaid bills", "un coffre de factures impayées"),
    ("the songs of the night shift", "les chants de l'équipe de nuit"),
    ("the path across the marsh", "le sentier à travers le marais"),
    ("a stone with two dates", "une pierre à deux dates"),
    ("the weights of the public scale", "les poids de la balance publique"),
    ("the rules of the common oven", "les règles du four commun"),
]
_WHEN = [
    ("before the winter of the great frost", "avant l'hiver du grand gel"),
    ("while the bridge was closed", "pendant que le pont était fermé"),
    ("although nobody had asked for it", "bien que personne ne l'eût demandé"),
    ("as soon as the tax was lifted", "dès que l'impôt fut levé"),
    ("until the last ferry had left", "jusqu'au départ du dernier bac"),
    ("because the archive had burned", "parce que les archives avaient brûlé"),
    ("in the presence of four witnesses", "en présence de quatre témoins"),
    ("during the second census", "pendant le deuxième recensement"),
    ("long after the harvest was in", "bien après la rentrée des récoltes"),
    ("against the advice of the doctor", "contre l'avis du médecin"),
]


def english(topic: str) -> list[str]:
    """Paragraphs of an article, 150 words and more; no other article has them."""
    return _paragraphs(topic, 0)


def french(topic: str) -> list[str]:
    """The same in French, by the English name of the topic."""
    return _paragraphs(topic, 1)


def _paragraphs(topic: str, language: int) -> list[str]:
    """Two paragraphs of eight sentences each, of words that the topic chooses, the same ones in both languages."""
    choice = random.Random(topic)
    name = (topic, TOPICS[topic])[language]
    begins = (
        (
            f"This study follows {name} through three generations.",
            f"Cette étude suit {name} à travers trois générations.",
        ),
        (f"The second part returns to {name}.", f"La deuxième partie revient sur {name}."),
    )
    found = []
    for begin in begins:
        sentences = [begin[language]]
        for _ in range(8):
            words = [choice.choice(pairs)[language] for pairs in (_WHO, _DID, _WHAT, _WHEN)]
            sentence = " ".join(words)
            sentences.append(f"{sentence[0].upper()}{sentence[1:]}.")
        found.append(" ".join(sentences))
    return found
