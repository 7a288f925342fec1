"""Prose in six languages, made of parts: grammatical, different on every page, the same on every run."""

from __future__ import annotations

import html
import io
from random import Random

PARTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "en": (
        ("The harbour committee", "A young engineer from the coast", "The town library", "Our regional court",
         "The farmers of the valley", "A retired teacher", "The museum of glass", "Each of the three villages",
         "The new ferry company", "A group of students", "The weather office", "The oldest bakery in the street",
         "The national archive", "A visiting botanist"),
        ("has carefully rebuilt", "would like to sell", "is still looking after", "quietly gave away",
         "measured and described", "will soon replace", "refused to close", "has been painting", "finally opened",
         "borrowed money for", "wrote a long report about", "was proud to show"),
        ("the wooden bridge", "a collection of old maps", "the garden behind the station", "two hundred letters",
         "the lighthouse and its stairs", "a small boat with red sails", "the water supply of the island",
         "a recipe for dark bread", "the statutes of the guild", "seven paintings of the river",
         "the path that leads to the quarry", "a clock without hands", "the roof of the market hall",
         "an orchard of forgotten apples"),
        ("because the winter had been long", "although nobody had asked for it",
         "after a meeting that lasted all night",
         "before the first guests arrived", "while the children were at school", "as soon as the rain stopped",
         "so that everyone could see it", "when the price of timber fell", "without telling the neighbours",
         "as the law of the land requires", "in spite of the noise from the mill", "with help from a bank in the city",
         "until the money ran out", "during the quiet weeks of autumn"),
    ),
    "fr": (
        ("Le conseil du port", "Une jeune ingénieure de la côte", "La bibliothèque de la ville",
         "Notre tribunal régional",
         "Les paysannes de la vallée", "Un instituteur à la retraite", "Le musée du verre", "Chacun des trois villages",
         "La nouvelle compagnie de bacs", "Un groupe d'étudiantes", "Le bureau de la météo",
         "La plus vieille boulangerie de la rue", "Le service des archives", "Une botaniste de passage"),
        ("a patiemment reconstruit", "voudrait bien vendre", "doit encore entretenir", "vient de céder sans bruit",
         "a mesuré puis décrit", "va bientôt remplacer", "refuse toujours de fermer", "a longtemps voulu peindre",
         "a enfin pu ouvrir", "cherche de l'argent pour", "a écrit un long rapport sur", "était fière de montrer"),
        ("le pont de bois", "une collection de vieilles cartes", "le jardin derrière la gare", "deux cents lettres",
         "le phare et son escalier", "un petit bateau à voiles rouges", "le réservoir d'eau de l'île",
         "une recette de pain noir", "les statuts de la confrérie", "sept tableaux de la rivière",
         "le sentier qui mène à la carrière", "une horloge sans aiguilles", "le toit des halles",
         "un verger de pommes oubliées"),
        ("parce que l'hiver avait été long", "alors que personne ne le demandait",
         "après une réunion qui a duré toute la nuit", "avant l'arrivée des premiers invités",
         "pendant que les enfants étaient à l'école", "dès que la pluie a cessé",
         "pour que tout le monde puisse le voir",
         "quand le prix du bois a baissé", "sans prévenir les voisins", "comme le veut la loi du pays",
         "malgré le bruit du moulin", "avec l'aide d'une banque de la capitale", "jusqu'à ce que l'argent manque",
         "au cours des semaines calmes de l'automne"),
    ),
    "de": (
        ("Der Rat des Hafens", "Eine junge Ingenieurin von der Küste", "Die Bibliothek der Stadt",
         "Unser Gericht im Süden", "Der Verein der Bauern", "Ein alter Lehrer", "Das Museum für Glas",
         "Jedes der drei Dörfer", "Die neue Gesellschaft der Fähren", "Eine Gruppe von Studenten", "Das Amt für Wetter",
         "Die älteste Bäckerei der Straße", "Das Archiv des Landes", "Eine Botanikerin auf der Reise"),
        ("beschreibt in einem Buch", "verkauft nun doch", "pflegt seit vielen Jahren", "verschenkte ohne ein Wort",
         "vermisst und zeichnet", "ersetzt im nächsten Jahr", "behält trotz allem", "malte immer wieder",
         "eröffnete am Ende", "bezahlt mit geliehenem Geld", "zeigt mit großem Stolz", "sucht schon sehr lange"),
        ("die Brücke aus Holz", "eine Sammlung alter Karten", "den Garten hinter dem Bahnhof", "zweihundert Briefe",
         "den Leuchtturm mit seiner Treppe", "ein kleines Boot mit roten Segeln", "das Wasserwerk der Insel",
         "ein Rezept für dunkles Brot", "die Satzung der Zunft", "sieben Bilder vom Fluss",
         "den Weg zum alten Steinbruch", "eine Uhr ohne Zeiger", "das Dach der Markthalle",
         "eine Wiese mit vergessenen Äpfeln"),
        ("weil der Winter lang gewesen war", "obwohl niemand danach gefragt hatte",
         "nach einer Sitzung, die bis zum Morgen dauerte", "bevor die ersten Gäste kamen",
         "während die Kinder in der Schule saßen", "sobald der Regen aufhörte", "damit alle es sehen können",
         "als der Preis für Holz fiel", "ohne den Nachbarn etwas zu sagen", "wie es das Gesetz des Landes verlangt",
         "trotz des Lärms aus der Mühle", "mit der Hilfe einer Bank aus der Hauptstadt",
         "bis das Geld zu Ende ging", "in den ruhigen Wochen des Herbstes"),
    ),
    "es": (
        ("La junta del puerto", "Una joven ingeniera de la costa", "La biblioteca de la ciudad",
         "Nuestro tribunal de la región", "La asociación de labradores", "Un maestro jubilado", "El museo del vidrio",
         "Cada uno de los tres pueblos", "La nueva empresa de barcos", "Un grupo de estudiantes",
         "La oficina del tiempo", "La panadería más antigua de la calle", "El archivo del país",
         "Una botánica de viaje"),
        ("ha reconstruido con paciencia", "quisiera vender", "todavía tiene que cuidar", "regaló sin decir nada",
         "midió y describió", "va a sustituir muy pronto", "no quiso cerrar", "ha pintado muchas veces",
         "abrió por fin", "pidió dinero para", "escribió un largo informe sobre", "enseñó con mucho orgullo"),
        ("el puente de madera", "una colección de mapas viejos", "el jardín de detrás de la estación",
         "doscientas cartas", "el faro y su escalera", "un pequeño barco de velas rojas",
         "el depósito de agua de la isla",
         "una receta de pan oscuro", "los estatutos del gremio", "siete cuadros del río",
         "el camino que lleva a la cantera", "un reloj sin agujas", "el tejado del mercado",
         "un huerto de manzanas olvidadas"),
        ("porque el invierno había sido largo", "aunque nadie lo había pedido",
         "después de una reunión que duró toda la noche", "antes de que llegaran los primeros invitados",
         "mientras los niños estaban en la escuela", "en cuanto dejó de llover", "para que todos pudieran verlo",
         "cuando bajó el precio de la madera", "sin avisar a los vecinos", "como manda la ley del país",
         "a pesar del ruido del molino", "con la ayuda de un banco de la capital", "hasta que se acabó el dinero",
         "durante las semanas tranquilas del otoño"),
    ),
    "it": (
        ("Il consiglio del porto", "Una giovane ingegnera della costa", "La biblioteca della città",
         "Il nostro tribunale di zona", "L'unione dei contadini", "Un maestro in pensione", "Il museo del vetro",
         "Ognuno dei tre paesi", "La nuova società dei traghetti", "Un gruppo di studenti", "L'ufficio del tempo",
         "Il forno più antico della strada", "L'archivio dello stato", "Una botanica in viaggio"),
        ("ha ricostruito con pazienza", "vorrebbe vendere", "deve ancora curare", "ha regalato senza rumore",
         "ha misurato e descritto", "presto dovrà sostituire", "non ha voluto chiudere", "ha dipinto molte volte",
         "ha finalmente aperto", "cerca i soldi per", "ha scritto una lunga relazione su",
         "mostra con grande orgoglio"),
        ("il ponte di legno", "una raccolta di vecchie mappe", "il giardino dietro la stazione", "duecento lettere",
         "il faro e la sua scala", "una piccola barca dalle vele rosse", "la riserva d'acqua dell'isola",
         "una ricetta di pane scuro", "lo statuto della confraternita", "sette quadri del fiume",
         "il sentiero che porta alla cava", "un orologio senza lancette", "il tetto del mercato",
         "un frutteto di mele dimenticate"),
        ("perché l'inverno era stato lungo", "anche se nessuno lo aveva chiesto",
         "dopo una riunione durata tutta la notte", "prima che arrivassero i primi ospiti",
         "mentre i bambini erano a scuola", "appena la pioggia è finita", "in modo che tutti possano vederlo",
         "quando il prezzo del legno è sceso", "senza avvertire i vicini", "come vuole la legge del paese",
         "malgrado il rumore del mulino", "con l'aiuto di una banca della capitale", "finché i soldi sono finiti",
         "nelle settimane tranquille dell'autunno"),
    ),
    "pt": (
        ("O conselho do porto", "Uma jovem engenheira da costa", "A biblioteca da cidade", "O nosso tribunal da região",
         "A união dos lavradores", "Um professor reformado", "O museu do vidro", "Cada uma das três aldeias",
         "A nova empresa de barcos", "Um grupo de estudantes", "O gabinete do tempo", "A padaria mais antiga da rua",
         "O arquivo do estado", "Uma botânica em viagem"),
        ("reconstruiu com paciência", "gostaria de vender", "ainda tem de cuidar de", "ofereceu sem dizer nada",
         "mediu e descreveu", "vai em breve substituir", "não quis fechar", "pintou muitas vezes", "abriu finalmente",
         "pediu dinheiro para", "escreveu um longo relatório sobre", "mostrou com muito orgulho"),
        ("a ponte de madeira", "uma coleção de mapas velhos", "o jardim atrás da estação", "duzentas cartas",
         "o farol e a sua escada", "um pequeno barco de velas vermelhas", "o depósito de água da ilha",
         "uma receita de pão escuro", "os estatutos da irmandade", "sete quadros do rio",
         "o caminho que leva à pedreira", "um relógio sem ponteiros", "o telhado do mercado",
         "um pomar de maçãs esquecidas"),
        ("porque o inverno tinha sido longo", "embora ninguém o tivesse pedido",
         "depois de uma reunião que durou a noite inteira", "antes de chegarem os primeiros convidados",
         "enquanto as crianças estavam na escola", "assim que a chuva parou", "para que todos o pudessem ver",
         "quando o preço da madeira desceu", "sem avisar os vizinhos", "como manda a lei do país",
         "apesar do barulho do moinho", "com a ajuda de um banco da capital", "até o dinheiro acabar",
         "nas semanas calmas do outono"),
    ),
}  # fmt: skip
"""Of each language: who, does, what, and in which circumstances."""
LANGUAGES = tuple(PARTS)
Links = list[tuple[str, str]]


