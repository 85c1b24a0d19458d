"""The signs of formulas in OMML, and what LaTeX calls them. What has no name here stays the character, which KaTeX takes, too."""

import unicodedata

_NAMES = """
α alpha β beta γ gamma δ delta ε varepsilon ϵ epsilon ζ zeta η eta θ theta ϑ vartheta ι iota κ kappa ϰ varkappa λ lambda μ mu µ mu
ν nu ξ xi π pi ϖ varpi ρ rho ϱ varrho σ sigma ς varsigma τ tau υ upsilon φ varphi ϕ phi χ chi ψ psi ω omega
Γ Gamma Δ Delta Θ Theta Λ Lambda Ξ Xi Π Pi Σ Sigma Υ Upsilon Φ Phi Ψ Psi Ω Omega
ℵ aleph ℶ beth ℷ gimel ℸ daleth ℏ hbar ℓ ell ℘ wp ℑ Im ℜ Re ∂ partial ∇ nabla ∞ infty ∅ emptyset ∀ forall ∃ exists ∄ nexists ð eth
∠ angle ∡ measuredangle ∢ sphericalangle √ surd ⊤ top ⊥ bot △ triangle ▽ triangledown □ square ■ blacksquare ◊ lozenge ♯ sharp
♭ flat ♮ natural ♣ clubsuit ♢ diamondsuit ♡ heartsuit ♠ spadesuit † dagger ‡ ddagger ¬ neg … ldots ⋯ cdots ⋮ vdots ⋱ ddots
∑ sum ∏ prod ∐ coprod ∫ int ∬ iint ∭ iiint ∮ oint ∯ oiint ∰ oiiint ⋃ bigcup ⋂ bigcap ⋁ bigvee ⋀ bigwedge ⨀ bigodot ⨁ bigoplus
⨂ bigotimes ⨄ biguplus ⨆ bigsqcup
± pm ∓ mp × times ÷ div ⋅ cdot · cdot ∙ bullet • bullet ∗ ast ⋆ star ∘ circ ∖ setminus ∧ wedge ∨ vee ∩ cap ∪ cup ⊎ uplus ⊓ sqcap
⊔ sqcup ⊕ oplus ⊖ ominus ⊗ otimes ⊘ oslash ⊙ odot ⊚ circledcirc ⊛ circledast ⊞ boxplus ⊟ boxminus ⊠ boxtimes ⊡ boxdot ≀ wr ⨿ amalg
⊲ lhd ⊳ rhd ⊴ unlhd ⊵ unrhd ⋉ ltimes ⋊ rtimes ⋄ diamond ○ bigcirc ∔ dotplus ⊼ barwedge ⊻ veebar ⋒ Cap ⋓ Cup
≤ leq ≥ geq ≠ neq ≡ equiv ≈ approx ≅ cong ≃ simeq ∼ sim ∝ propto ≪ ll ≫ gg ≺ prec ≻ succ ≼ preceq ≽ succeq ⪯ preceq ⪰ succeq
⊂ subset ⊃ supset ⊆ subseteq ⊇ supseteq ⊊ subsetneq ⊋ supsetneq ⊏ sqsubset ⊐ sqsupset ⊑ sqsubseteq ⊒ sqsupseteq ∈ in ∋ ni ∉ notin
⊢ vdash ⊣ dashv ⊨ models ⊩ Vdash ⊪ Vvdash ∣ mid ∤ nmid ∥ parallel ∦ nparallel ≐ doteq ≑ doteqdot ≜ triangleq ≔ coloneqq ≕ eqqcolon
≍ asymp ⋈ bowtie ⌢ frown ⌣ smile ≦ leqq ≧ geqq ⩽ leqslant ⩾ geqslant ≮ nless ≯ ngtr ≰ nleq ≱ ngeq ≲ lesssim ≳ gtrsim ≶ lessgtr
≷ gtrless ⋘ lll ⋙ ggg ≬ between ∴ therefore ∵ because ≏ bumpeq ≎ Bumpeq ≊ approxeq ∽ backsim ⊸ multimap ⋔ pitchfork
← leftarrow → rightarrow ↑ uparrow ↓ downarrow ↔ leftrightarrow ↕ updownarrow ⇐ Leftarrow ⇒ Rightarrow ⇑ Uparrow ⇓ Downarrow
⇔ Leftrightarrow ⇕ Updownarrow ⟵ longleftarrow ⟶ longrightarrow ⟷ longleftrightarrow ⟸ Longleftarrow ⟹ Longrightarrow
⟺ Longleftrightarrow ↦ mapsto ⟼ longmapsto ↩ hookleftarrow ↪ hookrightarrow ↼ leftharpoonup ↽ leftharpoondown ⇀ rightharpoonup
⇁ rightharpoondown ⇌ rightleftharpoons ⇋ leftrightharpoons ↗ nearrow ↘ searrow ↙ swarrow ↖ nwarrow ⇝ rightsquigarrow
↠ twoheadrightarrow ↞ twoheadleftarrow ↣ rightarrowtail ↢ leftarrowtail ⇄ rightleftarrows ⇆ leftrightarrows ⇉ rightrightarrows
⇇ leftleftarrows ⇈ upuparrows ⇊ downdownarrows ↛ nrightarrow ↚ nleftarrow ⇏ nRightarrow ⇍ nLeftarrow ↾ upharpoonright
↿ upharpoonleft ⇃ downharpoonleft ⇂ downharpoonright ↶ curvearrowleft ↷ curvearrowright ↺ circlearrowleft ↻ circlearrowright
⌊ lfloor ⌋ rfloor ⌈ lceil ⌉ rceil ⟨ langle ⟩ rangle 〈 langle 〉 rangle ⟦ llbracket ⟧ rrbracket ⟮ lgroup ⟯ rgroup ⎰ lmoustache
⎱ rmoustache ‖ | ∎ blacksquare  ° degree ′ prime
"""
_SPELT = _NAMES.split()
NAMES = {sign: "\\" + name for sign, name in zip(_SPELT[::2], _SPELT[1::2], strict=True)}
NAMES |= {
    "\\": r"\backslash", "{": r"\{", "}": r"\}", "%": r"\%", "#": r"\#", "$": r"\$", "&": r"\&", "_": r"\_",
    "~": r"\sim", "−": "-",
    "∕": "/", "″": "''", "‴": "'''", "⁗": "''''", "ı": r"\imath", "ȷ": r"\jmath", "￢": r"\neg", "∶": ":", "⁎": r"\ast",
    "\u2329": r"\langle", "\u232a": r"\rangle", "\u2145": r"\mathrm{D}", "\u2146": r"\mathrm{d}", "\u2147": r"\mathrm{e}",
    "\u2148": r"\mathrm{i}", "\u2149": r"\mathrm{j}",
    "€": r"\text{€}", "^": r"\text{\textasciicircum}", "′": "'",
    "\u00a0": r"\ ", "\u2002": r"\enspace", "\u2003": r"\quad", "\u2004": r"\ ", "\u2005": r"\:", "\u2006": r"\,",
    "\u2009": r"\,",
    "\u200a": r"\,", "\u205f": r"\:", "\u3000": r"\quad", " ": r"\ ", "\t": r"\quad", "\n": r"\ ",
}  # fmt: skip
"""Of a sign in a formula, what to write for it."""
INVISIBLE = frozenset("\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff\u00ad\u200e\u200f")

