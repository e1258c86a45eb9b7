import { describe, expect, test } from "vitest";
import { isRelevant } from "../../../src/search/quality/relevance.ts";
import { startCpuTimer } from "../../support/cpu-time.ts";
import { CORPUS } from "../../support/search-corpus/corpus.ts";
import { type Listed, type Question, toShown } from "../../support/search-corpus/questions.ts";
import { UNRELATED } from "../../support/search-corpus/unrelated.ts";

const judge = (query: string, list: readonly Listed[]) => isRelevant(query, toShown(list));
const listOf = (...results: readonly (readonly [string, string])[]) =>
  results.map(([title, content], i): Listed => [title, content, `https://site${i}.example/page`]);

/** What answers the other questions of the same language. */
function otherLists(questions: readonly Question[], question: Question): readonly (readonly Listed[])[] {
  return questions.filter((other) => other !== question).map((other) => other.good);
}

const SHOPS = listOf(
  ["Shoes and boots", "Free delivery on all orders of boots, sandals and sneakers for the whole family this week."],
  ["Curtains and blinds", "Measure your windows, choose a fabric and we make the curtains that you want in ten days."],
  ["Car tyres", "Compare the offers of garages near you and book a time when your tyres are fitted."],
);

describe("on the labelled lists", () => {
  test("no good list is refused, and nine of ten unrelated ones are", () => {
    const rows = Object.entries(CORPUS).map(([language, questions]) => {
      const refused = questions.filter(({ query, good }) => !judge(query, good));
      const unrelated = questions.flatMap((question) =>
        otherLists(questions, question).map((list) => !judge(question.query, list)),
      );
      const caught = unrelated.filter(Boolean).length;
      return { language, good: questions.length, refused: refused.length, unrelated: unrelated.length, caught };
    });
    const seen = UNRELATED.map(({ query, results }) => !judge(query, results));
    const about = { language: "(about one word)", good: 0, refused: 0 };
    rows.push({ ...about, unrelated: seen.length, caught: seen.filter(Boolean).length });
    console.table(rows);
    const sum = (pick: (row: (typeof rows)[number]) => number) => rows.reduce((total, row) => total + pick(row), 0);
    const share = sum((row) => row.caught) / sum((row) => row.unrelated);
    console.log(
      `refused ${sum((row) => row.refused)} of ${sum((row) => row.good)} good lists, caught ${share.toFixed(3)}`,
    );
    expect(rows.length).toBeGreaterThan(8);
    expect(sum((row) => row.good)).toBeGreaterThanOrEqual(60);
    expect(sum((row) => row.refused)).toBe(0);
    expect(share).toBeGreaterThanOrEqual(0.9);
  });

  test.each(UNRELATED.map(({ query, results }) => [query, results] as const))(
    "pages about one word of %j, or none, are no answer",
    (query, results) => {
      expect(judge(query, results)).toBe(false);
    },
  );

  test("hardly an answer in another language is refused", () => {
    const all = Object.values(CORPUS);
    const refused = all.flatMap((questions, at) => {
      const foreign = all[(at + 1) % all.length] ?? [];
      return questions.flatMap(({ query }) => foreign.flatMap(({ good }) => (judge(query, good) ? [] : [query])));
    });
    // Names and technical words look alike in many languages; a sentence does not.
    const share =
      refused.length / all.flatMap((questions, at) => questions.flatMap(() => all[(at + 1) % all.length] ?? [])).length;
    console.log(`refused ${share.toFixed(3)} of the answers in another language`);
    expect(share).toBeLessThan(0.05);
  });
});

describe("what words cannot tell is let through", () => {
  test.each([
    ["one significant word", "orchestrix"],
    ["one word and stop words", "what is the weather today"],
    ["a host name", "docs.example.com"],
    ["a URL", "https://example.com/a/b?c=d"],
    ["a telephone number", "+49 30 1234567"],
    ["a sum", "2 + 2 * 3"],
    ["a quoted phrase", '"the quick brown fox" author origin'],
    ["curly quotes", "who wrote “call me ishmael whale ship”"],
    ["a site operator", "site:github.com durable objects alarm"],
    ["a title operator", "intitle:annual report climate emissions"],
    ["an exclusion", "jaguar speed habitat -car"],
    ["alternatives", "dolphins OR whales migration routes"],
    ["an emoji", "🎉🎂"],
    ["punctuation", "??? !!!"],
    ["nothing", ""],
  ])("%s: %j", (_name, query) => {
    expect(judge(query, SHOPS)).toBe(true);
  });

  test("no results, and a single one with hardly any text", () => {
    expect(judge("how to prune an apple tree in winter", [])).toBe(true);
    expect(judge("prune apple tree winter", listOf(["Apple", ""]))).toBe(true);
  });

  test("results in another script", () => {
    expect(judge("погода в Париже на выходные", SHOPS)).toBe(true);
    expect(judge("how to renew passport in Japan", firstOfEach(CORPUS.JAPANESE))).toBe(true);
    expect(judge("東京 天気 明日 降水確率", firstOfEach(CORPUS.CHINESE))).toBe(true);
  });

  test("the other way of writing Chinese", () => {
    const traditional = listOf(
      ["臺灣鐵路時刻表", "查詢火車時刻與票價，選擇出發車站和到達車站。"],
      ["旅遊攻略", "環島鐵路旅遊的行程安排與住宿推薦，這樣玩最輕鬆。"],
      ["車站資訊", "各車站的開放時間與無障礙設施說明。"],
    );
    expect(judge("怎么买台铁火车票进站时间", traditional)).toBe(true);
  });
});

