"""Texts of acts that never were, for the CELLAR of the tests: title and articles (heading, paragraphs) by language."""

from __future__ import annotations

Text = tuple[str, list[tuple[str, list[str]]]]

TOWERS: dict[str, Text] = {
    "en": (
        "Regulation of 4 March 2019 on the care of public clock towers and of their bells",
        [
            ("Subject matter", [
                "This Regulation lays down how towns look after the towers in which public clocks and bells "
                "are kept, who may climb them, and what is written down about every repair.",
                "It does not apply to towers that stand on private ground and cannot be heard from any public "
                "road.",
            ]),
            ("Keepers", [
                "Each town names a keeper, who holds the keys, winds the clock on the first day of the week "
                "and reports to the council whenever a bell sounds cracked or a step of the stairs has become "
                "loose.",
                "A keeper who is ill or travelling may hand over the keys for no longer than six weeks, and "
                "the name of the person who takes over is written in the tower's book before the keys change "
                "hands.",
            ]),
            ("The tower's book", [
                "The book is kept dry, in the lowest room of the tower. It says on which day the clock was "
                "wound, how many minutes it had lost, which parts were oiled, and what the weather had been "
                "since the last entry.",
            ]),
            ("Visits by schools", [
                "Schools may visit a tower twice a year. Not more than twelve children climb the stairs at the"
                " same time, and the bells stay silent while anyone is above the second floor.",
            ]),
        ],
    ),
    "fr": (
        "Règlement du 4 mars 2019 relatif à l'entretien des tours d'horloge publiques et de leurs cloches",
        [
            ("Objet", [
                "Le présent règlement fixe la manière dont les communes entretiennent les tours qui abritent "
                "les horloges et les cloches publiques, les personnes qui peuvent y monter et ce qui est noté "
                "de chaque réparation.",
                "Il ne s'applique pas aux tours situées sur un terrain privé et que l'on n'entend d'aucune "
                "voie publique.",
            ]),
            ("Gardiens", [
                "Chaque commune désigne un gardien, qui détient les clés, remonte l'horloge le premier jour de"
                " la semaine et avertit le conseil dès qu'une cloche sonne fêlée ou qu'une marche de "
                "l'escalier bouge.",
                "Le gardien malade ou en voyage peut confier les clés pour six semaines au plus ; le nom de la"
                " personne qui le remplace est inscrit dans le livre de la tour avant la remise des clés.",
            ]),
            ("Livre de la tour", [
                "Le livre est conservé au sec, dans la pièce la plus basse de la tour. Il indique le jour où "
                "l'horloge a été remontée, les minutes qu'elle avait perdues, les pièces huilées et le temps "
                "qu'il a fait depuis la dernière inscription.",
            ]),
            ("Visites des écoles", [
                "Les écoles peuvent visiter une tour deux fois par an. Douze enfants au plus montent "
                "l'escalier en même temps, et les cloches se taisent tant que quelqu'un se trouve au-dessus du"
                " deuxième étage.",
            ]),
        ],
    ),
    "de": (
        "Verordnung vom 4. März 2019 über die Pflege öffentlicher Uhrtürme und ihrer Glocken",
        [
            ("Gegenstand", [
                "Diese Verordnung legt fest, wie die Gemeinden die Türme pflegen, in denen öffentliche Uhren "
                "und Glocken untergebracht sind, wer sie besteigen darf und was über jede Ausbesserung "
                "aufgeschrieben wird.",
                "Sie gilt nicht für Türme, die auf privatem Grund stehen und von keiner öffentlichen Straße "
                "aus zu hören sind.",
            ]),
            ("Türmer", [
                "Jede Gemeinde bestellt einen Türmer, der die Schlüssel verwahrt, die Uhr am ersten Tag der "
                "Woche aufzieht und dem Rat meldet, wenn eine Glocke gesprungen klingt oder eine Stufe der "
                "Treppe locker geworden ist.",
                "Ein Türmer, der krank oder verreist ist, darf die Schlüssel höchstens sechs Wochen lang "
                "weitergeben; wer ihn vertritt, wird im Turmbuch eingetragen, bevor die Schlüssel übergeben "
                "werden.",
            ]),
            ("Turmbuch", [
                "Das Buch wird trocken im untersten Raum des Turms aufbewahrt. Es hält fest, an welchem Tag "
                "die Uhr aufgezogen wurde, wie viele Minuten sie nachging, welche Teile geölt wurden und wie "
                "das Wetter seit dem letzten Eintrag war.",
            ]),
            ("Besuche von Schulen", [
                "Schulen dürfen einen Turm zweimal im Jahr besuchen. Höchstens zwölf Kinder steigen "
                "gleichzeitig die Treppe hinauf, und die Glocken schweigen, solange sich jemand über dem "
                "zweiten Stockwerk aufhält.",
            ]),
        ],
    ),
    "el": (
        "Κανονισμός της 4ης Μαρτίου 2019 για τη φροντίδα των δημόσιων πύργων ρολογιών και των καμπανών τους",
        [
            ("Αντικείμενο", [
                "Ο παρών κανονισμός ορίζει πώς οι δήμοι φροντίζουν τους πύργους στους οποίους φυλάσσονται "
                "δημόσια ρολόγια και καμπάνες, ποιοι μπορούν να ανεβαίνουν σε αυτούς και τι γράφεται για κάθε "
                "επισκευή.",
                "Δεν εφαρμόζεται σε πύργους που βρίσκονται σε ιδιωτικό έδαφος και δεν ακούγονται από κανέναν "
                "δημόσιο δρόμο.",
            ]),
            ("Φύλακες", [
                "Κάθε δήμος ορίζει έναν φύλακα, ο οποίος κρατά τα κλειδιά, κουρδίζει το ρολόι την πρώτη ημέρα "
                "της εβδομάδας και ενημερώνει το συμβούλιο όταν μια καμπάνα ηχεί ραγισμένη ή ένα σκαλοπάτι "
                "έχει χαλαρώσει.",
                "Ο φύλακας που είναι άρρωστος ή ταξιδεύει μπορεί να παραδώσει τα κλειδιά για έξι εβδομάδες το "
                "πολύ, και το όνομα του αντικαταστάτη γράφεται στο βιβλίο του πύργου πριν αλλάξουν χέρια τα "
                "κλειδιά.",
            ]),
            ("Το βιβλίο του πύργου", [
                "Το βιβλίο φυλάσσεται στεγνό στο χαμηλότερο δωμάτιο του πύργου. Αναφέρει ποια ημέρα "
                "κουρδίστηκε το ρολόι, πόσα λεπτά είχε χάσει, ποια μέρη λαδώθηκαν και τι καιρό έκανε από την "
                "τελευταία εγγραφή.",
            ]),
            ("Επισκέψεις σχολείων", [
                "Τα σχολεία μπορούν να επισκέπτονται έναν πύργο δύο φορές τον χρόνο. Δεν ανεβαίνουν τη σκάλα "
                "περισσότερα από δώδεκα παιδιά ταυτόχρονα, και οι καμπάνες σιωπούν όσο κάποιος βρίσκεται πάνω "
                "από τον δεύτερο όροφο.",
            ]),
        ],
    ),
}  # fmt: skip

