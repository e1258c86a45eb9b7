import { html, raw } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import type { Json } from "../core/json.ts";

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
h2 { margin: 2.5rem 0 .5rem; border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
details { border: 1px solid color-mix(in srgb, currentColor 20%, transparent); border-radius: .5rem; margin: .5rem 0; }
summary { cursor: pointer; padding: .5rem .75rem; display: flex; gap: .75rem; flex-wrap: wrap; align-items: baseline; }
details > div { padding: 0 .75rem .75rem; }
code { font: .9rem ui-monospace, monospace; overflow-wrap: anywhere; }
.method { font-weight: 700; min-width: 4rem; }
.scope { margin-left: auto; opacity: .7; font-size: .85rem; }
pre { overflow-x: auto; padding: .75rem; border-radius: .5rem; background: color-mix(in srgb, currentColor 8%, transparent); }
table { border-collapse: collapse; } td { padding: .15rem 1rem .15rem 0; vertical-align: top; }
`;

/** Markup whose values were escaped when it was made: what hono's `html` gives. */
export type Markup = HtmlEscapedString | Promise<HtmlEscapedString>;

/** A page of plain HTML with the style of all: no script, nothing loaded from anywhere. */
export async function htmlPage(title: string, body: Markup): Promise<Response> {
  const page = html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<style>${raw(STYLE)}</style></head>
<body>
<h1>${title}</h1>
${body}
</body></html>`;
  return new Response(String(await page), {
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    },
  });
}

export function jsonBlock(value: Json): Markup {
  return html`<pre><code>${JSON.stringify(value, null, 2)}</code></pre>`;
}
