"""The page: a hundred things to load besides itself, which are counted as they come."""

from __future__ import annotations

from pathlib import Path

SUB_RESOURCES = 100
KINDS = ("svg", "css", "js", "json")
PAGE = "index.html"
# What the page says in its markup when it has everything.
COMPLETE = f'data-loaded="{SUB_RESOURCES}"'

MARKUP = """<!doctype html>
<html>
<head>
<meta charset="utf-8">
<title>A page of many parts</title>
<link rel="icon" href="data:,">
<script>
let loaded = 0;
function done() {{ document.documentElement.dataset.loaded = ++loaded; }}
</script>
{links}
</head>
<body>
{images}
<script>
// Synchronous, so that the load event, and with it what the browser reports, waits for them.
{fetches}
</script>
</body>
</html>
"""

CONTENT = {
    "svg": '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><circle r="4"/></svg>\n',
    "css": ".part-{number} {{ color: #123456; }}\n",
    "js": "window.part{number} = true;\n",
    "json": '{{"part": {number}}}\n',
}


def write_page(folder: Path) -> set[str]:
    """The paths of all that belongs to the page."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"part-{number}.{KINDS[number % len(KINDS)]}" for number in range(SUB_RESOURCES)]
    for number, name in enumerate(names):
        template = CONTENT[name.rsplit(".", 1)[-1]]
        text = template if name.endswith("svg") else template.format(number=number)
        (folder / name).write_text(text)
    (folder / PAGE).write_text(markup(names))
    return {f"/{name}" for name in [PAGE, *names]}


def markup(names: list[str]) -> str:
    def of(kind: str) -> list[str]:
        return [name for name in names if name.endswith(f".{kind}")]

    links = [f'<link rel="stylesheet" href="{name}" onload="done()">' for name in of("css")]
    links += [f'<script src="{name}" onload="done()" async></script>' for name in of("js")]
    images = [f'<img src="{name}" onload="done()" alt="">' for name in of("svg")]
    fetches = [f'get("{name}");' for name in of("json")]
    get = """function get(name) {
    const request = new XMLHttpRequest();
    request.open("GET", name, false);
    request.send();
    JSON.parse(request.responseText);
    done();
}"""
    return MARKUP.format(links="\n".join(links), images="\n".join(images), fetches="\n".join([get, *fetches]))
