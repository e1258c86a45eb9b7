import type { Question } from "./questions.ts";

export const GERMAN: readonly Question[] = [
  {
    query: "Wanderwege Sächsische Schweiz mit Hund",
    good: [
      [
        "Wandern mit Hund in der Sächsischen Schweiz",
        "Die schönsten Touren im Elbsandsteingebirge, auf denen Vierbeiner willkommen sind und keine Leitern warten.",
        "https://www.saechsische-schweiz.example/wandern-mit-hund",
      ],
      [
        "Malerweg Etappe 3",
        "Von Hohnstein nach Altendorf über die Brandaussicht. Ein Wanderweg für Geübte.",
        "https://www.komoot.example/malerweg",
      ],
      [
        "Urlaub mit Hund: Hotels und Hütten",
        "Unterkünfte im Nationalpark, in denen Ihr Hund nichts kostet.",
        "https://www.bergfex.example/hund",
      ],
    ],
  },
  {
    query: "Wie beantrage ich Elterngeld in Bayern",
    good: [
      [
        "Elterngeld - Zentrum Bayern Familie und Soziales",
        "Den Antrag auf Elterngeld können Sie online stellen. Diese Unterlagen werden gebraucht.",
        "https://www.zbfs.bayern.de/familie/elterngeld/",
      ],
      [
        "ElterngeldPlus oder Basiselterngeld?",
        "So viel Geld bekommen Mütter und Väter, und so lange wird es gezahlt.",
        "https://www.bmfsfj.example/elterngeld",
      ],
      [
        "Checkliste nach der Geburt",
        "Geburtsurkunde, Kindergeld und alles andere, was in den ersten Wochen zu beantragen ist.",
        "https://www.eltern.example/checkliste",
      ],
    ],
  },
  {
    query: "Wärmepumpe Altbau Kosten Förderung 2026",
    good: [
      [
        "Wärmepumpe im Altbau: Kosten und Zuschüsse",
        "Mit der Förderung der KfW sinken die Kosten auf 12.000 bis 20.000 Euro. Wann sich die Pumpe auch ohne Fußbodenheizung lohnt.",
        "https://www.verbraucherzentrale.example/waermepumpe",
      ],
      [
        "Heizungsförderung für Privatpersonen",
        "Bis zu 70 Prozent Zuschuss für den Einbau klimafreundlicher Heizungen.",
        "https://www.kfw.de/458",
      ],
      [
        "Erfahrungen aus einem Haus von 1928",
        "Nach zwei Wintern ziehen wir Bilanz: Stromverbrauch, Vorlauftemperatur, Lautstärke.",
        "https://www.energieblog.example/altbau",
      ],
    ],
  },
  {
    query: "Unterschied zwischen dass und das",
    good: [
      [
        "das oder dass? So merken Sie es sich",
        "Lässt sich das Wort durch dieses oder welches ersetzen, wird es mit einem s geschrieben.",
        "https://www.duden.de/das-dass",
      ],
      ["Kommaregeln", "Vor der Konjunktion steht immer ein Komma.", "https://www.grammatik.example/komma"],
      [
        "Übungen für die 5. Klasse",
        "Setze richtig ein: Ich glaube, dass das Wetter besser wird.",
        "https://www.schlaukopf.example/deutsch",
      ],
    ],
  },
  {
    query: "Bundesliga Tabelle Torjäger aktuell",
    good: [
      [
        "Bundesliga Torjägerliste",
        "Harry Kane führt mit 21 Treffern vor Serhou Guirassy.",
        "https://www.kicker.example/torjaeger",
      ],
      [
        "Bundesliga: Tabelle und Ergebnisse",
        "Alle Spiele, Punkte und Tordifferenzen des 24. Spieltags.",
        "https://www.sportschau.example/bundesliga",
      ],
      ["Wer holt die Torjägerkanone?", "Die Statistik der letzten zehn Jahre.", "https://www.ran.example/kanone"],
    ],
  },
  {
    query: "Kindergeld Auszahlungstermine Endziffer",
    good: [
      [
        "Auszahlungstermine Kindergeld",
        "Wann das Geld kommt, hängt von der letzten Ziffer der Kindergeldnummer ab.",
        "https://www.arbeitsagentur.de/termine",
      ],
      [
        "Kindergeldnummer finden",
        "Sie steht auf dem Bescheid und auf dem Kontoauszug.",
        "https://www.finanztip.example/kindergeld",
      ],
      [
        "Familienkasse: Kontakt",
        "Telefon, Anschrift und Öffnungszeiten in Ihrer Nähe.",
        "https://www.familienkasse.example/",
      ],
    ],
  },
];

