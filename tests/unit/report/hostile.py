# ruff: noqa: E501 - a table of strings reads best in wide rows
"""Strings that try to make GitHub, CI systems, other bots or a reader do something."""

from __future__ import annotations

MENTIONS = (
    "@octocat", "hello @octocat", "(@octocat)", "@acme/security-team", "cc:@octocat,@hubot", "@octocat@hubot",
    "-@octocat", "x.@octocat", "\\@octocat", "&#64;octocat", "&commat;octocat", "**@octocat**", "_@octocat_",
    "@\u200boctocat", "\u202e@octocat", "@octocat's", "/@octocat", "@everyone", "<b>@octocat</b>", "[@octocat]",
)  # fmt: skip
REFERENCES = (
    "#1", "#123", "see #123", "(#123)", "GH-7", "gh-7", "(GH-12)", "acme/shop#12", "octocat#12", "#12.",
    "fixes #12", "Fixes: #12", "closes GH-12", "resolve acme/shop#3", "FIXED #4, closes #5", "close #6",
    "Resolves https://github.com/acme/shop/issues/3", "fixes\u200b #12", "fixes\n#12", "fixes #\u200b12",
    "&#35;12", "\\#12", "**#12**", "[#12]", "#\u202e12", "duplicate of #9", "&#x23;12", "#12#13", "PR#12",
)  # fmt: skip
LINKS = (
    "https://evil.example/x", "http://evil.example", "HTTP://EVIL.EXAMPLE", "ftp://evil.example", "www.evil.example",
    "WWW.evil.example", "x www.evil.example/a?b=c#d", "<https://evil.example>", "[x](https://evil.example)",
    "[x](javascript:alert(1))", "[x][y]", "[y]: https://evil.example", "![x](https://evil.example/p.png)",
    "me@evil.example", "mailto:me@evil.example", "<me@evil.example>", "xmpp:me@evil.example",
    "javascript:alert(1)", "[x](<https://evil.example> 'title')", "https\u200b://evil.example",
    "(https://evil.example)", "http://[::1]/", "data:text/html,<script>", "git+ssh://git@evil.example/x",
    "[text]", "[[wiki]]", "[^1]", "[^1]: note", "[x]( https://evil.example )", "https://github.com/acme/shop/pull/3",
)  # fmt: skip
COMMITS = (
    "deadbeef1", "0123456789abcdef0123456789abcdef01234567", "see a1b2c3d", "(a1b2c3d4e5)", "acme/shop@a1b2c3d",
    "a1b2c3d...d4c3b2a1", "A1B2C3D", "sha256:" + "ab12" * 16, "`a1b2c3d`", "1234567", "a1b2c3d,b2c3d4e",
)  # fmt: skip
HTML = (
    "<b>x</b>", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<!-- comment -->", "-->", "</details>",
    "</summary><summary>", "<details open>", "&lt;b&gt;", "&amp;", "&nbsp;", "&#60;b&#62;", "<a href='//evil.example'>",
    "<?php x ?>", "<![CDATA[x]]>", "<!DOCTYPE html>", "<div", "a<b>c", "<style>*{display:none}</style>",
    "<!-- refit slot=a digest=b -->", "<input type=checkbox>", "<svg/onload=alert(1)>", "<h1>big</h1>", "</table>",
)  # fmt: skip
MARKDOWN = (
    "*x*", "**x**", "_x_", "__x__", "~~x~~", "~x~", "`x`", "``x``", "```", "~~~", "# x", "###### x", "> x",
    "- x", "+ x", "* x", "1. x", "1) x", "123456789. x", "---", "***", "___", "===", "x\n===", "| a | b |",
    "a|b", "|--|--|", "\\|", "\\", "\\\\", "\\*x\\*", "    code", "\tcode", "- [ ] task", "- [x] task", "$x$", "$$x$$",
    "> [!WARNING]", "*_~`[]()<>&|#$\\!{}^=+-.", "a*b*c", "snake_case_name", "2*3*4", "x  \ny", "\n\nx\n\n", "!",
    "`unclosed", "``x`y``", "a\\", "a`b`c|d",
)  # fmt: skip
COMMANDS = (
    "/refit rescan", "/close", "/merge now", " /approve", "\n/lgtm", "x\n/close", "\u200b/close", "\u202e/close",
    "//comment", "/", "\t/hold",
)  # fmt: skip
SKIPS = (
    "[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]", "[SKIP CI]", "[Skip-CI]", "[skip_ci]",
    "[skip\u200b ci]", "[skip\nci]", "[[skip ci]]", "***NO_CI***", "***no-ci***", "skip-checks: true",
    "skip-checks:true", "[skip azurepipelines]", "[azp skip]", "[skip travis]", "[skip netlify]", "[skip vercel]",
)  # fmt: skip
UNSEEN = (
    "a\u202eb", "\u2066x\u2069", "a\u200bb", "a\u200db", "\ufeffx", "a\u00adb", "a\u0000b", "a\u001b[31mred\u001b[0m",
    "\u001b]0;title\u0007x", "a\rb", "a\u0085b", "a\u2028b", "a\u2029b", "a\u0008b", "\u3164x", "a\u2800b",
    "x" + "\u0301" * 50, "\U000e0041x", "\ufe0fx", "\ud800", "\x9b31mred", "\u115fx", "a\vb\fc", "\u061cx", "\u200e",
    "\x1b(B", "é" * 300, "x" * 100_000, "\u200b" * 5000 + "x", "", " ", "\n",
)  # fmt: skip

ALL: tuple[str, ...] = (
    *MENTIONS, *REFERENCES, *LINKS, *COMMITS, *HTML, *MARKDOWN, *COMMANDS, *SKIPS, *UNSEEN,
)  # fmt: skip
