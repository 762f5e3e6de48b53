#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_page.py PAGE...

Each page is well-formed, small, complete in itself and can be read without seeing it: headings, headings of tables,
words for every picture. Every number of its drawings is one, and lies within the drawing.
"""

import re
import sys
import xml.etree.ElementTree

FAILURES = []


def require(condition, page, what):
    if not condition:
        FAILURES.append(f"{page}: {what}")


def check_drawing(page, svg):
    children = list(svg)
    require(children and children[0].tag == "title" and (children[0].text or "").strip(), page, "a drawing without a title")
    require(svg.get("role") == "img", page, "a drawing that is no image to a screen reader")
    x, y, width, height = map(float, svg.get("viewBox").split())
    for part in svg.iter():
        for name in ("x", "x1", "x2", "cx", "y", "y1", "y2", "cy"):
            if name in part.attrib:
                value = float(part.get(name))
                first, last = (x, x + width) if "x" in name else (y, y + height)
                require(first <= value <= last, page, f"{part.tag} with {name}={value} lies outside of its drawing")
        for number in re.findall(r"[-\w.]+", re.sub("[MLVHh]", " ", part.get("d", ""))):
            require(abs(float(number)) <= max(width, height), page, f"a path with {number}")
        if part.tag == "text":
            # A digit of a wide font is as wide.
            text, at = (part.text or "").strip(), float(part.get("x"))
            half = {"middle": 0.5, "end": 1.0}.get(next((c for c in part.get("class").split() if c in ("middle", "end")), ""), 0)
            begin = at - 7.5 * len(text) * half
            require(begin >= x - 3 and begin + 7.5 * len(text) <= x + width + 3, page, f"{text!r} is cut off")


def check(page):
    with open(page, "rb") as file:
        bytes_of_page = file.read()
    require(len(bytes_of_page) < 300_000, page, f"{len(bytes_of_page)} bytes")
    text = bytes_of_page.decode()
    require(not re.search(r"https?:|//|<script|<link|@import|url\(", re.sub(r"base64,[\w+/=]*", "", text), re.IGNORECASE), page,
            "a reference to something outside")
    root = xml.etree.ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>"))
    require(root.tag == "html" and root.get("lang"), page, "no language")
    require((root.findtext("head/title") or "").strip(), page, "no title")
    require(any(meta.get("name") == "viewport" for meta in root.iter("meta")), page, "no viewport")
    require(len(list(root.iter("h1"))) == 1 and len(list(root.iter("h2"))) > 1, page, "headings are missing")
    for table in root.iter("table"):
        require(table.find("caption") is not None, page, "a table without a caption")
        headings = table.findall("thead/tr/th")
        for row in table.findall("tbody/tr"):
            require(len(row) == len(headings) and row[0].tag == "th" and row[0].get("scope") == "row", page,
                    "a row without a heading, or of another length than the table's head")
    for image in root.iter("img"):
        require(image.get("alt") and image.get("src").startswith("data:image/"), page, "an image without words or pixels")
    drawings = list(root.iter("svg"))
    require(drawings, page, "no drawing")
    for svg in drawings:
        check_drawing(page, svg)


for path in sys.argv[1:]:
    check(path)
sys.exit("\n".join(FAILURES) or 0)