export const FRENCH: readonly Question[] = [
  {
    query: "recette gratin dauphinois sans fromage",
    good: [
      [
        "Le vrai gratin dauphinois",
        "Des pommes de terre, de la crème, du lait, une gousse d'ail, et surtout pas de fromage.",
        "https://www.marmiton.example/gratin-dauphinois",
      ],
      [
        "Gratin de pommes de terre à l'ancienne",
        "Une recette de grand-mère qui fond dans la bouche.",
        "https://www.cuisineaz.example/gratin",
      ],
      ["Faut-il mettre du gruyère ?", "Les Isérois sont formels : non.", "https://www.ledauphine.example/debat"],
    ],
  },
  {
    query: "comment résilier un abonnement mobile sans frais",
    good: [
      [
        "Résilier son forfait mobile",
        "La lettre à envoyer à l'opérateur et les cas où il ne peut demander aucuns frais de résiliation.",
        "https://www.service-public.fr/resilier-mobile",
      ],
      [
        "Changer d'opérateur en gardant son numéro",
        "Le code RIO suffit : le nouvel opérateur met fin à l'ancien abonnement.",
        "https://www.arcep.example/rio",
      ],
      [
        "Modèle de lettre",
        "Madame, Monsieur, par la présente je vous informe de ma décision de mettre fin à mon contrat.",
        "https://www.quechoisir.example/modele",
      ],
    ],
  },
  {
    query: "causes de la Révolution française de 1789",
    good: [
      [
        "Révolution française - Wikipédia",
        "La crise financière de la monarchie, les mauvaises récoltes et les inégalités entre les ordres sont parmi ses causes.",
        "https://fr.wikipedia.org/wiki/R%C3%A9volution_fran%C3%A7aise",
      ],
      [
        "Pourquoi 1789 ?",
        "Des Lumières aux cahiers de doléances, les origines d'un bouleversement.",
        "https://www.herodote.example/1789",
      ],
      [
        "La société d'Ancien Régime",
        "Clergé, noblesse et tiers état devant l'impôt.",
        "https://www.histoire.example/ancien-regime",
      ],
    ],
  },
  {
    query: "horaires marées Saint-Malo demain",
    good: [
      [
        "Marée Saint-Malo : horaires et coefficients",
        "Pleine mer à 7 h 42 et à 20 h 05, coefficient 94.",
        "https://maree.info/52",
      ],
      ["Annuaire des marées", "Le calendrier de tous les ports de Bretagne.", "https://www.shom.example/annuaire"],
      [
        "Grandes marées à Saint-Malo",
        "Où voir les vagues frapper le Sillon sans risque.",
        "https://www.ouest-france.example/sillon",
      ],
    ],
  },
  {
    query: "aide au logement étudiant étranger CAF",
    good: [
      [
        "APL : les étudiants étrangers y ont-ils droit ?",
        "Avec un titre de séjour, un étudiant peut demander une aide au logement à la CAF de son département.",
        "https://www.campusfrance.example/apl",
      ],
      [
        "Faire une demande",
        "Simulez vos droits, créez un compte et envoyez le bail.",
        "https://www.caf.fr/allocataires/logement",
      ],
      ["Se loger à Lyon", "Résidences universitaires, colocation et garanties.", "https://www.crous.example/lyon"],
    ],
  },
];

