"""One reader for the language tags of pages, XML and PDFs: `eng`, `en-GB` and an authority's address are all `en`."""

from __future__ import annotations

import re

# ISO 639-2/B and /T with their ISO 639-1, the withdrawn scc and scr, and, under its language's two letters, the
# standard variety that ISO 639-3 names apart (cmn, arb).
_CODES = """
aar aa abk ab afr af aka ak alb sq amh am ara ar arb ar arg an arm hy asm as ava av ave ae aym ay ayr ay
aze az azj az bak ba bam bm baq eu bel be ben bn bis bi bod bo bos bs bre br bul bg bur my cat ca ces cs
cha ch che ce chi zh chu cu chv cv cmn zh cor kw cos co cre cr cym cy cze cs dan da deu de div dv dut nl
dzo dz ekk et ell el eng en epo eo est et eus eu ewe ee fao fo fas fa fij fj fin fi fra fr fre fr fry fy
ful ff gaz om geo ka ger de gla gd gle ga glg gl glv gv gre el grn gn gug gn guj gu hat ht hau ha heb he
her hz hin hi hmo ho hrv hr hun hu hye hy ibo ig ice is ido io iii ii iku iu ile ie ina ia ind id ipk ik
isl is ita it jav jv jpn ja kal kl kan kn kas ks kat ka kau kr kaz kk khk mn khm km kik ki kin rw kir ky
kmr ku knc kr kom kv kon kg kor ko kua kj kur ku lao lo lat la lav lv lim li lin ln lit lt ltz lb lub lu
lug lg lvs lv mac mk mah mh mal ml mao mi mar mr may ms mkd mk mlg mg mlt mt mon mn mri mi msa ms mya my
nau na nav nv nbl nr nde nd ndo ng nep ne nld nl nno nn nob nb nor no npi ne nya ny oci oc oji oj ori or
orm om ory or oss os pan pa per fa pes fa pli pi plt mg pol pl por pt pus ps que qu roh rm ron ro rum ro
run rn rus ru sag sg san sa scc sr scr hr sin si slk sk slo sk slv sl sme se smo sm sna sn snd sd som so
sot st spa es sqi sq srd sc srp sr ssw ss sun su swa sw swe sv swh sw tah ty tam ta tat tt tel te tgk tg
tgl tl tha th tib bo tir ti ton to tsn tn tso ts tuk tk tur tr twi tw uig ug ukr uk urd ur uzb uz uzn uz
ven ve vie vi vol vo wel cy wln wa wol wo xho xh ydd yi yid yi yor yo zha za zho zh zsm ms zul zu
""".split()  # noqa: SIM905
_TWO_LETTERS = dict(zip(_CODES[::2], _CODES[1::2], strict=True))
_NO_LANGUAGE = ("und", "mul", "zxx")

_ADDRESS = re.compile(r".*://.*/", re.S)
_SUBTAG = re.compile(r"\s*([a-z]{2,3})(?:[-_.,;/\s]|$)")


def primary_subtag(tag: str | None) -> str | None:
    """BCP 47 primary subtag of a language tag, an ISO 639-2 code or an authority URI that ends in one.

    Of a list the first counts. None for anything else, and for what names no one language: und, mul, zxx.
    """
    found = _SUBTAG.match(_ADDRESS.sub("", tag or "").lower())
    if not found or found[1] in _NO_LANGUAGE:
        return None
    return _TWO_LETTERS.get(found[1], found[1])
