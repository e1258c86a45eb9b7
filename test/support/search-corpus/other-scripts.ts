import type { Question } from "./questions.ts";

export const RUSSIAN: readonly Question[] = [
  {
    query: "как оформить загранпаспорт ребёнку через госуслуги",
    good: [
      [
        "Загранпаспорт ребёнку до 14 лет",
        "Заявление подают на Госуслугах, к нему прикладывают свидетельство о рождении и фотографию.",
        "https://www.gosuslugi.ru/zagranpasport",
      ],
      [
        "Сколько делают паспорт нового образца",
        "По месту жительства документ готов через месяц.",
        "https://mvd.example/pasport",
      ],
      ["Выезд с ребёнком за границу", "Когда нужно согласие второго родителя.", "https://journal.example/soglasie"],
    ],
  },
  {
    query: "рецепт борща с говядиной и свёклой",
    good: [
      [
        "Классический борщ",
        "Говядину варят два часа, свёклу тушат с томатной пастой и уксусом, чтобы сохранить цвет.",
        "https://www.povarenok.example/borsch",
      ],
      ["Секреты красного борща", "Почему суп бледнеет и что с этим делать.", "https://eda.example/sekrety"],
      ["Пампушки с чесноком", "Булочки, которые подают к первому.", "https://www.gastronom.example/pampushki"],
    ],
  },
  {
    query: "ипотека с господдержкой условия для молодой семьи",
    good: [
      [
        "Семейная ипотека",
        "Ставка шесть процентов для семей с детьми. Условия, банки и список документов.",
        "https://xn--d1aqf.xn--p1ai/family/",
      ],
      [
        "Молодая семья: субсидия на жильё",
        "Кто может получить поддержку государства и сколько ждать.",
        "https://www.banki.example/molodaya",
      ],
      ["Калькулятор платежей", "Посчитайте переплату и график.", "https://www.sravni.example/calc"],
    ],
  },
  {
    query: "почему кошка не ест сухой корм",
    good: [
      [
        "Кошка отказывается от корма: что делать",
        "Стресс, больные зубы или новая миска. Когда пора к ветеринару.",
        "https://www.zoo.example/koshka-ne-est",
      ],
      [
        "Как перевести питомца на сухой рацион",
        "Смешивайте еду в течение недели.",
        "https://www.petshop.example/perevod",
      ],
      ["Сколько воды нужно кошке", "Фонтанчик вместо миски.", "https://www.vet.example/voda"],
    ],
  },
  {
    query: "расписание электричек Москва Тверь завтра",
    good: [
      [
        "Электрички Москва — Тверь: расписание",
        "Ласточка отправляется с Ленинградского вокзала каждый час, в пути час сорок.",
        "https://rasp.example/moskva-tver",
      ],
      [
        "Изменения в движении пригородных поездов",
        "Из-за ремонта путей часть рейсов отменена.",
        "https://www.mtppk.example/izmeneniya",
      ],
      ["Тверь за один день", "Путевой дворец, набережная и пряники.", "https://tver.example/den"],
    ],
  },
];

export const CHINESE: readonly Question[] = [
  {
    query: "北京居住证办理需要什么材料",
    good: [
      [
        "北京市居住证办理指南",
        "在京居住六个月以上可申领居住证，需要身份证、居住证明和照片等材料。",
        "https://banshi.beijing.gov.cn/juzhuzheng",
      ],
      ["居住登记卡和居住证的区别", "先登记，满半年后再申请。", "https://bj.bendibao.example/qubie"],
      ["派出所办公时间", "周一至周五上午九点到下午五点。", "https://gaj.example/shijian"],
    ],
  },
  {
    query: "如何提高孩子的阅读理解能力",
    good: [
      [
        "提升小学生阅读理解的五个方法",
        "每天读二十分钟，边读边提问，让孩子复述故事，能力自然提高。",
        "https://www.zhihu.example/yuedu",
      ],
      ["阅读理解答题技巧", "找中心句，概括段落大意。", "https://www.xueersi.example/jiqiao"],
      ["推荐书单", "适合三到六年级的五十本书。", "https://book.douban.example/shudan"],
    ],
  },
  {
    query: "新能源汽车电池寿命一般多少年",
    good: [
      [
        "电动车电池能用多少年？",
        "三元锂电池的循环寿命约一千五百次，按每年两万公里计算，可以使用八年以上。",
        "https://www.autohome.example/dianchi",
      ],
      ["新能源车质保政策汇总", "多数品牌对首任车主提供电池终身质保。", "https://www.dongchedi.example/zhibao"],
      ["冬天续航为什么下降", "低温会影响电池的活性。", "https://www.36kr.example/dongtian"],
    ],
  },
  {
    query: "React useEffect 无限循环 解决",
    good: [
      [
        "useEffect 无限循环的原因与解决方法",
        "依赖数组里放了每次渲染都新建的对象，就会反复执行。用 useMemo 或者移到外面。",
        "https://juejin.example/useeffect",
      ],
      [
        "使用 Effect 进行同步 – React",
        "有些组件需要与外部系统同步。",
        "https://zh-hans.react.dev/learn/synchronizing-with-effects",
      ],
      ["常见的 Hooks 错误", "闭包陷阱、条件调用以及缺少依赖。", "https://segmentfault.example/hooks"],
    ],
  },
];

