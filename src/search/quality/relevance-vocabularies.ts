interface Vocabulary {
  /** Words that say nothing about what a text is about. */
  readonly stop: string;
  /** Words that many questions hold whatever they are about: a page that shares one with a question shares little. */
  readonly common: string;
  /** More words, only to tell the language by the letters that they are made of. */
  readonly typical?: string;
}

/** Enough of each language to tell it from the others, not to describe it. */
export const VOCABULARIES: Readonly<Record<string, Vocabulary>> = {
  en: {
    stop:
      "a about after all also am an and any are as at be been before being between but by can could did do does doing " +
      "for from had has have he her his how i if in into is it its like many may me more most much my no not of off on " +
      "one only or other our out over own she should so some such than that the their them then there these they this " +
      "those through to too under up us use used using very was we were what when where which while who whom whose why " +
      "will with would you your vs s t",
    common:
      "best top new latest good great cheap free online buy price prices cost review reviews guide tutorial example " +
      "examples list news today tomorrow tips ideas way ways things make making get find help work works need want " +
      "difference meaning definition explained compare comparison during without near home page official site website " +
      "question year years day time people world first last name type types kind word words part company" +
      " called call calls happen happens happened located mentioned become became say says said does know known start stop number part kind does done went take takes took give gives gave show long much old big show",
    typical:
      "thing nothing church bridge light night strength knowledge building reading writing history country family office water weather school street health house market record report service system security student teacher development government information education population communication performance environment management collection treatment business hiking cheese kitchen leather brother yellow window summer winter garden travel ticket flight engine machine software network camera picture drawing clothes shoes breakfast dinner chicken whether worth length breath yourself themselves quickly early daily safety energy quality policy safely football basketball " +
      "kubernetes docker linux python javascript typescript server client code error exit status request response header token string array object function class module package version config deploy build debug folder path windows android api json crash loop null undefined thread memory",
  },
  de: {
    stop:
      "aber alle als am an auch auf aus bei bis das dass dem den der des die dies diese dieser doch du durch ein eine " +
      "einem einen einer eines er es für gegen hat haben hatte ich ihr ihre im in ist kann kein keine mehr mein mit " +
      "muss nach nicht noch nur ob oder ohne sein seine sich sie sind so über um und uns unter vom von vor war waren " +
      "warum was welche welcher welches wenn wer werden wie wieder wird wo wurde wurden zu zum zur zwischen",
    common:
      "beste besten neue neu günstig kostenlos kaufen preis preise kosten test erfahrungen anleitung tipps beispiel " +
      "beispiele liste nachrichten heute morgen aktuell unterschied bedeutung vergleich viel viele jahr jahre tag zeit" +
      " heißt heißen genannt gibt liegt liegen befindet befinden fand statt findet nennt macht machen passiert geht bekannt wurde lange groß hoch teil art land leute",
    typical:
      "geschichte straße schule wohnung versicherung gesundheit arbeit unternehmen entwicklung regierung bildung bevölkerung wetter küche garten reise fahrrad flugzeug krankenhaus schlüssel zeitung wirtschaft wissenschaft möglichkeit freiheit gesellschaft frühstück deutsche deutschland antrag beantragen rechnung zahlung kinder mutter vater schwanger werkzeug schnell richtig",
  },
  fr: {
    stop:
      "à au aux avec c ce ces cette comme d dans de des du elle en est et été être il ils je l la le les leur leurs " +
      "lui mais ne n nous on ont ou où par pas plus pour qu que quel quelle quels quelles qui s sa sans se ses son sont " +
      "sous sur très un une vous y comment pourquoi quand entre aussi",
    common:
      "meilleur meilleurs meilleure meilleures nouveau nouvelle gratuit acheter prix avis guide exemple exemples liste " +
      "actualités aujourd hui demain conseils différence définition signification comparatif faire pendant année jour" +
      " appelle appelé nom trouve situé peut peuvent utiliser fait sorte type partie temps",
    typical:
      "histoire école maison santé travail entreprise développement gouvernement éducation voiture chien château eau cuisine jardin voyage vélo avion hôpital journal économie liberté société déjeuner française quartier logement assurance paiement enfants mère père heureux beaucoup rapidement vieille bataille soleil",
  },
  es: {
    stop:
      "a al como con cómo cuál cuáles cuándo cuánto cuántos de del desde dónde donde el en entre era es esta este esto " +
      "están está fue fueron ha han hay la las le les lo los más me mi muy no o para pero por porque qué que quién se " +
      "ser sin sobre son su sus también un una uno unos y ya",
    common:
      "mejor mejores nuevo nueva gratis comprar precio precios opiniones guía ejemplo ejemplos lista noticias hoy " +
      "mañana consejos diferencia significado comparativa hacer durante año años día" +
      " llama llamado nombre encuentra puede pueden usar utiliza hace hizo tipo parte tiempo cómo",
    typical:
      "historia escuela casa salud trabajo empresa desarrollo gobierno educación población coche perro agua cocina jardín viaje bicicleta avión periódico economía libertad sociedad desayuno española barrio vivienda seguro pago niños madre padre rápidamente oposiciones estado administrativo ciudad derecho partido tiempo",
  },
  pt: {
    stop:
      "a ao aos as até com como da das de do dos e é ela ele em entre era essa esse esta este foi foram há isso já " +
      "mais mas muito na não nas no nos o onde os ou para pela pelo por porque qual quais quando quanto que quem se sem " +
      "ser seu sua são sobre também tem um uma você",
    common:
      "melhor melhores novo nova grátis comprar preço preços avaliações guia exemplo exemplos lista notícias hoje " +
      "amanhã dicas diferença significado fazer durante ano anos dia" +
      " chama chamado nome encontra pode podem usar utiliza tipo parte tempo",
    typical:
      "história escola saúde trabalho empresa desenvolvimento governo educação população carro cachorro água cozinha jardim viagem bicicleta avião jornal economia liberdade sociedade manhã brasileira bairro habitação seguro pagamento crianças mãe pai rapidamente cidade direito coração filho melhorar",
  },
  it: {
    stop:
      "a ad ai al alla alle anche c che chi ci come con cosa cui da dal dalla dei del della delle dello di dove e è ed " +
      "era essere fra gli ha hanno i il in l la le lo ma nel nella nelle non o per perché più quale quali quando quanto " +
      "questa questo se si sono su sua sul sulla suo tra un una uno",
    common:
      "migliore migliori nuovo nuova gratis comprare prezzo prezzi recensioni guida esempio esempi elenco notizie oggi " +
      "domani consigli differenza significato confronto fare durante anno anni giorno" +
      " chiama chiamato nome trova può possono usare tipo parte tempo",
    typical:
      "storia scuola casa salute lavoro azienda sviluppo governo educazione popolazione macchina acqua cucina giardino viaggio bicicletta aereo giornale economia libertà società colazione italiana quartiere assicurazione pagamento bambini madre padre velocemente città diritto ricetta orari treni pizza spaghetti domenica uova senza",
  },
  nl: {
    stop:
      "aan als bij dat de deze die dit door een en er geen had heb hebben heeft het hij hoe ik in is je kan maar meer " +
      "met mijn naar niet nog of om onder ook op over te tot uit van veel voor waar waarom wanneer wat welke werd wie " +
      "worden wordt zich zij zijn zo",
    common:
      "beste nieuwe nieuw goedkoop gratis kopen prijs prijzen kosten ervaringen tips voorbeeld lijst nieuws vandaag " +
      "morgen verschil betekenis vergelijken maken jaar dag" +
      " heet genoemd naam ligt vindt kan kunnen gebruiken soort deel tijd",
    typical:
      "geschiedenis school huis gezondheid werk bedrijf ontwikkeling regering onderwijs bevolking fiets hond water keuken tuin reis vliegtuig ziekenhuis krant vrijheid maatschappij ontbijt nederlandse verzekering betaling kinderen moeder vader snel rijbewijs verlengen route langs",
  },
  sv: {
    stop:
      "att av de den det där efter ej eller en ett från för han har hon hur i inte jag kan man med men mer mot mycket " +
      "när och om på sig sin som så till under upp vad var vid vilka vilken vilket är över",
    common:
      "bästa bäst ny nya billig gratis köpa pris priser recension tips exempel lista nyheter idag skillnad göra år",
  },
  da: {
    stop:
      "af at blev da de dem den der deres det din efter eller en er et for fra han har hun hvad hvem hvilken hvor " +
      "hvordan hvorfor i ikke jeg kan man med men mere mod når og også om op over på sig som til ud under var ved vil å",
    common: "bedste ny nye billig gratis købe kjøpe pris priser anmeldelse tips eksempel liste nyheter nyheder dag år",
  },
  fi: {
    stop: "ei en että he hän ja joka jos kanssa kuin kun mikä missä miten mitä mutta myös ne niin nyt oli on ovat se sen tai tämä vain voi",
    common: "paras parhaat uusi halpa ilmainen hinta hinnat ohje uutiset tänään huomenna ero vuosi",
  },
  pl: {
    stop:
      "a ale bez by być co czy dla do gdy gdzie go i ich ile jak jaka jaki jakie jako jest już kiedy kto który która " +
      "które ma na nad nie nich o od oraz po przed przez przy się są tak tego ten to tylko tym w we z za ze że",
    common:
      "najlepszy najlepsze najlepsza nowy nowe tani darmowe kupić cena ceny opinie poradnik przykład lista wiadomości " +
      "dziś jutro porady różnica znaczenie zrobić rok" +
      " nazywa nazwa znajduje może mogą jest używać rodzaj część czas",
    typical:
      "historia szkoła dom zdrowie praca firma rozwój rząd edukacja samochód pies woda kuchnia ogród podróż rower samolot szpital gazeta wolność społeczeństwo śniadanie polska mieszkanie ubezpieczenie płatność dzieci matka ojciec szybko miasto prawo wymienić szlaki",
  },
  cs: {
    stop:
      "a aby ale ani bez být byl byla co do jak jaký jaké jako je jeho jen jsou k kde kdo kdy když která které který " +
      "mezi na nebo není o od po pro proč před při s se si tak také to u v ve z za ze že",
    common:
      "nejlepší nový nové levně zdarma koupit cena ceny recenze návod příklad seznam zprávy dnes zítra rozdíl rok",
  },
  ro: {
    stop:
      "a al ale au ca care ce cea cel cele cu cum către dacă de din după este ei el era fi fost în în între la le mai " +
      "nu o pe pentru prin sa sau se și sunt său un una unde unei unui care cât câte când",
    common:
      "cel mai bun bune nou ieftin gratuit cumpăra preț prețuri păreri ghid exemplu listă știri azi diferența an" +
      " numește nume află poate pot tip parte",
    typical:
      "istorie școală casă sănătate muncă firmă dezvoltare guvern educație populație mașină câine apă bucătărie grădină călătorie bicicletă avion spital ziar economie libertate societate română asigurare plată copii mamă tată repede oraș drept",
  },
  hu: {
    stop: "a az de egy egyik és ez hogy hol és ha is itt ki kell le lehet már meg melyik mi mint milyen mit nem után vagy van volt",
    common: "legjobb új olcsó ingyenes ár árak vélemények példa lista hírek ma holnap különbség",
  },
  tr: {
    stop:
      "ama bir bu çok da daha de en gibi hangi için ile ise kadar kaç kim mi mı ne neden nasıl nerede o olan olarak " +
      "oldu olduğu şu tarafından ve veya ya",
    common:
      "iyi yeni ucuz ücretsiz fiyat fiyatı fiyatları yorum örnek liste haber haberleri bugün yarın fark nedir yıl" +
      " adı denir bulunur olarak kullanılır yapılır tür yer zaman kişi",
    typical:
      "tarih okul sağlık çalışma şirket gelişme hükümet eğitim nüfus araba köpek mutfak bahçe yolculuk bisiklet uçak hastane gazete ekonomi özgürlük toplum kahvaltı türkiye sigorta ödeme çocuklar anne baba hızlı şehir tazminat hesaplama turu",
  },
  id: {
    stop:
      "ada adalah agar apa apakah atau bagaimana bagi bahwa bisa dalam dan dari dengan di dia ini itu juga kami karena " +
      "ke lebih mana mengapa oleh pada saat saya sebagai siapa sudah tidak untuk yang",
    common: "terbaik baru murah gratis beli harga ulasan cara contoh daftar berita hari besok perbedaan arti tahun",
  },
  vi: {
    stop:
      "bao bị bởi các cái cho có của cùng cũng đã đang đây để đến đó được gì hay hơn khi không là làm lại mà mỗi một " +
      "này nào nếu những như ở ra rất sao sẽ tại thì thế trên trong từ và vào về với vì người nhiều nhiêu hai ai đâu",
    common:
      "tốt nhất mới rẻ miễn phí mua giá đánh hướng dẫn cách ví dụ danh sách tin tức hôm nay mai khác nghĩa năm" +
      " tên gọi nằm xảy việc dùng loại",
  },
  ru: {
    stop:
      "а без бы был была были было быть в вам вас во вот все где для до его ее если есть еще же за и из или им их к " +
      "как какая какие какой какую когда который которая которые которых кто ли мне может мы на над не нет но о об он " +
      "она они от по под почему при с сколько со так также такое такой там то только у уже чем через что чтобы это этот я",
    common:
      "лучший лучшие лучшая новый новые дешево бесплатно купить цена цены отзывы инструкция пример примеры список " +
      "новости сегодня завтра советы разница значение сделать год году время" +
      " называется название находится может могут использовать тип часть люди был",
  },
  uk: {
    stop:
      "а або без був була були було бути в вас він вона вони все для до з за зі й його її та і із її їх коли який яка " +
      "яке які якої якого на над не ні о по під при про скільки та так також такий те ти то у це цей чи чому що щоб я як",
    common:
      "кращий найкращий нові новий безкоштовно купити ціна ціни відгуки приклад список новини сьогодні завтра рік",
  },
  bg: {
    stop: "а без в във да до е за и из или как какво кога кой която които който къде ли на не но от по под при с са се след със то това че ще",
    common: "най добър нов евтино безплатно купя цена цени мнения пример списък новини днес утре година",
  },
  el: {
    stop:
      "από αυτό για δεν είναι ένα ένας έχει η ήταν θα και κατά με μετά μια να ο οι όπως όταν ότι που πού πόσο πώς ποια " +
      "ποιο ποιος ποιοι σε στα στη στην στις στο στον στους τα της τη την τι τις το τον του τους των ως",
    common:
      "καλύτερα καλύτερο νέο φθηνά δωρεάν τιμή τιμές κριτικές παράδειγμα λίστα νέα σήμερα αύριο διαφορά έτος" +
      " ονομάζεται όνομα βρίσκεται μπορεί έγινε είδος",
  },
  he: {
    stop: "אבל או אותו אין אם אני את בין גם הוא היא היה היו הם זה זו יותר יש כי כל כמה כמו לא לפני מה מי מתי על עם רק של שלו איך איפה למה",
    common: "הטוב ביותר חדש זול חינם לקנות מחיר מחירים ביקורות דוגמה רשימה חדשות היום מחר הבדל שנה",
  },
  ar: {
    stop:
      "أن أو إلى إن التي الذي الذين أين أي بعد بين به بها تم ثم حتى حول خلال عن على عند غير في فيها قبل قد كان كانت كل " +
      "كم كما كيف لا لم لماذا له لها ليس ما ماذا متى مع من منذ هذا هذه هل هو هي وقد ولا وهو وهي",
    common:
      "أفضل جديد جديدة رخيص مجانا شراء سعر أسعار مراجعة مثال أمثلة قائمة أخبار اليوم غدا نصائح الفرق معنى عام" +
      " اسم يسمى يوجد يمكن تقع نوع",
  },
  fa: {
    stop: "آن است این با باید برای بود به تا چرا چه چگونه چیست در دارد را شد شده شود که کجا کدام کرد کرده کند می ها های هر هم و یا یک",
    common: "بهترین جدید ارزان رایگان خرید قیمت نقد مثال لیست اخبار امروز فردا تفاوت معنی سال",
  },
  hi: {
    stop:
      "और इस इसके उनके उस एक ऐसे कब कहाँ का कि किस किसने कितना कितने की के को कौन कौनसा क्या क्यों कैसे गया जा जो तक तो था थी " +
      "थे द्वारा ने नहीं पर भी में यह या ये वह वे लिए साथ से हुआ है हैं हो होता होती",
    common:
      "सबसे अच्छा नया नई सस्ता मुफ्त खरीदें कीमत समीक्षा उदाहरण सूची समाचार आज कल अंतर अर्थ साल" + " नाम कहा जाता किया गया प्रकार",
  },
};
