"""Languages as FLORES, HPLT and FineWeb2 label them: ISO 639-3 and the script, `fra_Latn`.

A macro-language stands under its standard variety: Chinese `cmn`, Arabic `arb`, Persian `pes`, Norwegian `nob`,
Estonian `ekk`, Latvian `lvs`, Albanian `als`, Malay `zsm`, Swahili `swh`, Azerbaijani `azj`, Uzbek `uzn`.
"""

from __future__ import annotations

_CODES = (
    "aa:aar ab:abk af:afr ak:aka am:amh ar:arb an:arg as:asm av:ava ay:ayr az:azj ba:bak bm:bam be:bel bn:ben bh:bho "
    "bi:bis bo:bod bs:bos br:bre bg:bul ca:cat cs:ces ch:cha ce:che cu:chu cv:chv kw:cor co:cos cr:cre cy:cym da:dan "
    "de:deu dv:div dz:dzo el:ell en:eng eo:epo et:ekk eu:eus ee:ewe fo:fao fa:pes fj:fij fi:fin fr:fra fy:fry ff:fuv "
    "gd:gla ga:gle gl:glg gv:glv gn:gug gu:guj ht:hat ha:hau sh:hbs he:heb hz:her hi:hin ho:hmo hr:hrv hu:hun hy:hye "
    "ig:ibo io:ido ii:iii iu:iku ie:ile ia:ina id:ind ik:ipk is:isl it:ita jv:jav ja:jpn kl:kal kn:kan ks:kas ka:kat "
    "kr:knc kk:kaz km:khm ki:kik rw:kin ky:kir kv:kpv kg:kon ko:kor kj:kua ku:kmr lo:lao la:lat lv:lvs li:lim ln:lin "
    "lt:lit lb:ltz lu:lub lg:lug mh:mah ml:mal mr:mar mk:mkd mg:plt mt:mlt mn:khk mi:mri ms:zsm my:mya na:nau nv:nav "
    "nr:nbl nd:nde ng:ndo ne:npi nl:nld nn:nno nb:nob no:nob ny:nya oc:oci oj:oji or:ory om:gaz os:oss pa:pan pi:pli "
    "pl:pol pt:por ps:pbt qu:quy rm:roh ro:ron rn:run ru:rus sg:sag sa:san si:sin sk:slk sl:slv se:sme sm:smo sn:sna "
    "sd:snd so:som st:sot es:spa sq:als sc:srd sr:srp ss:ssw su:sun sw:swh sv:swe ty:tah ta:tam tt:tat te:tel tg:tgk "
    "tl:tgl th:tha ti:tir to:ton tn:tsn ts:tso tk:tuk tr:tur tw:twi ug:uig uk:ukr ur:urd uz:uzn ve:ven vi:vie vo:vol "
    "wa:wln wo:wol xh:xho yi:ydd yo:yor za:zha zh:cmn zu:zul"
)
CODES = dict(pair.split(":") for pair in _CODES.split())
"""ISO 639-3 of a BCP 47 primary subtag of two letters; a subtag of three is its own."""

_SCRIPTS = (
    "ab:Cyrl av:Cyrl ba:Cyrl be:Cyrl bg:Cyrl ce:Cyrl cu:Cyrl cv:Cyrl kk:Cyrl/Arab/Latn ky:Cyrl/Arab kv:Cyrl mk:Cyrl "
    "mn:Cyrl/Mong os:Cyrl ru:Cyrl sr:Cyrl/Latn tg:Cyrl/Arab tt:Cyrl/Latn uk:Cyrl bxr:Cyrl krc:Cyrl lez:Cyrl mhr:Cyrl "
    "mrj:Cyrl mdf:Cyrl myv:Cyrl rue:Cyrl sah:Cyrl tyv:Cyrl udm:Cyrl xal:Cyrl sh:Latn/Cyrl bs:Latn/Cyrl az:Latn/Cyrl "
    "uz:Latn/Cyrl/Arab tk:Latn/Cyrl ku:Latn/Arab ms:Latn/Arab ha:Latn/Arab ar:Arab/Latn fa:Arab ks:Arab/Deva ps:Arab "
    "sd:Arab/Deva ug:Arab/Cyrl ur:Arab arz:Arab azb:Arab ckb:Arab glk:Arab mzn:Arab pnb:Arab lrc:Arab el:Grek he:Hebr "
    "yi:Hebr ka:Geor xmf:Geor hy:Armn th:Thai bn:Beng as:Beng bpy:Beng hi:Deva mr:Deva ne:Deva sa:Deva bh:Deva "
    "bho:Deva mai:Deva dty:Deva gom:Deva new:Deva awa:Deva mag:Deva pi:Deva pa:Guru/Arab gu:Gujr or:Orya ta:Taml "
    "te:Telu kn:Knda ml:Mlym si:Sinh lo:Laoo bo:Tibt dz:Tibt my:Mymr am:Ethi ti:Ethi km:Khmr dv:Thaa ja:Jpan ko:Hang "
    "zh:Hans/Hant wuu:Hani yue:Hant iu:Cans cr:Cans oj:Cans ii:Yiii arc:Syrc nqo:Nkoo"
)
SCRIPTS = {language: names.split("/") for language, _, names in (pair.partition(":") for pair in _SCRIPTS.split())}
"""Scripts of the languages that are not written in Latin alone, the usual one first."""

_SAMPLE = 5_000
# The most frequent characters that differ between the two.
_SIMPLIFIED = frozenset("这来们个国时说会对为发经过动还进没样无关开问学长现实种给电业产见点东车书头话气应员体让认从")
_TRADITIONAL = frozenset("這來們個國時說會對為發經過動還進沒樣無關開問學長現實種給電業產見點東車書頭話氣應員體讓認從")


def label(language: str, script: str | None = None) -> str:
    """The label of a language: `label("fr")` is `fra_Latn`.

    Args:
        language: BCP 47 primary subtag; `und` stays.
        script: ISO 15924 code of the document's script; used when the language is written in it, else (and by
            default) the script that is usual for the language. A language that is not listed is taken for Latin.
    """
    usual = SCRIPTS.get(language, ["Latn"])
    return f"{CODES.get(language, language)}_{script if script in usual else usual[0]}"


def document_label(language: str, script: str | None, text: str) -> str:
    """The label of a document, in the script that it was found to be written in."""
    match script:
        case "Hani":
            written = "Hant" if _traditional(text) else "Hans"
        case "Kore":
            written = "Hang"
        case None | "Zyyy" | "Zzzz":
            return label(language)
        case _:
            written = script
    return f"{CODES.get(language, language)}_{written}"


def _traditional(text: str) -> bool:
    sample = text[:_SAMPLE]
    traditional = sum(character in _TRADITIONAL for character in sample)
    return traditional > sum(character in _SIMPLIFIED for character in sample)