export const JAPANESE: readonly Question[] = [
  {
    query: "確定申告 医療費控除 必要書類",
    good: [
      [
        "医療費控除を受ける方へ｜国税庁",
        "確定申告書に医療費控除の明細書を添付します。領収書は五年間保管してください。",
        "https://www.nta.go.jp/iryohi",
      ],
      [
        "いくら戻る？計算のしかた",
        "年間十万円を超えた分が所得から差し引かれます。",
        "https://www.freee.example/keisan",
      ],
      [
        "e-Taxで申告する手順",
        "マイナンバーカードとスマホがあれば自宅で完結します。",
        "https://www.e-tax.example/sumaho",
      ],
    ],
  },
  {
    query: "京都 紅葉 見頃 穴場",
    good: [
      [
        "京都の紅葉名所と見頃カレンダー",
        "例年の見頃は十一月中旬から十二月上旬。混雑を避けられる穴場も紹介します。",
        "https://www.kyotokanko.example/koyo",
      ],
      ["静かな寺で楽しむ秋", "洛北や大原の小さな寺院は人も少なめです。", "https://souda-kyoto.example/aki"],
      ["夜間ライトアップ情報", "清水寺、永観堂、高台寺の拝観時間。", "https://www.walkerplus.example/light"],
    ],
  },
  {
    query: "赤ちゃんの夜泣きがひどいときの対処法",
    good: [
      [
        "夜泣きはいつまで続く？",
        "生後六か月ごろに多い夜泣き。赤ちゃんが泣いたときの対処として、まず抱っこで落ち着かせましょう。",
        "https://st.benesse.example/yonaki",
      ],
      ["寝かしつけのコツ", "部屋を暗くし、毎日同じ順番で寝る準備をします。", "https://www.akachan.example/nekashi"],
      ["小児科に相談する目安", "発熱や嘔吐を伴う場合は受診を。", "https://www.jpeds.example/meyasu"],
    ],
  },
  {
    query: "Python リスト 内包表記 条件分岐",
    good: [
      [
        "Pythonのリスト内包表記の使い方",
        "if を後ろに置くと条件に合う要素だけが残り、if else は前に書きます。",
        "https://note.nkmk.example/python-list-comprehension",
      ],
      ["内包表記と for 文の速度", "一般に内包表記のほうが速いとされます。", "https://qiita.example/sokudo"],
      [
        "5. データ構造 — Python ドキュメント",
        "リスト型のメソッドとその例。",
        "https://docs.python.org/ja/3/tutorial/datastructures.html",
      ],
    ],
  },
];

export const KOREAN: readonly Question[] = [
  {
    query: "연말정산 월세 세액공제 조건",
    good: [
      [
        "월세 세액공제 받는 방법",
        "총급여 8천만 원 이하 무주택 근로자는 연말정산에서 월세의 17%까지 공제받을 수 있습니다.",
        "https://www.nts.go.kr/wolse",
      ],
      ["필요한 서류", "임대차계약서와 이체 내역을 준비하세요.", "https://blog.naver.example/seoryu"],
      ["현금영수증과 무엇이 다른가", "세액에서 바로 빼 주는 쪽이 유리합니다.", "https://www.banksalad.example/bigyo"],
    ],
  },
  {
    query: "제주도 3박 4일 여행 코스 추천",
    good: [
      [
        "제주 3박4일 코스 총정리",
        "동쪽에서 서쪽으로 도는 여행 일정과 맛집, 숙소를 날짜별로 소개합니다.",
        "https://www.visitjeju.net/course",
      ],
      ["렌터카 없이 제주도 여행하기", "버스 노선과 요금, 환승하는 곳.", "https://brunch.example/bus"],
      ["비 오는 날 갈 만한 곳", "실내 박물관과 카페.", "https://www.jejudo.example/rain"],
    ],
  },
  {
    query: "강아지가 초콜릿을 먹었을 때 응급처치",
    good: [
      [
        "강아지 초콜릿 중독 증상",
        "구토와 떨림이 보이면 바로 동물병원에 가야 합니다. 집에서 할 수 있는 응급처치도 알아봅니다.",
        "https://www.bemypet.example/chocolate",
      ],
      ["체중별 위험한 양", "다크 초콜릿은 적은 양도 치명적입니다.", "https://www.vetmed.example/dose"],
      ["24시간 동물병원 찾기", "지역별 전화번호.", "https://www.animal.example/24"],
    ],
  },
];

