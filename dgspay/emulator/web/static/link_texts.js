/** What the checkout says on the page of a payment link, where an order's words would be wrong. */

export const LINK_TEXTS = {
  en: {
    order: "Payment link {order}",
    receiptOrder: "Payment link",
    loading: "Loading…",
    noMethod: "This link cannot be paid online. Please ask for another one.",
    lost: "The connection is lost. Your payment is safe, and nothing is paid twice. "
      + "We are trying again…",
    cancel: "Cancel the payment",
    cancelAsk: "Cancel this payment?",
    cancelWhat: "You can open the link again and pay later.",
    refusals: {
      unknown_link: {
        title: "There is no such payment link",
        what: "Its address may be incomplete. Please check it with who sent it to you.",
      },
      link_closed: {
        title: "This link is closed",
        what: "It can no longer be paid. Please ask for a new one.",
      },
      link_paid: {
        title: "This link is paid",
        what: "It has been paid as often as it can be. Nothing more is to be done.",
      },
      link_expired: {
        title: "This link has expired",
        what: "It can no longer be paid. Please ask for a new one.",
      },
      link_taken: {
        title: "Somebody is paying with this link",
        what: "Somebody else is paying with this link right now, and it can be paid only that once. "
          + "Nothing was charged to you. Please try again in a few minutes.",
      },
      not_a_test_card: {
        title: "Only test cards work here",
        what: "Only test cards work here, such as 4242 4242 4242 4242. Nothing was charged.",
      },
    },
  },
  fr: {
    order: "Lien de paiement {order}",
    receiptOrder: "Lien de paiement",
    loading: "Chargement…",
    noMethod: "Ce lien ne peut pas être payé en ligne. Veuillez en demander un autre.",
    lost: "La connexion est perdue. Votre paiement est en sécurité, et rien n’est payé deux fois. "
      + "Nous réessayons…",
    cancel: "Annuler le paiement",
    cancelAsk: "Annuler ce paiement\u00a0?",
    cancelWhat: "Vous pouvez rouvrir le lien et payer plus tard.",
    refusals: {
      unknown_link: {
        title: "Ce lien de paiement n’existe pas",
        what: "Son adresse est peut-être incomplète. Vérifiez-la auprès de qui vous l’a envoyé.",
      },
      link_closed: {
        title: "Ce lien est fermé",
        what: "Il ne peut plus être payé. Veuillez en demander un nouveau.",
      },
      link_paid: {
        title: "Ce lien est payé",
        what: "Il a été payé autant de fois que possible. Vous n’avez plus rien à faire.",
      },
      link_expired: {
        title: "Ce lien a expiré",
        what: "Il ne peut plus être payé. Veuillez en demander un nouveau.",
      },
      link_taken: {
        title: "Quelqu’un paie avec ce lien",
        what: "Quelqu’un d’autre paie avec ce lien en ce moment, et il ne peut plus être payé qu’une "
          + "fois. Rien ne vous a été débité. Veuillez réessayer dans quelques minutes.",
      },
      not_a_test_card: {
        title: "Seules les cartes de test fonctionnent ici",
        what: "Seules les cartes de test fonctionnent ici, comme 4242 4242 4242 4242. "
          + "Rien n’a été débité.",
      },
    },
  },
  rw: {
    order: "Umurongo wo kwishyura {order}",
    receiptOrder: "Umurongo wo kwishyura",
    loading: "Birimo gufunguka…",
    noMethod: "Uyu murongo ntushobora kwishyurwa kuri interineti. Saba undi.",
    lost: "Interineti yacitse. Ubwishyu bwawe bufite umutekano, kandi nta kintu cyishyurwa kabiri. "
      + "Turongera kugerageza…",
    cancel: "Hagarika kwishyura",
    cancelAsk: "Urahagarika uku kwishyura?",
    cancelWhat: "Ushobora kongera gufungura umurongo ukishyura nyuma.",
    refusals: {
      unknown_link: {
        title: "Uyu murongo wo kwishyura ntubaho",
        what: "Aderesi yawo ishobora kuba ituzuye. Yibaze uwayikoherereje.",
      },
      link_closed: {
        title: "Uyu murongo warafunzwe",
        what: "Ntushobora kongera kwishyurwa. Saba undi mushya.",
      },
      link_paid: {
        title: "Uyu murongo warishyuwe",
        what: "Wishyuwe inshuro zose zishoboka. Nta kindi usabwa.",
      },
      link_expired: {
        title: "Igihe cy’uyu murongo cyararangiye",
        what: "Ntushobora kongera kwishyurwa. Saba undi mushya.",
      },
      link_taken: {
        title: "Hari undi uri kwishyura",
        what: "Hari undi uri kwishyura kuri uyu murongo, kandi usigaje kwishyurwa rimwe gusa. "
          + "Nta mafaranga yawe yakuweho. Ongera ugerageze mu minota mike.",
      },
      not_a_test_card: {
        title: "Hano hakora amakarita y’igerageza gusa",
        what: "Hano hakora amakarita y’igerageza gusa, nka 4242 4242 4242 4242. "
          + "Nta mafaranga yakuweho.",
      },
    },
  },
  sw: {
    order: "Kiungo cha malipo {order}",
    receiptOrder: "Kiungo cha malipo",
    loading: "Inapakia…",
    noMethod: "Kiungo hiki hakiwezi kulipwa mtandaoni. Tafadhali omba kingine.",
    lost: "Muunganisho umepotea. Malipo yako yako salama, na hakuna kinacholipwa mara mbili. "
      + "Tunajaribu tena…",
    cancel: "Ghairi malipo",
    cancelAsk: "Ungependa kughairi malipo haya?",
    cancelWhat: "Unaweza kufungua kiungo tena na kulipa baadaye.",
    refusals: {
      unknown_link: {
        title: "Kiungo hiki cha malipo hakipo",
        what: "Huenda anwani yake haijakamilika. Tafadhali muulize aliyekutumia.",
      },
      link_closed: {
        title: "Kiungo hiki kimefungwa",
        what: "Hakiwezi kulipwa tena. Tafadhali omba kipya.",
      },
      link_paid: {
        title: "Kiungo hiki kimelipwa",
        what: "Kimelipwa mara zote zinazowezekana. Hakuna zaidi cha kufanya.",
      },
      link_expired: {
        title: "Muda wa kiungo hiki umeisha",
        what: "Hakiwezi kulipwa tena. Tafadhali omba kipya.",
      },
      link_taken: {
        title: "Kuna mtu analipa kwa kiungo hiki",
        what: "Mtu mwingine analipa kwa kiungo hiki sasa hivi, na kinaweza kulipwa mara hiyo moja tu. "
          + "Hujatozwa chochote. Tafadhali jaribu tena baada ya dakika chache.",
      },
      not_a_test_card: {
        title: "Kadi za majaribio tu hufanya kazi hapa",
        what: "Kadi za majaribio tu hufanya kazi hapa, kama 4242 4242 4242 4242. "
          + "Hakuna kilichotozwa.",
      },
    },
  },
};