FUNCTIONS = frozenset(
    "arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf ker lg lim ln log max min sec sin sinh sup "
    "tan tanh Pr liminf limsup arctg tg ctg cth sh ch th cotg cosec".split()
)
WITH_LIMITS = frozenset("det gcd inf lim max min sup Pr liminf limsup".split())
"""Of the functions, those below which LaTeX sets a subscript in a displayed formula."""

ACCENTS = {
    "˚": r"\mathring", "°": r"\mathring", "\u20db": r"\dddot", "\u20dc": r"\ddddot",
    "\u0300": r"\grave", "\u0301": r"\acute", "\u0302": r"\hat", "\u0303": r"\tilde", "\u0304": r"\bar", "\u0305": r"\overline",
    "\u0306": r"\breve", "\u0307": r"\dot", "\u0308": r"\ddot", "\u030a": r"\mathring", "\u030c": r"\check",
    "\u0332": r"\underline",
    "\u20d6": r"\overleftarrow", "\u20d7": r"\vec", "\u20d0": r"\overleftharpoon", "\u20d1": r"\overrightharpoon",
    "\u20e1": r"\overleftrightarrow", "\u203e": r"\overline", "\u00af": r"\bar", "^": r"\hat", "ˆ": r"\hat", "~": r"\tilde",
    "˜": r"\tilde", "´": r"\acute", "`": r"\grave", "˙": r"\dot", "¨": r"\ddot", "ˇ": r"\check", "˘": r"\breve",
    "→": r"\vec", "↼": r"\overleftharpoon", "⇀": r"\overrightharpoon",
    "\u2190": r"\overleftarrow", "\u2194": r"\overleftrightarrow", "_": r"\underline",
    "⏞": r"\overbrace", "⏟": r"\underbrace",
}  # fmt: skip
WIDE = {
    r"\hat": r"\widehat",
    r"\tilde": r"\widetilde",
    r"\bar": r"\overline",
    r"\vec": r"\overrightarrow",
    r"\check": r"\widecheck",
}
"""Of an accent, the one over more than one sign."""
OVER = {
    "⏞": r"\overbrace", "→": r"\overrightarrow", "←": r"\overleftarrow", "↔": r"\overleftrightarrow",
    "⏜": r"\overgroup", "¯": r"\overline",
    "\u0305": r"\overline", "‾": r"\overline", "⇀": r"\overrightharpoon", "↼": r"\overleftharpoon",
    "⇒": r"\Overrightarrow",
}  # fmt: skip
UNDER = {"⏟": r"\underbrace", "⏝": r"\undergroup", "_": r"\underline", "\u0332": r"\underline"}
ARROWS = {
    "→": r"\xrightarrow", "←": r"\xleftarrow", "↔": r"\xleftrightarrow", "⇒": r"\xRightarrow", "⇐": r"\xLeftarrow",
    "⇔": r"\xLeftrightarrow", "⇌": r"\xrightleftharpoons", "⇋": r"\xleftrightharpoons", "↦": r"\xmapsto",
    "↪": r"\xhookrightarrow",
    "↩": r"\xhookleftarrow", "⇀": r"\xrightharpoonup", "⇁": r"\xrightharpoondown", "↼": r"\xleftharpoonup",
    "↽": r"\xleftharpoondown",
    "↠": r"\xtwoheadrightarrow", "↞": r"\xtwoheadleftarrow", "⟶": r"\xrightarrow", "⟵": r"\xleftarrow",
}  # fmt: skip
"""Of an arrow below or above which something stands."""

