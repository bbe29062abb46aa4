/**
 * How the checkout looks: it builds on the sheet of the card form, whose variables it uses.
 *
 * Pages may set the variables that begin with `--dgspay-` on the element they mount into.
 */

/** @type {string} */
export const CHECKOUT_STYLES = `
.dgspay-checkout { --_tint: #f4f7fb; --_good: #0f7a45; --_good-paper: #e7f6ee; --_edge: #dde4ee; }
.dgspay-checkout[data-scheme="dark"] {
  --_tint: #111824; --_good: #5fd39a; --_good-paper: #10291d; --_edge: #2d394c;
}
@media (prefers-color-scheme: dark) {
  .dgspay-checkout[data-scheme="auto"] {
    --_tint: #111824; --_good: #5fd39a; --_good-paper: #10291d; --_edge: #2d394c;
  }
}
.dgspay-checkout { max-inline-size: 60rem; margin-inline: auto; }
.dgspay-checkout [hidden] { display: none !important; }
.dgspay-sheet {
  display: grid; overflow: clip; background: var(--_paper); border: 1px solid var(--_edge);
  border-radius: 1rem; box-shadow: 0 1px 2px rgb(16 24 40 / 5%), 0 12px 32px -12px rgb(16 24 40 / 18%);
}
.dgspay-summary { display: flex; flex-direction: column; gap: .75rem; padding: 1.5rem 1.25rem; background: var(--_tint); border-block-end: 1px solid var(--_edge); }
.dgspay-panel { padding: 1.5rem 1.25rem; min-inline-size: 0; }
.dgspay-summary[hidden] + .dgspay-panel { grid-column: 1 / -1; }
.dgspay-sheet:has(> .dgspay-summary[hidden]) { min-block-size: 0 !important; }
@container (min-width: 30rem) {
  .dgspay-summary, .dgspay-panel { padding: 2rem; }
}
@container (min-width: 46rem) {
  .dgspay-sheet { grid-template-columns: minmax(15rem, 2fr) 3fr; min-block-size: 30rem; }
  .dgspay-summary { border-block-end: 0; border-inline-end: 1px solid var(--_edge); padding: 2.5rem 2rem; }
  .dgspay-panel { padding: 2.5rem; }
}
.dgspay-title { margin: 0; color: var(--_soft); font-size: 1rem; font-weight: 500; line-height: 1.4; overflow-wrap: anywhere; }
.dgspay-title b { display: block; margin-block: .25rem; color: var(--_text); font-size: clamp(1.75rem, 9cqi, 2.5rem); font-weight: 700; line-height: 1.15; letter-spacing: -.02em; font-variant-numeric: tabular-nums; }
.dgspay-about { display: grid; gap: .25rem; color: var(--_soft); font-size: .875rem; overflow-wrap: anywhere; }
.dgspay-about p:first-child { color: var(--_text); }
.dgspay-languages { display: flex; align-items: center; gap: .5rem; margin-block-start: auto; padding-block-start: .5rem; }
.dgspay .dgspay-languages label { margin: 0; font-weight: 500; color: var(--_soft); }
.dgspay-languages select { inline-size: auto; min-block-size: 2.25rem; padding-block: .25rem; font-size: .875rem; }

.dgspay-heading { margin: 0; font-size: 1.25rem; font-weight: 700; line-height: 1.3; letter-spacing: -.01em; overflow-wrap: anywhere; }
.dgspay-heading:focus { outline: none; }
.dgspay-heading:focus-visible { outline: 2px solid var(--_accent); outline-offset: .25rem; border-radius: .25rem; }
.dgspay-view { display: grid; gap: 1rem; }
.dgspay-view > * { min-inline-size: 0; }
.dgspay-link + .dgspay-link { margin-block-start: -1rem; }
.dgspay-centred { justify-items: center; text-align: center; padding-block: .5rem; }
.dgspay-centred > * { max-inline-size: 30rem; }
.dgspay-view p { overflow-wrap: anywhere; }
.dgspay-soft { color: var(--_soft); }
.dgspay-small { font-size: .875rem; }
.dgspay-strong { font-weight: 600; }

.dgspay-mark { display: grid; place-items: center; inline-size: 4rem; block-size: 4rem; border-radius: 50%; color: var(--_accent); background: color-mix(in srgb, var(--_accent) 12%, transparent); }
.dgspay-mark svg { inline-size: 2rem; block-size: 2rem; }
.dgspay-mark-good { color: var(--_good); background: var(--_good-paper); }
.dgspay-mark-bad { color: var(--_error); background: var(--_error-paper); }
.dgspay-mark-waiting { position: relative; }
.dgspay-mark-waiting::after { content: ""; position: absolute; inset: -.375rem; border-radius: 50%; border: 3px solid transparent; border-block-start-color: var(--_accent); animation: dgspay-turn 1.2s linear infinite; }
@keyframes dgspay-turn { to { transform: rotate(1turn); } }
.dgspay svg { fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; flex: none; }

.dgspay fieldset { margin: 0; padding: 0; border: 0; min-inline-size: 0; }
.dgspay legend { padding: 0; margin-block-end: .5rem; }
.dgspay-legend { font-size: .875rem; font-weight: 600; }
.dgspay-pane + fieldset { margin-block-start: .5rem; }
.dgspay-choices { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(8.5rem, 100%), 1fr)); gap: .625rem; }
.dgspay-choices:has(> :nth-child(4):last-child) { grid-template-columns: repeat(2, minmax(0, 1fr)); }
.dgspay .dgspay-choice { position: relative; display: flex; align-items: center; gap: .625rem; min-block-size: 3rem; margin: 0; padding: .5rem .875rem; font-size: 1rem; font-weight: 550; border: 1px solid var(--_line); border-radius: .625rem; background: var(--_paper); cursor: pointer; transition: border-color .12s, background-color .12s; }
.dgspay .dgspay-choice input { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; min-block-size: 0; margin: 0; opacity: 0; cursor: pointer; }
.dgspay-choice svg { inline-size: 1.375rem; block-size: 1.375rem; color: var(--_soft); }
.dgspay-dot { flex: none; inline-size: 1.125rem; block-size: 1.125rem; border: 2px solid var(--_line); border-radius: 50%; }
.dgspay-choice:has(input:checked) { border-color: var(--_accent); box-shadow: inset 0 0 0 1px var(--_accent); background: color-mix(in srgb, var(--_accent) 6%, var(--_paper)); }
.dgspay-choice:has(input:checked) svg { color: var(--_accent); }
.dgspay-choice:has(input:checked) .dgspay-dot { border: .375rem solid var(--_accent); }
.dgspay-choice:has(input:focus-visible) { outline: 3px solid var(--_accent); outline-offset: 2px; }

.dgspay select {
  inline-size: 100%; min-block-size: 3rem; padding: .625rem .875rem; margin: 0; color: inherit;
  background: var(--_paper); font: inherit; border: 1px solid var(--_line); border-radius: .625rem;
}
.dgspay select:focus-visible { outline: 2px solid var(--_accent); outline-offset: 1px; }
.dgspay select[aria-invalid="true"] { border-color: var(--_error); }
.dgspay-pane { display: grid; gap: 1rem; }
.dgspay-pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(11rem, 100%), 1fr)); gap: 1rem .875rem; }
.dgspay .dgspay-hint { margin-block-start: .375rem; color: var(--_soft); font-size: .875rem; }
.dgspay-notice-soft { padding: .75rem .875rem; border: 1px solid var(--_edge); border-radius: .625rem; background: var(--_tint); font-size: .9375rem; }
.dgspay-problem:empty, .dgspay-pane > .dgspay-status:empty, .dgspay-soft:empty { position: absolute; }
.dgspay-problem:not(:empty) { padding: .75rem .875rem; border: 1px solid var(--_error); border-radius: .625rem; color: var(--_error); background: var(--_error-paper); }
.dgspay .dgspay-connection:not(:empty) { margin-block-end: 1.25rem; padding: .75rem .875rem; border: 1px solid var(--_line); border-radius: .625rem; background: var(--_tint); }

.dgspay-checkout .dgspay-submit { display: inline-flex; align-items: center; justify-content: center; text-align: center; text-decoration: none; }
.dgspay-pane > .dgspay-submit, .dgspay-buttons > .dgspay-submit { margin-block-start: 0; }
.dgspay-checkout .dgspay-submit[aria-disabled="true"] { cursor: progress; opacity: .65; }
.dgspay-buttons { display: flex; flex-wrap: wrap; gap: .625rem; }
.dgspay-buttons > * { flex: 1 1 10rem; }
.dgspay-centred .dgspay-buttons { inline-size: 100%; }
.dgspay-quiet {
  display: inline-flex; align-items: center; justify-content: center; min-block-size: 2.75rem; padding: .5rem 1rem;
  color: inherit; background: var(--_paper); font: inherit; font-weight: 550; text-align: center; text-decoration: none;
  border: 1px solid var(--_line); border-radius: .625rem; cursor: pointer;
}
.dgspay-quiet:hover { background: var(--_tint); }
.dgspay-link { justify-self: center; display: inline-flex; align-items: center; min-block-size: 2.75rem; padding: .5rem .75rem; color: var(--_soft); background: none; border: 0; border-radius: .5rem; font: inherit; font-size: .875rem; text-decoration: underline; text-underline-offset: .2em; cursor: pointer; }
.dgspay-link:hover { color: var(--_text); }
.dgspay-quiet:focus-visible, .dgspay-link:focus-visible { outline: 3px solid var(--_accent); outline-offset: 2px; }
.dgspay-help { inline-size: 100%; padding: .875rem 1rem; border-radius: .625rem; background: var(--_tint); border: 1px solid var(--_edge); text-align: start; font-size: .9375rem; }
.dgspay-left { font-size: 1.5rem; font-weight: 700; font-variant-numeric: tabular-nums; }
.dgspay-bar { inline-size: 100%; max-inline-size: 20rem; block-size: .375rem; border-radius: 1rem; overflow: hidden; background: var(--_edge); }
.dgspay-bar i { display: block; block-size: 100%; background: var(--_accent); border-radius: inherit; transform-origin: left; }

.dgspay-receipt { inline-size: 100%; margin: 0; border: 1px solid var(--_edge); border-radius: .75rem; text-align: start; }
.dgspay-receipt div { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .125rem 1.5rem; padding: .75rem 1rem; }
.dgspay-receipt div + div { border-block-start: 1px solid var(--_edge); }
.dgspay-receipt dt { color: var(--_soft); }
.dgspay-receipt dd { display: flex; flex-wrap: wrap; align-items: center; gap: .375rem .75rem; margin: 0; font-weight: 600; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }

.dgspay-copy { min-block-size: 2rem; padding: .125rem .625rem; color: inherit; background: var(--_paper); font: inherit; font-size: .8125rem; font-weight: 550; border: 1px solid var(--_line); border-radius: .5rem; cursor: pointer; }
.dgspay-copy:hover { background: var(--_tint); }
.dgspay-copy:focus-visible { outline: 3px solid var(--_accent); outline-offset: 2px; }
.dgspay-leaving { display: flex; flex-wrap: wrap; align-items: center; justify-content: center; }
.dgspay-leaving:empty { position: absolute; }

.dgspay-dialog { max-inline-size: min(26rem, calc(100vw - 2rem)); padding: 1.5rem; color: var(--_text); background: var(--_paper); border: 1px solid var(--_edge); border-radius: 1rem; }
.dgspay-dialog::backdrop { background: rgb(10 16 28 / 55%); }
.dgspay-dialog > div { display: grid; gap: 1rem; }
.dgspay-unseen { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

@media (prefers-reduced-motion: reduce) {
  .dgspay-mark-waiting::after { animation: none; border-color: var(--_accent); border-style: dotted; }
}
@media (forced-colors: active) {
  .dgspay-sheet, .dgspay-quiet, .dgspay-mark, .dgspay-help, .dgspay-bar { border: 1px solid; }
  .dgspay-choice:has(input:checked) { outline: 3px solid Highlight; outline-offset: -3px; }
  .dgspay-choice:has(input:checked) .dgspay-dot { border-color: Highlight; }
  .dgspay-bar i { background: Highlight; }
}
@media print {
  [data-dgspay-printing] body * { visibility: hidden; }
  [data-dgspay-printing] .dgspay-checkout, [data-dgspay-printing] .dgspay-checkout * { visibility: visible; }
  [data-dgspay-printing] .dgspay-checkout { position: absolute; inset: 0; color-scheme: light; --_text: #000; --_soft: #333; --_paper: #fff; --_tint: #fff; --_edge: #999; }
  .dgspay-checkout .dgspay-buttons, .dgspay-checkout .dgspay-languages, .dgspay-checkout .dgspay-mark, .dgspay-checkout .dgspay-leaving { display: none; }
  .dgspay-sheet { display: block; box-shadow: none; min-block-size: 0 !important; }
}
`;