export const SPANISH: readonly Question[] = [
  {
    query: "requisitos para alquilar un piso en Madrid",
    good: [
      [
        "Qué piden para alquilar un piso",
        "Dos nóminas, contrato indefinido y un mes de fianza son los requisitos más habituales en Madrid.",
        "https://www.idealista.example/requisitos",
      ],
      [
        "Ley de Arrendamientos Urbanos",
        "Duración del contrato, fianza y obras: los derechos del inquilino.",
        "https://www.boe.es/lau",
      ],
      [
        "Barrios baratos para vivir",
        "Carabanchel, Vallecas y otros distritos donde el alquiler aún es asequible.",
        "https://www.timeout.example/madrid",
      ],
    ],
  },
  {
    query: "cómo quitar manchas de vino tinto de la alfombra",
    good: [
      [
        "Quitar manchas de vino tinto",
        "Absorba el líquido con papel, cubra la mancha con sal y aplique agua con bicarbonato.",
        "https://www.lavanguardia.example/manchas-vino",
      ],
      [
        "Limpiar una alfombra en casa",
        "Vinagre blanco, agua tibia y paciencia: lo que funciona y lo que la estropea.",
        "https://www.elmueble.example/alfombra",
      ],
      ["Trucos de limpieza", "Siete remedios de la abuela.", "https://www.hola.example/trucos"],
    ],
  },
  {
    query: "resultados de la liga mexicana de fútbol",
    good: [
      [
        "Liga MX: resultados y tabla general",
        "América venció a Chivas y sigue en la cima; todos los marcadores de la jornada 12.",
        "https://www.mediotiempo.example/liga-mx",
      ],
      [
        "Calendario del Clausura",
        "Fechas, horarios y dónde ver cada partido del fútbol mexicano.",
        "https://www.espn.example/mx",
      ],
      ["Goleadores", "Así va la pelea por el título.", "https://www.record.example/goleo"],
    ],
  },
  {
    query: "síntomas de la diabetes tipo 2 en niños",
    good: [
      [
        "Diabetes tipo 2 en niños - Mayo Clinic",
        "Sed excesiva, orina frecuente y cansancio son síntomas que pueden pasar inadvertidos.",
        "https://www.mayoclinic.example/es/diabetes-ninos",
      ],
      [
        "Obesidad infantil y azúcar en la sangre",
        "Qué pruebas pedirá el pediatra.",
        "https://medlineplus.example/spanish/obesidad",
      ],
      ["Vivir con diabetes", "Guía para padres y escuelas.", "https://www.fundaciondiabetes.example/guia"],
    ],
  },
  {
    query: "oposiciones administrativo estado temario",
    good: [
      [
        "Temario de Administrativo del Estado",
        "Los 45 temas de la oposición, agrupados en seis bloques, según la última convocatoria.",
        "https://www.opositatest.example/administrativo",
      ],
      ["Convocatoria: 2.512 plazas", "Bases, tasas y plazos del turno libre.", "https://www.inap.es/convocatoria"],
      ["Cómo estudiar trabajando", "Un plan de ocho meses.", "https://www.opositores.example/plan"],
    ],
  },
];

export const PORTUGUESE: readonly Question[] = [
  {
    query: "como declarar imposto de renda autônomo",
    good: [
      [
        "Imposto de renda para autônomos",
        "Quem trabalha por conta própria declara pelo carnê-leão os rendimentos recebidos de pessoas físicas.",
        "https://www.gov.br/receitafederal/autonomo",
      ],
      [
        "Carnê-leão passo a passo",
        "Despesas que podem ser deduzidas e o prazo de pagamento.",
        "https://www.nubank.example/carne-leao",
      ],
      [
        "Malha fina: erros mais frequentes",
        "Como evitar problemas com a Receita.",
        "https://www.infomoney.example/malha",
      ],
    ],
  },
  {
    query: "praias mais bonitas do Algarve para crianças",
    good: [
      [
        "As melhores praias do Algarve em família",
        "Areia fina, mar calmo e vigilância: onde levar os miúdos entre Sagres e Tavira.",
        "https://www.visitalgarve.example/familia",
      ],
      [
        "Praia da Falésia",
        "Seis quilómetros de areal sob arribas vermelhas.",
        "https://www.tripadvisor.example/falesia",
      ],
      [
        "Algarve com crianças",
        "Parques aquáticos, passeios de barco e gelados.",
        "https://www.pumpkin.example/algarve",
      ],
    ],
  },
  {
    query: "sintomas de dengue quando procurar médico",
    good: [
      [
        "Dengue: sintomas, tratamento e prevenção",
        "Febre alta, dor atrás dos olhos e manchas no corpo. Procure atendimento se houver dor abdominal.",
        "https://www.gov.br/saude/dengue",
      ],
      [
        "Sinais de alarme",
        "Vômitos persistentes e sangramento exigem avaliação do médico.",
        "https://drauziovarella.example/dengue",
      ],
      ["Mosquito Aedes aegypti", "Elimine a água parada.", "https://www.fiocruz.example/aedes"],
    ],
  },
];