FERRIES: dict[str, Text] = {
    "en": (
        "Directive of 9 June 2020 on small ferries drawn along a rope across rivers",
        [
            ("Scope", [
                "Member States make sure that a ferry which is drawn along a rope, carries at most forty "
                "passengers and crosses a river of less than three hundred metres is built, looked after and "
                "steered as set out below.",
            ]),
            ("The rope", [
                "The rope is made of steel or hemp. It is looked at over its whole length each spring, after "
                "the high water has gone, and replaced as soon as one strand in twenty is broken. Boats that "
                "pass must be able to see it by day and by night, so that flags hang from it, and lamps from "
                "dusk until dawn.",
            ]),
            ("Ferrymen", [
                "A ferryman is at least eighteen years old, swims well and knows the river. The ferry does not"
                " leave when fog hides the other bank, when ice drifts, or when the wind blows harder than the"
                " ferryman can pull against with one assistant.",
            ]),
            ("Fares", [
                "Fares are painted on a board at both landings, in letters that can be read from ten paces. "
                "Children under six, dogs and messages travel free of charge.",
            ]),
        ],
    ),
    "fr": (
        "Directive du 9 juin 2020 relative aux petits bacs tirés le long d'un câble en travers des rivières",
        [
            ("Champ d'application", [
                "Les États membres veillent à ce que tout bac tiré le long d'un câble, qui transporte quarante"
                " passagers au plus et traverse une rivière de moins de trois cents mètres, soit construit, "
                "entretenu et conduit comme il est dit ci-après.",
            ]),
            ("Câble", [
                "Le câble est d'acier ou de chanvre. Il est examiné sur toute sa longueur chaque printemps, "
                "après la crue, et remplacé dès qu'un brin sur vingt est rompu. Les bateaux qui passent "
                "doivent le voir de jour comme de nuit : des fanions y pendent, et des lampes du crépuscule à "
                "l'aube.",
            ]),
            ("Passeurs", [
                "Le passeur a dix-huit ans au moins, nage bien et connaît la rivière. Le bac ne part pas "
                "lorsque le brouillard cache l'autre rive, lorsque des glaces dérivent ou lorsque le vent "
                "souffle plus fort que le passeur ne peut tirer avec un aide.",
            ]),
            ("Tarifs", [
                "Les tarifs sont peints sur un panneau aux deux embarcadères, en lettres lisibles à dix pas. "
                "Les enfants de moins de six ans, les chiens et les messages voyagent gratuitement.",
            ]),
        ],
    ),
    "de": (
        "Richtlinie vom 9. Juni 2020 über kleine Fähren, die an einem Seil über Flüsse gezogen werden",
        [
            ("Anwendungsbereich", [
                "Die Mitgliedstaaten sorgen dafür, dass eine Fähre, die an einem Seil gezogen wird, höchstens "
                "vierzig Fahrgäste befördert und einen weniger als dreihundert Meter breiten Fluss quert, so "
                "gebaut, gepflegt und geführt wird, wie es im Folgenden steht.",
            ]),
            ("Seil", [
                "Das Seil besteht aus Stahl oder Hanf. Es wird in jedem Frühjahr nach dem Hochwasser in ganzer"
                " Länge geprüft und ersetzt, sobald eine von zwanzig Litzen gerissen ist. Vorbeifahrende Boote"
                " müssen es bei Tag und bei Nacht sehen können: Fähnchen hängen daran und von der Dämmerung "
                "bis zum Morgen Lampen.",
            ]),
            ("Fährleute", [
                "Ein Fährmann ist mindestens achtzehn Jahre alt, schwimmt gut und kennt den Fluss. Die Fähre "
                "legt nicht ab, wenn Nebel das andere Ufer verdeckt, wenn Eis treibt oder wenn der Wind "
                "stärker weht, als der Fährmann mit einem Gehilfen ziehen kann.",
            ]),
            ("Fahrpreise", [
                "Die Fahrpreise stehen an beiden Anlegestellen auf einer Tafel, in Buchstaben, die auf zehn "
                "Schritte zu lesen sind. Kinder unter sechs Jahren, Hunde und Nachrichten fahren umsonst.",
            ]),
        ],
    ),
}  # fmt: skip

