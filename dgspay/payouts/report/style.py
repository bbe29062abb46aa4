"""Style of the page: on a screen, on a phone, and on A4 with page numbers."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light; }
body { font: 14px/1.45 system-ui, "Segoe UI", "Noto Sans", sans-serif; color: #1a1f26;
  margin: 2rem auto; max-width: 60rem; padding: 0 1rem; background: #fff; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.05rem; margin: 1.8rem 0 .5rem; }
p { margin: .3rem 0; } .dim { color: #5b6673; }
.tiles { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1.2rem 0; }
.tile { border: 1px solid #d5dbe2; border-radius: 8px; padding: .5rem .8rem; flex: 1 0 auto; }
.tile b { display: block; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .5rem; border-bottom: 1px solid #e4e8ed;
  vertical-align: top; }
td { overflow-wrap: anywhere; min-width: 6.5em; }
.n, .whole { white-space: nowrap; min-width: 0; overflow-wrap: normal; }
th { color: #5b6673; font-weight: 600; } thead { display: table-header-group; }
.n { text-align: right; font-variant-numeric: tabular-nums; }
.doubts { border: 2px solid #b45309; border-radius: 8px; padding: .2rem 1rem 1rem;
  margin: 1rem 0; }
tr.noted td { border-bottom: 0; padding-bottom: 0; } tr.note { break-before: avoid; }
tr.note td { color: #5b6673; padding-top: 0; }
svg text { fill: #5b6673; font-size: 11px; }
.doubts h2 { color: #92400e; margin-top: .8rem; }
.good { fill: #2563a8; } .failed { fill: #b42318; } .doubtful { fill: #d98e04; }
.key span { display: inline-block; width: .8em; height: .8em; border-radius: 2px;
  margin: 0 .35em 0 1em; } .key span:first-child { margin-left: 0; }
tr { break-inside: avoid; } h2 { break-after: avoid; } .wide { overflow-x: auto; }
.signatures { display: flex; flex-wrap: wrap; gap: 2rem; margin: 3rem 0 1rem;
  break-inside: avoid; }
.signatures span { flex: 1 0 10rem; border-top: 1px solid #8b95a1; padding-top: .3rem;
  color: #5b6673; }
@page { size: A4; margin: 11mm 12mm 13mm; font: 7.5pt Arial, sans-serif; color: #5b6673;
  @top-left { content: " "; } @top-center { content: " "; } @top-right { content: " "; }
  @bottom-left { content: "PAGE-TITLE"; } @bottom-center { content: " "; }
  @bottom-right { content: "Page " counter(page) " of " counter(pages); } }
@media print { body { margin: 0; padding: 0 .4mm; max-width: none; line-height: 1.2;
    font: 8pt/1.2 Arial, "Noto Sans", sans-serif; }
  h1 { font-size: 14pt; } h2 { font-size: 10pt; margin: 4.5mm 0 1.2mm; }
  .tiles { gap: 1.5mm; margin: 3mm 0; } .tile { padding: 1mm 2mm; } .tile b { font-size: 10.5pt; }
  td { min-width: 5em; } th, td { padding: .4mm 1.2mm; }
  .doubts { padding: 0 2mm 1.5mm; margin: 3mm 0; } .doubts h2 { margin-top: 1.5mm; }
  svg { height: 25mm; } .signatures { margin: 14mm 0 3mm; }
  .wide { overflow: visible; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""
"""CSS of the page; `PAGE-TITLE` stands for the line at the foot of each."""