export const ARABIC: readonly Question[] = [
  {
    query: "طريقة تجديد جواز السفر المصري من الخارج",
    good: [
      [
        "تجديد جواز السفر للمصريين بالخارج",
        "يقدم الطلب في القنصلية مع صورة بطاقة الرقم القومي وأربع صور شخصية.",
        "https://www.mfa.gov.eg/passport",
      ],
      ["رسوم القنصليات", "تختلف الرسوم من بلد إلى آخر وتدفع نقدا.", "https://www.youm7.example/fees"],
      ["مدة استخراج الجواز", "يصل الجواز المصري خلال شهرين.", "https://www.almasryalyoum.example/time"],
    ],
  },
  {
    query: "فوائد زيت الزيتون للشعر الجاف",
    good: [
      [
        "زيت الزيتون للشعر: الفوائد وطريقة الاستخدام",
        "يرطب الشعر الجاف ويقلل التقصف إذا وضع ساعة قبل الغسل.",
        "https://www.webteb.example/olive",
      ],
      ["وصفات طبيعية لترطيب الشعر", "العسل والموز والزبادي.", "https://www.supermama.example/hair"],
      ["أضرار الزيوت الثقيلة", "قد تسد المسام عند أصحاب البشرة الدهنية.", "https://mawdoo3.example/oils"],
    ],
  },
  {
    query: "أسباب الحرب العالمية الأولى ونتائجها",
    good: [
      [
        "الحرب العالمية الأولى - ويكيبيديا",
        "كان اغتيال ولي عهد النمسا السبب المباشر، أما الأسباب العميقة فهي التحالفات وسباق التسلح.",
        "https://ar.wikipedia.org/wiki/ww1",
      ],
      ["نتائج الحرب على العالم العربي", "سايكس بيكو والانتداب.", "https://www.aljazeera.example/sykes"],
      ["معاهدة فرساي", "شروط الصلح التي فرضت على ألمانيا.", "https://www.marefa.example/versailles"],
    ],
  },
];

export const HINDI: readonly Question[] = [
  {
    query: "आधार कार्ड में मोबाइल नंबर कैसे बदलें",
    good: [
      [
        "आधार में मोबाइल नंबर अपडेट करें",
        "नजदीकी आधार केंद्र पर जाकर फॉर्म भरें और बायोमेट्रिक दें; पचास रुपये लगते हैं।",
        "https://uidai.gov.in/hi/mobile",
      ],
      ["ऑनलाइन अपॉइंटमेंट", "केंद्र चुनें, तारीख चुनें और रसीद साथ ले जाएँ।", "https://www.jagran.example/appointment"],
      ["पता बदलने के लिए दस्तावेज", "राशन कार्ड, बिजली बिल या पासबुक।", "https://www.aajtak.example/pata"],
    ],
  },
  {
    query: "घर पर पनीर बनाने की विधि",
    good: [
      [
        "घर का बना पनीर",
        "दूध उबालें, नींबू का रस डालें, फटने पर कपड़े में छान लें। यही विधि सबसे आसान है।",
        "https://nishamadhulika.example/paneer",
      ],
      ["नरम पनीर के लिए सुझाव", "छानने के बाद ठंडा पानी डालें।", "https://www.tarladalal.example/naram"],
      ["पनीर की सब्जी", "शाही, कढ़ाई और मटर के साथ।", "https://www.hindirecipe.example/sabzi"],
    ],
  },
  {
    query: "भारत में मानसून कब आता है और क्यों",
    good: [
      ["भारत का मानसून", "दक्षिण-पश्चिम मानसून जून के पहले सप्ताह में केरल पहुँचता है।", "https://hi.wikipedia.org/wiki/monsoon"],
      ["मौसम विभाग का पूर्वानुमान", "इस बार वर्षा सामान्य से अधिक होगी।", "https://mausam.imd.gov.in/hi"],
      ["किसान और बारिश", "खरीफ की बुवाई मानसून पर टिकी है।", "https://krishi.example/barish"],
    ],
  },
];