export const ITALIAN: readonly Question[] = [
  {
    query: "come fare lo spid alle poste",
    good: [
      [
        "PosteID: attivare SPID",
        "Con un documento e la tessera sanitaria l'identità digitale si ottiene anche in ufficio postale.",
        "https://posteid.poste.it/",
      ],
      ["SPID: la guida", "Livelli di sicurezza, gestori e costi.", "https://www.spid.gov.it/cittadini"],
      [
        "Quanto costa il riconoscimento alle Poste",
        "Dal 2025 il servizio allo sportello si paga 12 euro.",
        "https://www.altroconsumo.example/spid",
      ],
    ],
  },
  {
    query: "ricetta tiramisù senza uova crude",
    good: [
      [
        "Tiramisù senza uova",
        "Mascarpone, panna montata, savoiardi e caffè: cremoso anche senza tuorli.",
        "https://www.giallozafferano.example/tiramisu-senza-uova",
      ],
      [
        "Pastorizzare le uova in casa",
        "Lo sciroppo a 121 gradi elimina i rischi delle uova crude.",
        "https://www.cookist.example/pastorizzare",
      ],
      ["Dolci al cucchiaio", "Venti idee per il fine pasto.", "https://www.lacucinaitaliana.example/dolci"],
    ],
  },
  {
    query: "orari treni Roma Napoli domenica",
    good: [
      [
        "Treni da Roma Termini a Napoli Centrale",
        "Frecciarossa e Italo ogni mezz'ora; il primo treno parte alle 5:35.",
        "https://www.trenitalia.example/roma-napoli",
      ],
      [
        "Sciopero: i collegamenti garantiti",
        "Ecco gli orari dei treni che circolano nel fine settimana.",
        "https://www.ansa.example/sciopero",
      ],
      [
        "Napoli in un giorno",
        "Che cosa vedere partendo la mattina dalla capitale.",
        "https://www.viaggi.example/napoli",
      ],
    ],
  },
];

export const DUTCH: readonly Question[] = [
  {
    query: "hoe lang duurt het om rijbewijs te verlengen",
    good: [
      [
        "Rijbewijs verlengen - RDW",
        "Na de aanvraag bij de gemeente ligt het nieuwe rijbewijs binnen vijf werkdagen klaar.",
        "https://www.rdw.nl/rijbewijs-verlengen",
      ],
      [
        "Gezondheidsverklaring bij 75 jaar",
        "Wie ouder is, heeft een keuring van het CBR nodig en moet op tijd beginnen.",
        "https://www.cbr.example/75",
      ],
      ["Pasfoto-eisen", "Aan deze regels moet de foto voldoen.", "https://www.rijksoverheid.example/pasfoto"],
    ],
  },
  {
    query: "fietsroutes langs de Maas Limburg",
    good: [
      [
        "Fietsen langs de Maas",
        "Van Eijsden naar Mook: de mooiste route door Limburg met pontjes en terrassen.",
        "https://www.visitlimburg.example/maas",
      ],
      [
        "Knooppuntenroute Roermond",
        "Een rondje van 42 kilometer over de dijken.",
        "https://www.fietsnetwerk.example/roermond",
      ],
      ["Maasfietsroute LF3", "Langeafstandsroute in zes etappes.", "https://www.nederlandfietsland.example/maasroute"],
    ],
  },
];

