// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// How pages look: light or dark as the reader has it, in the system's fonts. The colours of series (s0, s1, ...)
/// differ in lightness as well as in hue, and their lines in dashes. Without `&` and `<`, so that it is XML too.

#include <string_view>

namespace examples {

inline constexpr int series_styles = 6;  // s0 to s5

inline constexpr std::string_view page_style = R"(:root {
  color-scheme: light dark;
  --paper: #fdfdfb; --ink: #1b1e22; --quiet: #555c66; --rule: #d6d9dd;
  --right: 20, 110, 150; --wrong: 205, 92, 20;
  --s0: #132d48; --s1: #b4481a; --s2: #2b988a; --s3: #6b3fa6; --s4: #a8861a; --s5: #3f86c9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15181c; --ink: #e9ebee; --quiet: #a4abb5; --rule: #363c45;
    --right: 70, 170, 210; --wrong: 240, 140, 70;
    --s0: #e4ecf5; --s1: #f0975a; --s2: #2f9d8f; --s3: #b48cf0; --s4: #e0cc63; --s5: #5f9fdb;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 66rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; }
p { max-width: 46rem; margin: .5rem 0; overflow-wrap: anywhere; }
.lead { font-size: 1.1rem; }
.wide { overflow-x: auto; margin: .8rem 0; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--quiet); padding: .2rem 0; }
th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th { font-weight: 600; }
th[scope="row"], .text { text-align: left; }
td.text { white-space: normal; min-width: 12rem; overflow-wrap: anywhere; font-size: .85rem; }
td, th[scope="row"] { vertical-align: top; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 1.6rem; }
figure { margin: 0; min-width: 0; }
figcaption { font-size: .95rem; }
.charts figure { max-width: 34rem; }
svg { display: block; width: 100%; height: auto; }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
svg .tick { fill: var(--quiet); }
svg .middle { text-anchor: middle; }
svg .end { text-anchor: end; }
svg .strong { font-weight: 700; text-decoration: underline; }
.grid { stroke: var(--rule); stroke-width: 1; }
.s0 { --series: var(--s0); --dash: 7 3; }
.s1 { --series: var(--s1); --dash: 3 2; }
.s2 { --series: var(--s2); --dash: none; }
.s3 { --series: var(--s3); --dash: 9 3 2 3; }
.s4 { --series: var(--s4); --dash: 12 4; }
.s5 { --series: var(--s5); --dash: 5 2 1 2; }
.line { fill: none; stroke: var(--series); stroke-width: 2; stroke-dasharray: var(--dash); stroke-linejoin: round; }
.level { stroke: var(--series); stroke-width: 1; stroke-dasharray: 1 3; }
.spread, .leader { stroke: var(--series); stroke-width: 1.2; fill: none; }
.mean { stroke: var(--series); stroke-width: 2.5; }
.dot, .bar { fill: var(--series); }
.key { display: inline-block; width: .8em; height: .8em; background: var(--series); margin: 0 .3em 0 .8em; }
.matrix td, .matrix th { padding: .25rem .1rem; min-width: 1.9rem; text-align: center; }
.matrix td { border: 1px solid var(--paper); font-size: .8rem; }
.matrix th[scope="row"] { text-align: right; padding-right: .4rem; }
.matrix .right { background: rgba(var(--right), var(--share)); }
.matrix .wrong { background: rgba(var(--wrong), var(--share)); }
.matrix .none { color: var(--quiet); }
.digits { list-style: none; margin: .8rem 0; padding: 0; display: grid; gap: 1.2rem;
  grid-template-columns: repeat(auto-fill, minmax(min(19rem, 100%), 1fr)); }
.digits figure { display: grid; grid-template-columns: 84px 1fr; gap: .2rem .8rem; align-items: center; }
.digits img { width: 84px; height: 84px; object-fit: contain; image-rendering: pixelated; filter: invert(1); }
.digits figcaption { grid-column: 1 / -1; font-size: .85rem; color: var(--quiet); }
@media (prefers-color-scheme: dark) { .digits img { filter: none; } }
@media (max-width: 30rem) {
  th, td { padding: .3rem .45rem; }
  th[scope="row"] { white-space: normal; min-width: 7rem; }
  .matrix td, .matrix th { padding: .25rem 0; min-width: 1.75rem; font-size: .72rem; }
}
)";

}  // namespace examples