_FENCES = "\u2329\u232a()[]|/⌊⌋⌈⌉⟨⟩〈〉⟮⟯⎰⎱↑↓↕⇑⇓⇕‖{}\\"
FENCES = {"": ".", "<": r"\langle", ">": r"\rangle", "∣": "|", "∥": r"\|", "│": "|"} | {
    sign: NAMES.get(sign, sign) for sign in _FENCES
}
"""Of what stands round something, what goes behind \\left and \\right."""

_BOLD, _ITALIC = "BOLD", "ITALIC"
_FONTS = (
    ("DOUBLE-STRUCK", r"\mathbb"),
    ("FRAKTUR", r"\mathfrak"),
    ("BLACK-LETTER", r"\mathfrak"),
    ("SCRIPT", r"\mathscr"),
    ("SANS-SERIF", r"\mathsf"),
    ("MONOSPACE", r"\mathtt"),
)


def plain_letter(sign: str) -> tuple[str, tuple[str, ...]]:
    """The letter that a mathematical letter (𝐱, ℝ) is a kind of, and the commands that make it one, the outer first."""
    name = unicodedata.name(sign, "")
    if not (name.startswith("MATHEMATICAL ") or sign in "ℂℍℕℙℚℝℤℬℰℱℋℐℒℳℛℭℌℑℜℨℊℯℴ"):
        return sign, ()
    plain = unicodedata.normalize("NFKC", sign)
    if len(plain) != 1 or plain == sign or sign in "ℑℜ":
        return sign, ()
    if sign in "ℬℰℱℋℐℒℳℛℊℯℴ":
        return plain, (r"\mathscr",)
    if sign in "ℭℌℨ":
        return plain, (r"\mathfrak",)
    fonts = [command for word, command in _FONTS if word in name]
    if _BOLD in name:
        fonts.insert(0, r"\boldsymbol" if _ITALIC in name or fonts or not plain.isascii() else r"\mathbf")
    return plain, tuple(fonts)