export const POLISH: readonly Question[] = [
  {
    query: "jak wymienić dowód osobisty przez internet",
    good: [
      [
        "Uzyskaj dowód osobisty",
        "Wniosek o nowy dowód możesz złożyć przez internet tylko dla dziecka; dorosły idzie do urzędu, by zostawić odciski palców.",
        "https://www.gov.pl/dowod",
      ],
      ["Zdjęcie do dowodu", "Wymiary, tło i najczęstsze błędy.", "https://www.foto.example/dowod"],
      [
        "Ile czeka się na dokument?",
        "Najdłużej trzydzieści dni, o czym urząd powie od razu.",
        "https://www.infor.example/czas",
      ],
    ],
  },
  {
    query: "szlaki w Tatrach dla początkujących",
    good: [
      [
        "Tatry dla początkujących: 10 łatwych szlaków",
        "Dolina Kościeliska, Rusinowa Polana i inne wycieczki bez ekspozycji.",
        "https://www.tatromaniak.example/latwe",
      ],
      ["Morskie Oko", "Dziewięć kilometrów asfaltem w jedną stronę.", "https://www.tpn.example/morskie-oko"],
      ["Co zabrać w góry", "Buty, kurtka, mapa szlaków i latarka.", "https://www.skalnik.example/lista"],
    ],
  },
];

export const TURKISH: readonly Question[] = [
  {
    query: "kıdem tazminatı nasıl hesaplanır 2026",
    good: [
      [
        "Kıdem tazminatı hesaplama",
        "Çalışılan her yıl için 30 günlük brüt ücret ödenir; tavan tutarı yılda iki kez güncellenir.",
        "https://www.csgb.gov.tr/kidem",
      ],
      [
        "Tazminat hangi durumda ödenmez?",
        "İstifa eden işçi kural olarak bu hakkı kaybeder.",
        "https://www.hukuk.example/istifa",
      ],
      ["Brütten nete maaş", "Kesintiler ve vergi dilimleri.", "https://www.verginet.example/maas"],
    ],
  },
  {
    query: "Kapadokya balon turu fiyatları",
    good: [
      [
        "Kapadokya Balon Turu",
        "Gün doğumunda bir saatlik uçuş. Fiyatlara otelden alma ve kahvaltı dahil.",
        "https://www.kapadokya.example/balon-turu",
      ],
      ["Göreme'de nerede kalınır?", "Mağara oteller ve manzarası güzel teraslar.", "https://www.gezi.example/goreme"],
      ["Balonlar neden iptal edilir?", "Rüzgâr sınırı ve iade koşulları.", "https://www.turizm.example/iptal"],
    ],
  },
];

export const VIETNAMESE: readonly Question[] = [
  {
    query: "thủ tục đăng ký kết hôn với người nước ngoài",
    good: [
      [
        "Thủ tục kết hôn có yếu tố nước ngoài",
        "Hồ sơ đăng ký kết hôn nộp tại Ủy ban nhân dân cấp huyện, gồm giấy xác nhận tình trạng hôn nhân.",
        "https://thuvienphapluat.example/ket-hon",
      ],
      [
        "Giấy tờ cần chuẩn bị",
        "Bản dịch công chứng, hộ chiếu và giấy khám sức khỏe.",
        "https://luatvietnam.example/giay-to",
      ],
      ["Hỏi đáp pháp luật", "Thời gian giải quyết là mười lăm ngày.", "https://moj.example/hoi-dap"],
    ],
  },
  {
    query: "kinh nghiệm du lịch Phú Quốc tự túc mùa mưa",
    good: [
      [
        "Du lịch Phú Quốc tự túc từ A đến Z",
        "Kinh nghiệm đi vào mùa mưa: chọn bờ đông, mang áo mưa và xem dự báo thời tiết.",
        "https://vietnamtravel.example/phu-quoc",
      ],
      ["Ăn gì ở Phú Quốc?", "Bún quậy, gỏi cá trích, nhum nướng.", "https://foody.example/phu-quoc"],
      ["Lịch trình ba ngày", "Chi phí vé máy bay, khách sạn và xe máy.", "https://blog.example/3n2d"],
    ],
  },
];
