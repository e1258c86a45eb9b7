import type { Listed } from "./questions.ts";

/** Answers of a kind that was seen: pages that share one word with the question, its most general one, or none. */
export const UNRELATED: readonly { readonly query: string; readonly results: readonly Listed[] }[] = [
  {
    query: "best hiking trails Dolomites September",
    results: [
      [
        "Best Buy | Official Online Store",
        "Shop Best Buy for electronics, computers, appliances, cell phones, video games and more new tech.",
        "https://www.bestbuy.com/",
      ],
      [
        "BEST Definition & Meaning - Merriam-Webster",
        "The meaning of BEST is excelling all others. How to use best in a sentence.",
        "https://www.merriam-webster.com/dictionary/best",
      ],
      ["BestHF", "Free online games and more.", "https://besthf.com/"],
    ],
  },
  {
    query: "best pizza in New York City 2026",
    results: [
      [
        "Best Buy | Official Online Store",
        "Shop Best Buy for electronics, computers, appliances, cell phones, video games and more new tech.",
        "https://www.bestbuy.com/",
      ],
      [
        "BEST Definition & Meaning - Merriam-Webster",
        "The meaning of BEST is excelling all others. How to use best in a sentence.",
        "https://www.merriam-webster.com/dictionary/best",
      ],
      ["BestHF", "Free online games and more.", "https://besthf.com/"],
    ],
  },
  {
    query: "Drouin collection Quebec church records",
    results: [
      [
        "Microsoft – AI, Cloud, Productivity, Computing, Gaming & Apps",
        "Explore Microsoft products and services and support for your home or business.",
        "https://www.microsoft.com/",
      ],
      [
        "Login | Microsoft 365",
        "Collaborate for free with online versions of Word, PowerPoint, Excel and OneNote.",
        "https://www.office.com/",
      ],
      [
        "Outlook – free personal email and calendar",
        "Sign in to your account to send mail and manage your day.",
        "https://outlook.live.com/",
      ],
    ],
  },
  {
    query: "Sainte-Victoire-de-Sorel parish registers",
    results: [
      [
        "Anime pictures and videos",
        "Free galleries of popular characters, updated daily, with comments and ratings.",
        "https://rule34.example/",
      ],
      [
        "Zone of fan art",
        "Watch animations of games and cartoons that were made by fans for fans.",
        "https://r34zone.example/",
      ],
      [
        "pixiv: illustration community service",
        "A place where artists post their work and meet those who like it.",
        "https://www.pixiv.net/en/",
      ],
    ],
  },
  {
    query: "how to renew passport in Canada",
    results: [
      [
        "RENEW Definition & Meaning - Merriam-Webster",
        "The meaning of RENEW is to make like new: restore to freshness, vigor or perfection.",
        "https://www.merriam-webster.com/dictionary/renew",
      ],
      [
        "Renew.com: subscriptions made simple",
        "The platform that keeps customers of your business for longer.",
        "https://www.renew.com/",
      ],
      [
        "Renew Financial",
        "Loans for solar panels and roofs that are paid back with the taxes on your home.",
        "https://renewfinancial.com/",
      ],
    ],
  },
  {
    query: "model context protocol authorization spec",
    results: [
      [
        "Model (person) - Wikipedia",
        "A model is a person who poses to show clothing or works of art.",
        "https://en.wikipedia.org/wiki/Model_(person)",
      ],
      [
        "Elite Model Look",
        "The search for new faces in fashion starts again this spring in forty countries.",
        "https://www.elitemodellook.com/",
      ],
      ["IMG Models", "A leader in talent management with offices in London and Sydney.", "https://imgmodels.com/"],
    ],
  },
  {
    query: "kubernetes pod crashloopbackoff exit code 137",
    results: [
      [
        "Exit Realty Corp. International",
        "Find an agent near you and see homes for sale in all states.",
        "https://www.exitrealty.com/",
      ],
      [
        "EXIT Festival",
        "The summer's loudest weekend at the fortress, with forty acts on six stages.",
        "https://www.exitfest.org/",
      ],
      [
        "EXIT Definition & Meaning",
        "The meaning of EXIT is a way out of an enclosed place or space.",
        "https://www.merriam-webster.com/dictionary/exit",
      ],
    ],
  },
  {
    query: "postgres vacuum full vs autovacuum locking table",
    results: [
      [
        "Vacuum cleaners | Shark",
        "Cordless sticks and robots for carpets and hard floors, with free shipping.",
        "https://www.sharkclean.com/vacuums",
      ],
      [
        "The 8 Best Vacuums of 2026",
        "We dropped cereal, sand and hair on the floor to find the strongest of them.",
        "https://www.nytimes.com/wirecutter/vacuum",
      ],
      ["Vacuum - Wikipedia", "A vacuum is a space devoid of matter.", "https://en.wikipedia.org/wiki/Vacuum"],
    ],
  },
  {
    query: "landlord won't return security deposit California small claims",
    results: [
      [
        "California - Official state website",
        "Services and information for people who live in the Golden State.",
        "https://www.ca.gov/",
      ],
      ["Visit California", "Road trips, beaches, national parks and wine country.", "https://www.visitcalifornia.com/"],
      [
        "California - Wikipedia",
        "California is a state on the Pacific coast with 39 million inhabitants.",
        "https://en.wikipedia.org/wiki/California",
      ],
    ],
  },
  {
    query: "Wärmepumpe Altbau Kosten Förderung 2026",
    results: [
      [
        "Kosten – Wikipedia",
        "Als Kosten werden in der Betriebswirtschaft die bewerteten Verbräuche von Gütern bezeichnet.",
        "https://de.wikipedia.org/wiki/Kosten",
      ],
      [
        "Duden | Kosten",
        "Rechtschreibung, Bedeutung und Herkunft des Wortes auf einen Blick.",
        "https://www.duden.de/rechtschreibung/Kosten",
      ],
      [
        "WEB.DE – E-Mail, Nachrichten und mehr",
        "Das Portal mit kostenlosem Postfach und den Themen, die heute wichtig sind.",
        "https://web.de/",
      ],
    ],
  },
  {
    query: "comment résilier un abonnement mobile sans frais",
    results: [
      [
        "Mobile : pièces et accessoires",
        "Le jouet qui tourne au-dessus du lit de bébé, à fabriquer avec du bois et du fil.",
        "https://www.bebe.example/mobile",
      ],
      [
        "Mobile (Alabama) — Wikipédia",
        "Mobile est une ville portuaire du sud des États-Unis, sur le golfe du Mexique.",
        "https://fr.wikipedia.org/wiki/Mobile",
      ],
      [
        "Mobile de Calder au musée",
        "Les sculptures suspendues de l'artiste sont exposées jusqu'à la fin de l'été.",
        "https://www.musee.example/calder",
      ],
    ],
  },
  {
    query: "requisitos para alquilar un piso en Madrid",
    results: [
      [
        "Real Madrid CF | Web oficial",
        "Noticias del primer equipo, entradas y la tienda del club blanco.",
        "https://www.realmadrid.com/",
      ],
      [
        "Madrid: turismo",
        "Museos, tapas y parques de la capital para un fin de semana con amigos.",
        "https://www.esmadrid.com/",
      ],
      [
        "El tiempo en Madrid",
        "Cielo despejado con temperaturas que suben hasta los 31 grados por la tarde.",
        "https://www.aemet.es/madrid",
      ],
    ],
  },
  {
    query: "確定申告 医療費控除 必要書類",
    results: [
      ["ニンテンドー公式サイト", "ゲーム機とソフトの最新情報をお届けします。", "https://www.nintendo.com/jp/"],
      ["食べログ - グルメサイト", "全国のレストランの口コミとランキングで店を探せます。", "https://tabelog.com/"],
      ["楽天市場", "日本最大級の通販サイト。送料無料の商品も多数そろいます。", "https://www.rakuten.co.jp/"],
    ],
  },
  {
    query: "北京居住证办理需要什么材料",
    results: [
      ["淘宝网", "亚洲较大的网上交易平台，提供各类服饰、美容、家居、数码商品。", "https://www.taobao.com/"],
      ["北京大学", "创办于1898年，是中国近现代第一所国立综合性大学。", "https://www.pku.edu.cn/"],
      ["哔哩哔哩", "国内知名的视频弹幕网站，这里有及时的动漫新番和活跃的氛围。", "https://www.bilibili.com/"],
    ],
  },
  {
    query: "как оформить загранпаспорт ребёнку через госуслуги",
    results: [
      [
        "Через – Викисловарь",
        "Значение слова, синонимы, произношение и примеры употребления предлога.",
        "https://ru.wiktionary.org/wiki/cherez",
      ],
      [
        "ВКонтакте | Добро пожаловать",
        "Универсальное средство для общения и поиска друзей, которым пользуются миллионы.",
        "https://vk.com/",
      ],
      [
        "Кинопоиск",
        "Фильмы и сериалы в отличном качестве, рейтинги, рецензии и даты премьер.",
        "https://www.kinopoisk.ru/",
      ],
    ],
  },
  {
    query: "طريقة تجديد جواز السفر المصري من الخارج",
    results: [
      ["يوتيوب", "استمتع بالفيديوهات والموسيقى التي تحبها وشاركها مع الأصدقاء.", "https://www.youtube.com/"],
      ["كووورة", "نتائج المباريات وترتيب الفرق ومواعيد الدوري الإسباني.", "https://www.kooora.com/"],
      ["سوق دوت كوم", "تسوق الهواتف والأجهزة المنزلية وملابس الأطفال.", "https://www.souq.example/"],
    ],
  },
];
