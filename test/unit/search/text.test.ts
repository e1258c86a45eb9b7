import { describe, expect, test } from "vitest";
import { cleanLines, cleanText, hasMarkup } from "../../../src/search/quality/text.ts";
import { startCpuTimer } from "../../support/cpu-time.ts";

const clean = (text: string) => cleanText(text, 2_000);

describe("cleaning text", () => {
  test.each([
    ["tags go, their text stays", "A <strong>bold</strong> word", "A bold word"],
    ["a block's end is a space", "one<br>two</p><p>three", "one two three"],
    [
      "entities are decoded",
      "Tom &amp; Jerry &#8211; caf&#xE9; &quot;x&quot;&nbsp;&hellip;",
      'Tom & Jerry – café "x" …',
    ],
    ["entities are decoded once", "&amp;amp; &amp;lt;b&amp;gt;", "&amp; &lt;b&gt;"],
    ["unknown entities stay", "&foo; AT&T; a&b", "&foo; AT&T; a&b"],
    ["entities of no character vanish", "a&#0;b&#xD800;c&#1114112;d", "abcd"],
    ["comparisons are no tags", "if 1 < 2 and 5 > 3", "if 1 < 2 and 5 > 3"],
    ["white space is one space", "  a \n\n b\t\u00a0 c ", "a b c"],
    ["control characters are spaces", "a\u0000b\u0007c\u009fd", "a b c d"],
    ["direction overrides vanish", "invoice\u202Efdp.exe", "invoicefdp.exe"],
    ["tag characters vanish", "a\u{e0069}\u{e0067}b", "ab"],
    ["lone surrogates are replaced", "a\ud800b", "a\ufffdb"],
    ["emoji and joined letters stay", "👩‍💻 می‌خواهم", "👩‍💻 می‌خواهم"],
  ])("%s", (_name, given, expected) => {
    expect(clean(given)).toBe(expected);
  });

  test.each([
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example></SCRIPT>",
    "<<script>script>alert(1)<</script>/script>",
    "<scr<b></b>ipt>alert(1)</scr<b></b>ipt>",
    "<scr<script>ipt>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;img src=x onerror=alert(1)&#62;",
    "&#x3c;svg/onload=alert(1)&#x3e;",
    "<img alt='a>b' src=x onerror=alert(1)>",
    '<a href="javascript:alert(1)">x</a>',
    "<img src=x onerror=alert(1)//",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<?php echo 1 ?>",
    "<\u0000script>alert(1)</script>",
    "<\u200bscript>alert(1)</script>",
    "<s\u0000cript>alert(1)</script>",
    "&lt;&#x200b;script&gt;alert(1)&lt;&#x200b;/script&gt;",
    "&lt;\u00adimg src=x onerror=alert(1)>",
    "<&#x73;cript>alert(1)</script>",
    "<\u202escript>alert(1)",
    `${"<".repeat(500)}script>alert(1)</script>`,
    "<<<<img src=x onerror=alert(1)//",
    "<<<<b>img src=x onerror=alert(1)>",
    "&lt;&lt;&lt;img src=x onerror=alert(1)//",
    "<\u{e0041}script>alert(1)",
    "<style>@import 'x'</style><iframe srcdoc='&lt;script&gt;alert(1)&lt;/script&gt;'>",
  ])("nothing is left of %j that a browser takes for a tag", (attack) => {
    for (const text of [clean(attack), cleanLines(attack, 2_000)]) {
      expect(hasMarkup(text)).toBe(false);
      expect(text).not.toMatch(/<(?:script|img|svg|iframe)/i);
    }
  });

  test("a script's source is no text", () => {
    expect(clean("before <script type=module>var stolen = 1;</script> after")).toBe("before after");
    expect(clean("before <style>p { color: red }</style> after")).toBe("before after");
  });

  test("the length is bounded, and no character is cut in half", () => {
    expect(cleanText("x".repeat(1_000), 10)).toBe("xxxxxxxxxx");
    expect(cleanText("ab😀", 3)).toBe("ab");
  });

  test("lines stay lines where they are asked for", () => {
    expect(cleanLines("# Title \r\n\r\n\r\n\r\n text <b>x</b>\n- a\n- b\n", 2_000)).toBe("# Title\n\ntext x\n- a\n- b");
  });

  test("hostile megabytes take no longer than a moment", () => {
    const cpuMs = startCpuTimer();
    for (const piece of ["<", "<script>", "<a", "&lt;", "<b<", "&#", "\u0000", "<script></"]) {
      cleanLines(piece.repeat(4_000_000 / piece.length), 20_000);
    }
    expect(cpuMs()).toBeLessThan(2_000);
  });
});
