import type { Question } from "./questions.ts";

/** Questions as people type them, and results as search engines show them: title, snippet, address. */
export const ENGLISH: readonly Question[] = [
  {
    query: "best hiking trails Dolomites September",
    good: [
      [
        "10 unforgettable hikes in the Dolomites",
        "From Tre Cime di Lavaredo to Seceda, these day hikes are at their best in early autumn, when the huts are still open.",
        "https://www.earthtrekkers.example/best-hikes-dolomites/",
      ],
      [
        "Dolomites in September: weather, crowds and trails",
        "September brings stable weather and quieter trails. Here is what to pack and which rifugi close first.",
        "https://moonhoneytravel.example/dolomites-september",
      ],
      [
        "Alta Via 1 – the classic long-distance route",
        "A week on foot from Lago di Braies to Belluno, with huts every few hours.",
        "https://en.wikipedia.org/wiki/Alta_Via_1",
      ],
    ],
  },
  {
    query: "how to renew passport in Canada",
    good: [
      [
        "Renew an adult passport - Canada.ca",
        "Find out if you can use the simplified process to renew your Canadian passport, and what to send with the form.",
        "https://www.canada.ca/en/passport/renew.html",
      ],
      [
        "Passport renewal: fees and processing times",
        "Standard service takes 20 business days by mail. You need two photos, your old passport and two references.",
        "https://www.immigration.example/passport-renewal",
      ],
      [
        "Where to apply in person",
        "Passport offices and Service Canada centres near you take renewal applications without an appointment.",
        "https://www.servicecanada.example/offices",
      ],
    ],
  },
  {
    query: "Drouin collection Quebec church records",
    good: [
      [
        "The Drouin Collection: French-Canadian genealogy",
        "Millions of baptism, marriage and burial acts from parishes in Quebec, filmed in the 1940s by the Institut Drouin.",
        "https://www.genealogiequebec.example/drouin",
      ],
      [
        "Quebec, Canada, Vital and Church Records, 1621–1968",
        "This database contains the Drouin microfilms: Catholic and Protestant registers, indexed by name.",
        "https://www.ancestry.example/search/collections/1091/",
      ],
      [
        "Reading old parish registers",
        "Handwriting, Latin abbreviations and dit names: a short introduction for family historians in Québec.",
        "https://familysearch.example/wiki/quebec",
      ],
    ],
  },
  {
    query: "Sainte-Victoire-de-Sorel parish registers",
    good: [
      [
        "Sainte-Victoire-de-Sorel - FamilySearch",
        "Parish registers of the Catholic church of Sainte-Victoire, 1842-1976, browse only.",
        "https://www.familysearch.example/catalog/sorel",
      ],
      [
        "Registres paroissiaux du Bas-Richelieu",
        "Baptêmes, mariages et sépultures des paroisses de la région de Sorel.",
        "https://www.sghr.example/registres",
      ],
      [
        "Sainte-Victoire-de-Sorel, Quebec",
        "A municipality in Pierre-De Saurel, in Montérégie. Population 2,500.",
        "https://en.wikipedia.org/wiki/Sainte-Victoire-de-Sorel",
      ],
    ],
  },
  {
    query: "model context protocol authorization spec",
    good: [
      [
        "Authorization - Model Context Protocol",
        "MCP servers act as OAuth 2.1 resource servers; clients discover the authorization server through protected resource metadata.",
        "https://modelcontextprotocol.io/specification/basic/authorization",
      ],
      [
        "What changed in MCP auth",
        "The new revision of the spec separates the resource server from the authorization server. What implementers must do.",
        "https://blog.example/mcp-auth",
      ],
      [
        "Securing remote MCP servers",
        "Tokens, audiences, and the confused deputy: a walkthrough with code.",
        "https://auth.example/mcp",
      ],
    ],
  },
  {
    query: "why is my sourdough bread so dense",
    good: [
      [
        "Dense sourdough: seven causes and how to fix them",
        "An immature starter and too short a bulk fermentation are the usual reasons for a tight crumb.",
        "https://www.pantrymama.example/dense-sourdough/",
      ],
      [
        "Troubleshooting your loaf",
        "If the bread is gummy or heavy, check the temperature of the dough and how lively the starter is.",
        "https://www.kingarthur.example/troubleshooting",
      ],
      [
        "r/Sourdough: what did I do wrong?",
        "Crumb is closed, loaf hardly rose. Is it underproofed?",
        "https://www.reddit.example/r/Sourdough/comments/1",
      ],
    ],
  },
  {
    query: "javascript array remove duplicates performance",
    good: [
      [
        "Remove duplicate values from an array in JavaScript",
        "Use a Set: [...new Set(values)]. For objects, keep a Map by key. filter with indexOf is quadratic.",
        "https://stackoverflow.example/questions/1960473",
      ],
      [
        "Set vs filter vs reduce: benchmark",
        "For arrays with 100,000 elements, Set is two hundred times faster than filter and indexOf.",
        "https://jsbench.example/unique",
      ],
      [
        "Array - MDN Web Docs",
        "The Array object enables storing a collection of multiple items under a single variable name.",
        "https://developer.mozilla.org/en-US/docs/Web/JavaScript/Reference/Global_Objects/Array",
      ],
    ],
  },
  {
    query: "symptoms of vitamin b12 deficiency in adults",
    good: [
      [
        "Vitamin B12 deficiency anaemia - NHS",
        "Tiredness, pins and needles, a sore tongue and problems with memory can be signs of too little B12 or folate.",
        "https://www.nhs.uk/conditions/vitamin-b12-or-folate-deficiency-anaemia/",
      ],
      [
        "B12 deficiency: causes, symptoms and treatment",
        "Adults over 60 and vegans are at risk. A blood test shows the level.",
        "https://www.health.example/b12",
      ],
      [
        "Pernicious anemia",
        "An autoimmune disease that keeps the stomach from absorbing cobalamin.",
        "https://en.wikipedia.org/wiki/Pernicious_anemia",
      ],
    ],
  },
  {
    query: "fix leaking kitchen faucet",
    good: [
      [
        "How to Repair a Dripping Tap",
        "Turn off the water under the sink, take off the handle and replace the cartridge or the O-rings of the faucet.",
        "https://www.diy.example/dripping-tap",
      ],
      [
        "Leaky faucet? Try this first",
        "A worn washer is behind most leaks. You need an Allen key and ten minutes.",
        "https://www.homedepot.example/leaky-faucet",
      ],
      [
        "Moen 1225 cartridge replacement",
        "Step by step with pictures for single-handle kitchen models.",
        "https://www.moen.example/1225",
      ],
    ],
  },
  {
    query: "nvidia quarterly results data center revenue",
    good: [
      [
        "NVIDIA Announces Financial Results for Third Quarter",
        "Record quarterly revenue; Data Center revenue up 66 percent from a year ago.",
        "https://nvidianews.nvidia.com/news/results",
      ],
      [
        "Nvidia beats expectations again",
        "The chipmaker's data-centre unit brought in most of its sales as cloud companies keep buying.",
        "https://www.reuters.example/nvidia",
      ],
      [
        "NVDA stock falls after earnings",
        "Shares slipped in extended trading although revenue topped estimates.",
        "https://www.cnbc.example/nvda",
      ],
    ],
  },
  {
    query: "history of the Panama Canal construction deaths",
    good: [
      [
        "Health measures during the construction of the Panama Canal",
        "Yellow fever and malaria killed thousands of workers; over 22,000 died during the French effort alone.",
        "https://en.wikipedia.org/wiki/Health_measures_during_the_construction_of_the_Panama_Canal",
      ],
      [
        "How the Panama Canal took a huge toll",
        "Landslides, dynamite and disease: 5,600 lives were lost on the American contract.",
        "https://www.history.example/panama-canal-chagres",
      ],
      [
        "West Indian labourers on the isthmus",
        "Most of the diggers came from Barbados and were paid in silver.",
        "https://www.loc.example/panama",
      ],
    ],
  },
  {
    query: "postgres vacuum full vs autovacuum locking table",
    good: [
      [
        "PostgreSQL: Documentation: VACUUM",
        "Plain VACUUM can run in parallel with reads and writes. VACUUM FULL rewrites the table and needs an ACCESS EXCLUSIVE lock.",
        "https://www.postgresql.org/docs/current/sql-vacuum.html",
      ],
      [
        "When autovacuum does not keep up",
        "Tune the scale factor for large tables, and watch for long transactions that hold back cleanup.",
        "https://www.cybertec.example/autovacuum",
      ],
      [
        "pg_repack instead of VACUUM FULL",
        "Removes bloat while the table stays usable.",
        "https://reorg.github.io/pg_repack/",
      ],
    ],
  },
  {
    query: "cheap flights from Lisbon to Azores in May",
    good: [
      [
        "Flights from Lisbon (LIS) to Ponta Delgada (PDL)",
        "Compare airlines from €29 one way. May is among the cheapest months to fly to the Azores.",
        "https://www.skyscanner.example/lis/pdl",
      ],
      [
        "How to get to the Azores",
        "TAP, SATA and Ryanair fly daily from Lisbon; the flight takes two and a half hours.",
        "https://www.visitazores.example/fly",
      ],
      [
        "Azores travel costs",
        "What we spent on a week on São Miguel, including the flights and the car.",
        "https://www.travelblog.example/azores",
      ],
    ],
  },
  {
    query: "what did Keynes mean by animal spirits",
    good: [
      [
        "Animal spirits (Keynes) - Wikipedia",
        "The term John Maynard Keynes used in 1936 for the instincts and emotions that guide human behaviour in markets.",
        "https://en.wikipedia.org/wiki/Animal_spirits_(Keynes)",
      ],
      [
        "Animal Spirits, explained",
        "Confidence, he wrote, is a spontaneous urge to action rather than inaction.",
        "https://www.investopedia.example/animal-spirits",
      ],
      [
        "The General Theory, chapter 12",
        "The state of long-term expectation and why investment swings.",
        "https://www.marxists.example/keynes/ch12",
      ],
    ],
  },
  {
    query: "stop dog barking at night neighbours complaining",
    good: [
      [
        "How to quiet a noisy puppy after dark",
        "Dogs bark at night out of boredom or fear. Tire yours out, cover the windows and do not reward the noise.",
        "https://www.akc.example/night-barking",
      ],
      [
        "Barking dogs: what the council can do",
        "If neighbours complain, an officer may visit and issue a notice.",
        "https://www.gov.example/noise/dogs",
      ],
      ["Ten training tips", "Patience and treats do more than any collar.", "https://www.rspca.example/training"],
    ],
  },
  {
    query: "WHO guidelines on RSV vaccine for pregnant women",
    good: [
      [
        "WHO recommends two RSV immunization products",
        "The maternal vaccine is given during the third trimester of pregnancy; the antibody is given to infants.",
        "https://www.who.int/news/rsv",
      ],
      [
        "Respiratory syncytial virus: position paper",
        "World Health Organization guidance for countries on protecting newborns.",
        "https://iris.who.int/rsv",
      ],
      [
        "Maternal immunization in pregnancy",
        "A single dose between weeks 24 and 36 is recommended.",
        "https://www.cdc.example/rsv/pregnancy",
      ],
    ],
  },
  {
    query: "cannot read properties of undefined reading map react",
    good: [
      [
        "TypeError: Cannot read properties of undefined (reading 'map')",
        "The state is undefined during the first render of your React component. Give it an empty array or use optional chaining.",
        "https://stackoverflow.example/questions/69080597",
      ],
      [
        "Five ways to fix it",
        "Why items.map fails before the fetch has come back, with examples.",
        "https://bobbyhadz.example/react-map",
      ],
      [
        "Conditional rendering - React",
        "Your components will often need to display different things depending on conditions.",
        "https://react.dev/learn/conditional-rendering",
      ],
    ],
  },
  {
    query: "iPhone 17 vs Samsung S26 camera comparison",
    good: [
      [
        "iPhone 17 Pro vs Galaxy S26 Ultra: camera shootout",
        "We took both phones to the coast. Samsung wins at zoom, Apple at video.",
        "https://www.tomsguide.example/iphone-17-vs-s26",
      ],
      [
        "Galaxy S26 review",
        "A bigger sensor and a steadier zoom make this Samsung's best camera yet.",
        "https://www.theverge.example/s26",
      ],
      ["Which phone takes the best photos?", "Our blind test had 100,000 votes.", "https://www.youtube.example/blind"],
    ],
  },
  {
    query: "landlord won't return security deposit California small claims",
    good: [
      [
        "Guide to security deposits in California",
        "A landlord has 21 days after you move out to return the deposit or send an itemized statement.",
        "https://selfhelp.courts.ca.gov/guide-security-deposits-california",
      ],
      [
        "Suing your landlord in small claims court",
        "How to write the demand letter, file form SC-100 and what a judge may award.",
        "https://www.nolo.example/small-claims",
      ],
      [
        "Tenant rights handbook",
        "Deductions for normal wear and tear are not allowed.",
        "https://www.dca.example/tenants",
      ],
    ],
  },
  {
    query: "light pollution map dark sky places Europe",
    good: [
      [
        "Light pollution map",
        "Interactive world map with VIIRS data and sky brightness overlays.",
        "https://www.lightpollutionmap.info/",
      ],
      [
        "International Dark Sky Places",
        "Parks and reserves certified in Europe, from Galloway to Westhavelland.",
        "https://darksky.org/places/",
      ],
      [
        "Where to see the Milky Way",
        "Seven spots without street lamps, from the Pyrenees to the Alps.",
        "https://www.astro.example/milky-way",
      ],
    ],
  },
  {
    query: "kubernetes pod crashloopbackoff exit code 137",
    good: [
      [
        "Exit code 137: OOMKilled",
        "The container was killed for using more memory than its limit. Raise the limit or find the leak.",
        "https://komodor.example/exit-code-137",
      ],
      [
        "Debug Pods - Kubernetes",
        "Look at kubectl describe pod and the previous logs when a container keeps restarting.",
        "https://kubernetes.io/docs/tasks/debug/debug-application/debug-pods/",
      ],
      [
        "What CrashLoopBackOff means",
        "Kubernetes waits longer and longer between restarts of a failing pod.",
        "https://sysdig.example/crashloopbackoff",
      ],
    ],
  },
  {
    query: "poems about losing a parent for a funeral",
    good: [
      [
        "Funeral poems for a mother or father",
        "Short and moving verses to read at the service, from Auden to Rossetti.",
        "https://www.funeralguide.example/poems",
      ],
      [
        "Poems about grief and loss",
        "When someone we love has died, poetry can say what we cannot.",
        "https://www.poetryfoundation.example/grief",
      ],
      [
        "Readings for dad",
        "Do not stand at my grave and weep, and other favourites.",
        "https://www.readings.example/dad",
      ],
    ],
  },
];