export const THAI: readonly Question[] = [
  {
    query: "วิธีทำต้มยำกุ้งน้ำข้น",
    good: [
      [
        "สูตรต้มยำกุ้งน้ำข้น รสจัดจ้าน",
        "ใส่นมข้นจืดและน้ำพริกเผาตอนท้าย กุ้งสดต้มเพียงสองนาทีก็พอ",
        "https://cooking.kapook.example/tomyum",
      ],
      ["เคล็ดลับต้มกุ้งไม่ให้คาว", "ทุบข่าตะไคร้และใส่ใบมะกรูดตั้งแต่น้ำเดือด", "https://www.wongnai.example/kung"],
      ["อาหารไทยยอดนิยม", "ผัดไทย แกงเขียวหวาน ส้มตำ", "https://www.thai.example/food"],
    ],
  },
  {
    query: "ต่ออายุใบขับขี่ออนไลน์ใช้เอกสารอะไรบ้าง",
    good: [
      [
        "ต่อใบขับขี่ออนไลน์ทำได้ง่าย",
        "เตรียมบัตรประชาชนและใบรับรองแพทย์ แล้วอบรมผ่านระบบของกรมการขนส่งทางบก",
        "https://www.dlt.go.th/renew",
      ],
      ["ค่าธรรมเนียมใบอนุญาตขับรถ", "ห้าปีห้าร้อยบาท", "https://www.sanook.example/fee"],
      ["ใบขับขี่หมดอายุเกินหนึ่งปี", "ต้องสอบข้อเขียนใหม่ เอกสารเหมือนเดิม", "https://www.thairath.example/expired"],
    ],
  },
];

export const GREEK: readonly Question[] = [
  {
    query: "δικαιολογητικά για έκδοση διαβατηρίου ανηλίκου",
    good: [
      [
        "Έκδοση διαβατηρίου για ανήλικο",
        "Χρειάζονται υπεύθυνη δήλωση των γονέων, φωτογραφία και παράβολο.",
        "https://www.passport.gov.gr/anilikoi",
      ],
      [
        "Πόσο κοστίζει το παράβολο",
        "Για παιδιά κάτω των 14 ετών ισχύει μειωμένο τέλος.",
        "https://www.gov.example/paravolo",
      ],
      ["Ταξίδι με παιδιά", "Τι ζητούν οι αεροπορικές εταιρείες.", "https://www.travel.example/paidia"],
    ],
  },
  {
    query: "παραλίες Νάξου για οικογένειες",
    good: [
      [
        "Οι καλύτερες παραλίες της Νάξου",
        "Ο Άγιος Προκόπιος και η Πλάκα έχουν ρηχά νερά, ιδανικά για μια οικογένεια.",
        "https://www.naxos.example/paralies",
      ],
      ["Πού να μείνετε", "Δωμάτια και ξενοδοχεία κοντά στη θάλασσα.", "https://www.naxoshotels.example/"],
      ["Δρομολόγια πλοίων", "Από τον Πειραιά σε τέσσερις ώρες.", "https://www.ferries.example/naxos"],
    ],
  },
];

export const HEBREW: readonly Question[] = [
  {
    query: "איך לחדש רישיון נהיגה באינטרנט",
    good: [
      [
        "חידוש רישיון נהיגה",
        "אפשר לשלם את האגרה באתר משרד התחבורה והרישיון יישלח בדואר.",
        "https://www.gov.il/rishayon",
      ],
      ["בדיקת ראייה", "נדרשת מגיל שבעים ומעלה, אצל אופטומטריסט מוסמך.", "https://www.kolzchut.example/reiya"],
      ["קנס על נהיגה ללא תוקף", "הסכום תלוי בזמן שעבר.", "https://www.ynet.example/knas"],
    ],
  },
  {
    query: "מתכון לחלה מתוקה לשבת",
    good: [
      [
        "חלה מתוקה ורכה",
        "מתכון עם דבש ושמרים טריים, קולעים משש רצועות ואופים ארבעים דקות.",
        "https://www.10dakot.example/challah",
      ],
      ["טיפים להתפחת בצק", "מקום חמים ומגבת לחה.", "https://foody.example/batzek"],
      ["סעודת שבת", "סלטים, דגים ומרק עוף.", "https://www.mako.example/shabat"],
    ],
  },
];
