"""Texts of other people's in Markdown of ours."""


def one_line(text: str) -> str:
    """`text` where it can open neither a heading nor a tag, nor a cell of a table, and hides nothing from the eye."""
    seen = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(seen.split()).replace("<", "&lt;").replace("|", "\\|")
