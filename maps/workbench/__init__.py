"""The boundary workbench over HTTP: its page, and the JSON that the page and other programs draw with."""
