/** How the page looks: light and dark, from a telephone to a wide screen, and on paper. */
export const STYLE = `
:root { --paper: #fff; --ink: #1b1f24; --faint: #57606a; --line: #d0d7de; --accent: #0550ae; --soft: #a6c8f0;
  --good: #116329; --bad: #b3121d; --doubt: #7d4e00; --shade: #f6f8fa; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --paper: #0d1117; --ink: #e6edf3; --faint: #9da7b3; --line: #3d444d;
  --accent: #79b8ff; --soft: #24466e; --good: #56d364; --bad: #ff8d85; --doubt: #e3b341; --shade: #161b22; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 84rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; } h2 { font-size: 1.25rem; margin: 2.5rem 0 .25rem; border-top: 1px solid var(--line); padding-top: 1rem; }
h3 { font-size: 1.05rem; margin: 0 0 .25rem; } p { margin: .25rem 0 .5rem; max-width: 70ch; }
a { color: var(--accent); }
.faint, .small { color: var(--faint); } .small { font-size: .8rem; }
nav ul { list-style: none; padding: 0; margin: 1rem 0; display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
nav a { display: inline-block; padding: .25rem 0; }
.gate { border: 1px solid var(--line); border-left: .4rem solid var(--faint); border-radius: .3rem; padding: .75rem 1rem; margin: .75rem 0; }
.gate.clear { border-left-color: var(--good); } .gate.fired { border-left-color: var(--bad); } .gate.cannot_vouch { border-left-color: var(--doubt); }
.clear .status { color: var(--good); } .fired .status { color: var(--bad); } .cannot_vouch .status { color: var(--doubt); }
.findings { padding-left: 1.2rem; } .findings .fired strong { color: var(--bad); } .findings .cannot_vouch strong { color: var(--doubt); }
.notice { border-left: .25rem solid var(--doubt); padding-left: .75rem; }
.scroll { overflow-x: auto; margin: .5rem 0; } table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); overflow-wrap: normal; }
th { font-weight: 600; white-space: nowrap; } td { max-width: 24rem; overflow-wrap: break-word; min-width: 3rem; } .short { white-space: nowrap; } .long { min-width: 16rem; }
.number { text-align: right; white-space: nowrap; }
code, pre { font: .85rem/1.45 ui-monospace, monospace; } pre { overflow-x: auto; background: var(--shade); padding: .75rem; border-radius: .3rem; }
summary { cursor: pointer; color: var(--accent); padding: .25rem 0; }
.chart svg { display: block; width: 100%; height: auto; max-width: 720px; color: var(--ink); } .narrow { display: none; }
@media (max-width: 560px) { body { padding: .75rem; } .wide { display: none; } .narrow { display: block; } .gate { padding: .6rem .75rem; } }
@page { margin: 12mm; }
@media print { :root { --paper: #fff; --ink: #000; --faint: #444; --line: #999; --accent: #003; --soft: #bbb; --good: #000; --bad: #000; --doubt: #000; --shade: #fff; }
  nav { display: none; } body { max-width: none; padding: 0; font-size: 11pt; } section, .gate, svg, tr { break-inside: avoid; } section, .gate { break-inside: auto; }
  h2, h3, summary, section > p { break-after: avoid; } thead { display: table-header-group; }
  table { font-size: 7pt; } th, td { padding: .15rem .4rem .15rem 0; min-width: 0; } th, th.number { white-space: normal; } td { max-width: 12em; } .short { white-space: normal; } .long { min-width: 10em; } td .small { font-size: 6pt; }
  .scroll, pre { overflow: visible; } pre { white-space: pre-wrap; } details { display: block; } details::details-content { content-visibility: visible; block-size: auto; } a { color: inherit; } }
`;