describe("what says the same in other letters is found", () => {
  test.each<[string, string, readonly Listed[]]>([
    [
      "a typing error",
      "javscript pormise tutrial asnychronous",
      listOf(
        ["JavaScript promises", "An introduction to asynchronous code for those who know the language a little."],
        ["Async functions", "Await makes a promise look like a value that is there already, for easier reading."],
        ["The event loop", "Why a callback runs later than you think, with pictures of the queue of tasks."],
      ),
    ],
    [
      "accents left out",
      "credit a la consommation taux francais menages",
      listOf(
        [
          "Crédit à la consommation",
          "Les ménages français empruntent moins depuis que les taux ont augmenté cette année.",
        ],
        ["Taux d'usure", "Le maximum légal que les banques peuvent demander pour un prêt est révisé chaque mois."],
        ["Surendettement", "Que faire quand les dettes sont trop lourdes pour le revenu de la famille ?"],
      ),
    ],
    [
      "inflections and plurals",
      "electing judges retirement ages",
      listOf(
        ["Judicial election", "A judge who was elected serves for a term of six years in many of the states."],
        ["Retired at seventy", "At which age those on the bench have to retire, and why some want to change it."],
        ["Courts", "How the courts of the country are built, from the lowest one to the highest."],
      ),
    ],
    [
      "a compound",
      "Wahl Bundeskanzler Mehrheit Bundestag",
      listOf(
        [
          "Die Bundeskanzlerwahl",
          "So wird der Regierungschef vom Parlament ohne Aussprache gewählt, wie das Grundgesetz es will.",
        ],
        ["Kanzlermehrheit", "Was der Begriff bedeutet und wie viele Stimmen dafür nötig sind."],
        ["Vertrauensfrage", "Wann die Abgeordneten sie zuletzt zu beantworten hatten und was danach geschah."],
      ),
    ],
    [
      "a short form for the long one",
      "model context protocol servers list",
      listOf(
        ["Awesome MCP", "A collection of things that you can plug into your assistant, sorted by what they do."],
        ["MCP registry", "Find what others have built, with the number of downloads and the date of the last release."],
        ["Getting started with MCP", "Install the kit, write a tool and try it with the inspector in your browser."],
      ),
    ],
    [
      "the long form for a short one",
      "RSV jab for the elderly NHS eligibility",
      listOf(
        [
          "Respiratory syncytial virus vaccination",
          "People aged 75 and over are offered the vaccine by their doctor from this autumn.",
        ],
        ["Who is eligible", "Check with your surgery whether you are in one of the groups that can have it free."],
        ["Side effects", "A sore arm for a day or two is the usual thing after an injection of this kind."],
      ),
    ],
    [
      "a host instead of words",
      "hono framework documentation middleware",
      [
        [
          "Getting started",
          "Small, simple and fast on any runtime that knows web standards, in a few lines of code.",
          "https://hono.dev/docs",
        ],
        [
          "Helpers",
          "Cookies, streaming and testing, as well as others that you may need in your app.",
          "https://hono.dev/docs/helpers",
        ],
        [
          "Middleware",
          "It runs before and after the handler and can change what goes in and what comes out.",
          "https://hono.dev/docs/guides/middleware",
        ],
      ],
    ],
    [
      "full-width letters",
      "ＪａｖａＳｃｒｉｐｔ　ｐｒｏｍｉｓｅ　ｃｈａｉｎ　ｅｒｒｏｒ",
      listOf(
        ["JavaScript promise chains", "How an error travels down the chain until something catches it."],
        ["Promise.all", "Waits for all of them and rejects with the first that does."],
        ["Errors", "What is thrown in a callback of then becomes a rejection."],
      ),
    ],
  ])("%s", (_name, query, list) => {
    expect(judge(query, list)).toBe(true);
    expect(judge(query, [...SHOPS, ...list])).toBe(true);
  });
});

describe("hostile input", () => {
  test.each([
    ["lone surrogates", "a\ud800b \udc00 two three four"],
    ["an expression's signs", "(((( [[[[ .* $^ \\ four five six"],
    ["prototype names", "__proto__ constructor toString valueOf"],
    ["four hundred characters of one word", `${"a".repeat(200)} ${"b".repeat(199)}`],
    ["words of one letter", "a b c d e f g h i j k l m"],
    ["Thai without end", "ก".repeat(400)],
  ])("%s is judged without a fault", (_name, query) => {
    expect(typeof judge(query, SHOPS)).toBe("boolean");
    expect(typeof isRelevant(query, [{ title: query, content: query, url: "not a url" }])).toBe("boolean");
  });

  test("long texts cost no more than their beginnings", () => {
    const query = Array.from({ length: 60 }, (_, i) => `wor${i}d`).join(" ");
    const pieces = ["wor", "wor1", "aaaa ", "字", "WHO ", "a-b.c/", "\u0301"];
    const cpuMs = startCpuTimer();
    for (const piece of pieces) {
      const text = piece.repeat(1_000_000 / piece.length);
      isRelevant(
        query,
        Array.from({ length: 100 }, () => ({ title: text.slice(0, 300), content: text, url: text })),
      );
    }
    expect(cpuMs()).toBeLessThan(2_000);
  });

  test("only the first ten results are looked at", () => {
    const late = listOf(["How to prune an apple tree in winter", "Prune your apple tree while it sleeps, in winter."]);
    expect(judge("how to prune an apple tree in winter", [...Array(4).fill(SHOPS).flat().slice(0, 10), ...late])).toBe(
      false,
    );
  });
});

function firstOfEach(questions: readonly Question[] | undefined): readonly Listed[] {
  return (questions ?? []).flatMap(({ good }) => good.slice(0, 1));
}