def sentence(random: Random, language: str) -> str:
    who, does, what, how = PARTS[language]
    first, second = random.sample(what, 2)
    joint = {"en": "and", "fr": "et", "de": "und", "es": "y", "it": "e", "pt": "e"}[language]
    middle = f"{random.choice(does)} {first}" + (f" {joint} {second}" if random.random() < 0.4 else "")
    return f"{random.choice(who)} {middle}, {random.choice(how)}."


def paragraphs(seed: str, language: str, words: int = 170) -> list[str]:
    """Paragraphs of three to five sentences, of at least so many words together."""
    random = Random(seed)
    found: list[str] = []
    while sum(len(text.split()) for text in found) < words:
        found.append(" ".join(sentence(random, language) for _ in range(random.randint(3, 5))))
    return found


def title(seed: str, language: str) -> str:
    random = Random(f"title of {seed}")
    who, _, what, how = PARTS[language]
    return f"{random.choice(who)}: {random.choice(what)}, {random.choice(how)}"


def page(seed: str, language: str, links: Links, head: str = "", note: str = "", words: int = 170) -> str:
    """An HTML page; `links`: attributes of an `a` element, as `href="..."`, and its text; `head`: HTML for its head."""
    heading = html.escape(title(seed, language))
    prose = "\n".join(f"<p>{html.escape(text)}</p>" for text in [*paragraphs(seed, language, words), note] if text)
    menu = "\n".join(f"<li><a {attributes}>{html.escape(text)}</a></li>" for attributes, text in links)
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{heading}</title>\n{head}</head>\n"
        f"<body>\n<main><article>\n<h1>{heading}</h1>\n{prose}\n</article></main>\n"
        f"<nav><ul>\n{menu}\n</ul></nav>\n</body>\n</html>\n"
    )


def pdf(seed: str, language: str) -> bytes:
    """A PDF of one page or two; the same bytes every time."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, SimpleDocTemplate

    styles, file = getSampleStyleSheet(), io.BytesIO()
    story = [Paragraph(title(seed, language), styles["Heading1"])]
    story += [Paragraph(text, styles["BodyText"]) for text in paragraphs(seed, language, 260)]
    SimpleDocTemplate(file, pagesize=A4, invariant=1, title=title(seed, language), lang=language).build(story)
    return file.getvalue()
