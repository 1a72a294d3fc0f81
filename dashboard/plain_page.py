"""A page without Streamlit: for those who are not signed in, or come from an e-mail."""

from __future__ import annotations

from html import escape

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<style>:root{{color-scheme:light dark}}body{{font:1.1rem/1.5 Arial,Helvetica,sans-serif;
max-width:34rem;margin:3rem auto;padding:0 1rem;color:light-dark(#10181D,#F0F4F5);
background:light-dark(#fff,#10181D)}}
button,.button{{display:inline-block;font:inherit;padding:.6rem 1.2rem;border:0;border-radius:4px;
background:#005EB8;color:#fff;text-decoration:none}}
:focus-visible{{outline:3px solid #FFB81C;outline-offset:2px;box-shadow:0 0 0 5px #10181D}}</style></head>
<body><main><h1>{title}</h1>{body}</main></body></html>"""


def plain_page(title: str, body: str) -> str:
    """A whole page of HTML; the title is escaped, the body is markup of ours."""
    return _PAGE.format(title=escape(title), body=body)
