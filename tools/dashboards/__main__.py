"""Write the files."""

from . import sample

for path, text in sample.files().items():
    path.write_text(text, encoding="utf-8")