OTHERS = {
    "bg": "Всяка община назначава пазител, който навива часовника и записва всяка поправка в книгата на кулата.",
    "cs": "Každá obec jmenuje správce, který natahuje hodiny a každou opravu zapíše do knihy věže.",
    "da": "Hver kommune udpeger en tårnvogter, som trækker uret op og skriver hver reparation i tårnets bog.",
    "es": "Cada municipio nombra a un guardián que da cuerda al reloj y anota cada reparación en el libro de la "
    "torre.",
    "et": "Iga linn nimetab tornivahi, kes keerab kella üles ja kirjutab iga paranduse torni raamatusse.",
    "fi": "Jokainen kunta nimeää torninvartijan, joka vetää kellon ja kirjaa jokaisen korjauksen tornin kirjaan.",
    "ga": "Ainmníonn gach baile coimeádaí a thochraiseann an clog agus a scríobhann gach deisiú i leabhar an túir.",
    "hr": "Svaka općina imenuje čuvara koji navija sat i svaki popravak upisuje u knjigu tornja.",
    "hu": "Minden település kijelöl egy toronyőrt, aki felhúzza az órát, és minden javítást beír a torony könyvébe.",
    "it": "Ogni comune nomina un custode che carica l'orologio e annota ogni riparazione nel libro della torre.",
    "lt": "Kiekviena savivaldybė skiria bokšto sargą, kuris prisuka laikrodį ir kiekvieną taisymą įrašo į bokšto "
    "knygą.",
    "lv": "Katra pašvaldība ieceļ torņa sargu, kas uzvelk pulksteni un katru remontu ieraksta torņa grāmatā.",
    "mt": "Kull belt taħtar għassies li jkarga l-arloġġ u jikteb kull tiswija fil-ktieb tat-torri.",
    "nl": "Elke gemeente benoemt een torenwachter die het uurwerk opwindt en elke herstelling in het torenboek "
    "schrijft.",
    "pl": "Każda gmina wyznacza strażnika, który nakręca zegar i wpisuje każdą naprawę do księgi wieży.",
    "pt": "Cada município nomeia um guarda que dá corda ao relógio e anota cada reparação no livro da torre.",
    "ro": "Fiecare comună numește un paznic care întoarce ceasul și notează fiecare reparație în cartea turnului.",
    "sk": "Každá obec vymenuje správcu, ktorý naťahuje hodiny a každú opravu zapíše do knihy veže.",
    "sl": "Vsaka občina imenuje čuvaja, ki navija uro in vsako popravilo zapiše v knjigo stolpa.",
    "sv": "Varje kommun utser en tornväktare som drar upp uret och skriver in varje reparation i tornets bok.",
}  # fmt: skip


def short(language: str) -> Text:
    """A text of one sentence, said in each of ten articles."""
    said = OTHERS[language]
    return said, [(f"{number}", [f"{said} ({number * 7})", f"{said} ({number * 11})"]) for number in range(1, 11)]
