"""The picture of a recording: lifelines, calls, segments. Pure: a timeline in, text out.

    layout.py     timeline -> Figure: what is drawn, in which lane, from which row to which
    text.py       Figure -> text for a terminal
    svg.py        Figure -> one SVG document
    html.py       timeline -> one HTML page to look around in
    mermaid.py    Figure -> a Mermaid sequenceDiagram

Each output takes a timeline or a Figure that is laid out already.
"""
