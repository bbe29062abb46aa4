/**
 * What the checkout says to payers, in English, French, Kinyarwanda and Swahili.
 *
 * Each text can be replaced: `mountCheckout(element, { texts: { wait: "…" } })`. Words in braces
 * are filled in. Only English was reviewed: a native speaker is to review the others before they
 * count as final (`isReviewed`).
 */

/**
 * @typedef {typeof ENGLISH} CheckoutTexts
 * @typedef {{ title: string, what: string }} Refusal What it says, and what the payer can do.
 * @typedef {"en" | "fr" | "rw" | "sw"} Language
 * @typedef {object} Catalogue
 * @property {string} name The language, in itself.
 * @property {"ltr" | "rtl"} dir
 * @property {boolean} isReviewed Whether a native speaker has reviewed it.
 * @property {string[]} numbers Locale of amounts.
 * @property {string[]} dates Locale of dates.
 * @property {CheckoutTexts} texts
 */

const ENGLISH = {
  // What is paid
  title: "Pay {amount} to {merchant}",
  titleAlone: "Pay {amount}",
  titleOpen: "Pay {merchant}",
  titleOpenAlone: "Your payment",
  order: "Order {order}",
  language: "Language",
  payUntil: "To be paid by {date}",
  payerIs: "For {payer}",
  // What the payer has yet to say
  details: "Your details",
  amount: "Amount in {currency}",
  amountMissing: "Enter the amount.",
  amountAmbiguous: "Do you mean {more} or {less}? Write it without a separator between thousands, "
    + "and with two decimals.",
  amountTooFine: "Enter an amount that can be paid: {currency} has no smaller coin.",
  amountRange: "From {least} to {most}.",
  amountLeast: "At least {least}.",
  amountMost: "At most {most}.",
  name: "Your name",
  nameMissing: "Enter your name.",
  contactPhone: "Phone number",
  contactPhoneHint: "From outside Rwanda with the country code.",
  contactPhoneWrong: "Enter a phone number, such as 0788\u00a0123\u00a0456 or +254\u00a0712\u00a0345\u00a0678.",
  // Ways to pay
  methods: "How would you like to pay?",
  mobileMoney: "Mobile money",
  card: "Card",
  ussd: "USSD",
  ussdHint: "You get a code to dial on your phone.",
  ussdGo: "Show the code",
  bankTransfer: "Bank transfer",
  transferHint: "You get a bank account to send the money to.",
  transferGo: "Show the account",
  otherWays: "Other ways to pay",
  noMethod: "This order cannot be paid online. Please ask the shop for another way.",
  pay: "Pay {amount}",
  payOpen: "Pay",
  sending: "Sending your request…",
  sendingLong: "This takes longer than usual. Please keep this page open.",
  phone: "Mobile money number",
  phonePlaceholder: "0788 123 456",
  phoneHint: "We send a request to this phone, and you approve it there.",
  phoneWrong: "Enter a Rwandan mobile number, such as 0788 123 456.",
  network: "Network",
  networkMissing: "Choose the network of this number.",
  networkUnlike: "Numbers that begin with {prefix} are usually {network}. "
    + "Keep your choice if this number has moved.",
  // The prompt on the phone
  wait: "Approve it on your phone",
  waitWhat: "We sent a request for {amount} to the {network} number ending in {phone}. "
    + "Enter your mobile money PIN on that phone to pay.",
  waitLeft: "Time left to approve:",
  waitSilence: "Still waiting for your approval. A request can take a minute to reach the phone.",
  waitLong: "Nothing has come yet. Is the phone on, and does it have a signal?",
  noPrompt: "I got no request",
  noPromptHelp: "Check that the phone is on and has a signal, and close any other mobile money "
    + "menu on it. You can also look for requests that wait for your approval in your network's "
    + "mobile money menu or app.",
  otherNumber: "Use another number",
  otherNumberWhen: "To make sure that you never pay twice, another number can be used once this "
    + "request is over: decline it on the phone, or wait {left}.",
  networkPage: "Approve on my network's page",
  promptOver: "The request has run out",
  promptOverWhat: "It was not approved in time, as far as we know. If you did approve it, wait a "
    + "little: this page shows it as soon as we hear of it. We check again before a new request is "
    + "sent.",
  sendAgain: "Send a new request",
  // Steps of a card
  pinTitle: "Enter your card's PIN",
  pinWhat: "Your bank asks for the PIN of this card.",
  otpTitle: "Enter the code from your bank",
  otpWhat: "Your bank has sent you a one-time code, by text message or in its app.",
  otp: "One-time code",
  otpWrong: "Enter the code as you got it: 3 to 12 digits or letters.",
  confirm: "Confirm",
  checking: "Checking with your bank…",
  addressTitle: "Billing address of the card",
  addressWhat: "Your bank compares it with the address it has on file.",
  line1: "Address",
  line1Missing: "Enter the address.",
  line2: "Flat, building (optional)",
  city: "City (optional)",
  state: "Province or state (optional)",
  postalCode: "Postal code (optional)",
  country: "Country or region",
  countryMissing: "Choose the country.",
  redirectTitle: "Confirm with your bank",
  redirectWhat: "Your bank asks you to confirm this payment on its own page. "
    + "You come back here afterwards.",
  redirectGo: "Go to my bank's page",
  redirectBack: "Checking with your bank",
  redirectBackWhat: "If you have not confirmed the payment yet, open your bank's page again.",
  otherWay: "Pay another way",
  // What is paid elsewhere
  dialTitle: "Dial this code",
  dialWhat: "Dial it on your phone and follow the menu to pay {amount}. This page shows when it is "
    + "paid.",
  dialCode: "Code",
  dialGo: "Dial it on this phone",
  transferTitle: "Send the money",
  transferWhat: "Transfer {amount} to this account and give the reference exactly as it is. This "
    + "page shows when the money has arrived.",
  transferBank: "Bank",
  transferName: "Account name",
  transferNumber: "Account number",
  copy: "Copy",
  copied: "Copied",
  simulated: "This is simulated: there is no such code or account, and no money moves.",
  // Waiting without anything to do
  doubt: "Checking your payment",
  doubtWhat: "We do not know yet whether this payment went through. Please do not pay again: this "
    + "page shows the result as soon as we have it.",
  doubtOverWhat: "We still have no answer, and nothing was charged as far as we know. You may pay "
    + "again: should both payments go through, the shop sees it and pays one back.",
  held: "The shop is checking your payment",
  heldWhat: "What arrived does not match this order, so a person at the shop looks at it. "
    + "Please do not pay again.",
  // Ends
  paid: "Payment complete",
  paidWhat: "Thank you. You paid {amount}.",
  receipt: "Receipt",
  receiptAmount: "Amount",
  receiptMerchant: "Paid to",
  receiptDate: "Date",
  receiptMethod: "Paid with",
  receiptReference: "Reference",
  referenceIs: "Reference: {reference}",
  receiptOrder: "Order",
  receiptPayer: "Paid by",
  print: "Print receipt",
  backToShop: "Back to the shop",
  backSoon: "We take you back to the shop in {left}.",
  stay: "Stay on this page",
  declined: "The payment was not made",
  noMoney: "No money was taken.",
  tryAgain: "Try again",
  expired: "The time to pay is over",
  expiredWhat: "This order can no longer be paid. Please go back to the shop and order again.",
  cancelled: "This order was cancelled",
  cancelledWhat: "It can no longer be paid. To buy after all, please order again.",
  cancelledPending: "A request may still be on your phone. Please decline it there. If it is "
    + "approved all the same, contact the shop to get your money back.",
  cancel: "Cancel the order",
  cancelAsk: "Cancel this order?",
  cancelWhat: "You cannot pay it afterwards.",
  cancelYes: "Yes, cancel it",
  cancelNo: "No, keep it",
  // Faults
  loading: "Loading your order…",
  lost: "The connection is lost. Your order is safe, and nothing is paid twice. "
    + "We are trying again…",
  lostSending: "The connection was lost while your request was sent, so it may have arrived. "
    + "Please do not close this page: we check as soon as the connection is back.",
  back: "The connection is back.",
  notArrived: "It seems that your request did not arrive: nothing was charged so far. "
    + "Please try again. You cannot pay twice.",
  stepOver: "This step was taken already. Here is where your payment stands.",
  tooMany: "Too many tries. Nothing was charged. Please try again in {left}.",
  tooManyForOrder: "This order had as many tries as are allowed. Nothing was charged this time. "
    + "Please ask the shop for another way to pay.",
  unavailable: "The shop's system is busy. Nothing was charged. Please try again in a moment.",
  shopFault: "The shop cannot take this payment at the moment. Nothing was charged. "
    + "Please try again later, or contact the shop.",
  invalid: "Something in what you entered was not accepted. Nothing was charged. "
    + "Please check it and try again.",
  minutes: "{minutes} min",
  seconds: "{seconds} s",
  /**
   * What is shown in place of an order, by the server's code.
   * @type {Record<string, Refusal>}
   */
  refusals: {
    unknown_order: {
      title: "This order was not found",
      what: "The page may be old, or its address incomplete. "
        + "Please go back to the shop and open it again.",
    },
  },
  /** Why a payment was declined. */
  reasons: {
    declined: "Your bank or mobile money provider did not approve it. Please use another way to "
      + "pay, or ask them why.",
    funds: "There is not enough money in the account for this payment.",
    limit: "The amount is above a limit of your account. Please ask your provider, or use another "
      + "way to pay.",
    pin: "The PIN was not right.",
    pinTries: "A wrong PIN was entered too often. Please contact your bank.",
    code: "The one-time code was not right, or it came too late.",
    cvv: "The security code of the card was not right.",
    number: "The card number was not recognised. Please check it.",
    cardExpired: "The card has expired. Please use another one.",
    cardBlocked: "This card cannot be used. Please contact your bank, or use another one.",
    notPermitted: "Your bank does not allow this kind of payment with this card. "
      + "Please use another one, or ask your bank.",
    address: "The billing address was not the one that your bank has.",
    cancelled: "You cancelled it.",
    refused: "The request was declined on the phone.",
    timedOut: "The request was not approved in time.",
    noWallet: "This number has no mobile money account on this network. "
      + "Please check number and network.",
    unavailable: "Your bank or mobile money provider cannot be reached at the moment. "
      + "Please try again in a few minutes.",
    notSent: "The request could not be sent. Please try again.",
    shop: "The shop's set-up does not allow this payment. Please contact the shop.",
  },
  /** Texts of the card form; see the texts of `mountCardForm`. */
  cardForm: {
    cardForm: "Card details",
    number: "Card number",
    expiry: "Expiry date",
    expiryHint: "MM / YY",
    cvv: "Security code",
    pinForm: "Card PIN",
    pin: "Card PIN",
    confirm: "Confirm",
    privacy: "Encrypted on this device before it is sent.",
    busy: "Encrypting and sending…",
    numberMissing: "Enter your card number.",
    numberShort: "This card number is not complete.",
    numberMistyped: "Check the card number: one of its digits looks mistyped.",
    expiryMissing: "Enter the date as month and year, such as 08 / 29.",
    expiryPast: "This card has expired.",
    cvvMissing: "Enter the 3 digits on the back of the card.",
    cvvMissingAmex: "Enter the 4 digits on the front of the card.",
    pinMissing: "Enter the 4 to 6 digits of your PIN.",
    notSent: "The card could not be encrypted, so nothing was sent. Please try again.",
    unknown: "Something went wrong, and it is not known yet whether the payment went through. "
      + "Please do not pay again: this page shows the result as soon as we have it.",
    insecure: "Card payments are switched off: this page was not loaded over a secure connection "
      + "(https).",
  },
};

/** @type {CheckoutTexts} */
const FRENCH = {
  title: "Payer {amount} à {merchant}",
  titleAlone: "Payer {amount}",
  titleOpen: "Payer {merchant}",
  titleOpenAlone: "Votre paiement",
  order: "Commande {order}",
  language: "Langue",
  payUntil: "À payer avant le {date}",
  payerIs: "Pour {payer}",
  details: "Vos coordonnées",
  amount: "Montant en {currency}",
  amountMissing: "Saisissez le montant.",
  amountAmbiguous: "Voulez-vous dire {more} ou {less}\u00a0? Écrivez-le sans séparateur de milliers, "
    + "et avec deux décimales.",
  amountTooFine: "Saisissez un montant payable\u00a0: {currency} n’a pas de pièce plus petite.",
  amountRange: "De {least} à {most}.",
  amountLeast: "Au moins {least}.",
  amountMost: "Au plus {most}.",
  name: "Votre nom",
  nameMissing: "Saisissez votre nom.",
  contactPhone: "Numéro de téléphone",
  contactPhoneHint: "Hors du Rwanda, avec l’indicatif du pays.",
  contactPhoneWrong: "Saisissez un numéro de téléphone, comme 0788\u00a0123\u00a0456 ou +254\u00a0712\u00a0345\u00a0678.",
  methods: "Comment souhaitez-vous payer\u00a0?",
  mobileMoney: "Mobile money",
  card: "Carte",
  ussd: "USSD",
  ussdHint: "Vous recevez un code à composer sur votre téléphone.",
  ussdGo: "Afficher le code",
  bankTransfer: "Virement bancaire",
  transferHint: "Vous recevez un compte bancaire sur lequel verser l’argent.",
  transferGo: "Afficher le compte",
  otherWays: "Autres moyens de paiement",
  noMethod: "Cette commande ne peut pas être payée en ligne. "
    + "Veuillez demander un autre moyen à la boutique.",
  pay: "Payer {amount}",
  payOpen: "Payer",
  sending: "Envoi de votre demande…",
  sendingLong: "Cela prend plus de temps que d’habitude. Veuillez garder cette page ouverte.",
  phone: "Numéro mobile money",
  phonePlaceholder: "0788 123 456",
  phoneHint: "Nous envoyons une demande à ce téléphone, et vous l’y approuvez.",
  phoneWrong: "Saisissez un numéro mobile rwandais, comme 0788 123 456.",
  network: "Réseau",
  networkMissing: "Choisissez le réseau de ce numéro.",
  networkUnlike: "Les numéros qui commencent par {prefix} sont en général de {network}. "
    + "Gardez votre choix si ce numéro a été transféré.",
  wait: "Approuvez sur votre téléphone",
  waitWhat: "Nous avons envoyé une demande de {amount} au numéro {network} se terminant par "
    + "{phone}. Saisissez votre code PIN mobile money sur ce téléphone pour payer.",
  waitLeft: "Temps restant pour approuver\u00a0:",
  waitSilence: "Toujours en attente de votre approbation. "
    + "Une demande peut mettre une minute à arriver sur le téléphone.",
  waitLong: "Rien n’est encore arrivé. Le téléphone est-il allumé et a-t-il du réseau\u00a0?",
  noPrompt: "Je n’ai reçu aucune demande",
  noPromptHelp: "Vérifiez que le téléphone est allumé et a du réseau, et fermez tout autre menu "
    + "mobile money. Vous pouvez aussi chercher les demandes à approuver dans le menu ou "
    + "l’application mobile money de votre réseau.",
  otherNumber: "Utiliser un autre numéro",
  otherNumberWhen: "Pour que vous ne payiez jamais deux fois, un autre numéro peut être utilisé une "
    + "fois cette demande terminée\u00a0: refusez-la sur le téléphone, ou attendez {left}.",
  networkPage: "Approuver sur la page de mon réseau",
  promptOver: "La demande a expiré",
  promptOverWhat: "Elle n’a pas été approuvée à temps, à notre connaissance. Si vous l’avez "
    + "approuvée, patientez un peu\u00a0: cette page l’affichera dès que nous le saurons. "
    + "Nous vérifions encore avant d’envoyer une nouvelle demande.",
  sendAgain: "Envoyer une nouvelle demande",
  pinTitle: "Saisissez le code PIN de la carte",
  pinWhat: "Votre banque demande le code PIN de cette carte.",
  otpTitle: "Saisissez le code de votre banque",
  otpWhat: "Votre banque vous a envoyé un code à usage unique, par SMS ou dans son application.",
  otp: "Code à usage unique",
  otpWrong: "Saisissez le code tel que vous l’avez reçu\u00a0: 3 à 12 chiffres ou lettres.",
  confirm: "Confirmer",
  checking: "Vérification auprès de votre banque…",
  addressTitle: "Adresse de facturation de la carte",
  addressWhat: "Votre banque la compare avec l’adresse qu’elle connaît.",
  line1: "Adresse",
  line1Missing: "Saisissez l’adresse.",
  line2: "Appartement, bâtiment (facultatif)",
  city: "Ville (facultatif)",
  state: "Province ou État (facultatif)",
  postalCode: "Code postal (facultatif)",
  country: "Pays ou région",
  countryMissing: "Choisissez le pays.",
  redirectTitle: "Confirmez auprès de votre banque",
  redirectWhat: "Votre banque vous demande de confirmer ce paiement sur sa propre page. "
    + "Vous reviendrez ensuite ici.",
  redirectGo: "Aller à la page de ma banque",
  redirectBack: "Vérification auprès de votre banque",
  redirectBackWhat: "Si vous n’avez pas encore confirmé le paiement, rouvrez la page de votre "
    + "banque.",
  otherWay: "Payer autrement",
  dialTitle: "Composez ce code",
  dialWhat: "Composez-le sur votre téléphone et suivez le menu pour payer {amount}. Cette page "
    + "indique quand c’est payé.",
  dialCode: "Code",
  dialGo: "Composer sur ce téléphone",
  transferTitle: "Envoyez l’argent",
  transferWhat: "Virez {amount} sur ce compte et indiquez la référence telle quelle. Cette page "
    + "indique quand l’argent est arrivé.",
  transferBank: "Banque",
  transferName: "Titulaire du compte",
  transferNumber: "Numéro de compte",
  copy: "Copier",
  copied: "Copié",
  simulated: "Ceci est simulé\u00a0: ce code ou ce compte n’existe pas, et aucun argent ne bouge.",
  doubt: "Vérification de votre paiement",
  doubtWhat: "Nous ne savons pas encore si ce paiement a abouti. Veuillez ne pas payer à nouveau\u00a0: "
    + "cette page affiche le résultat dès que nous l’avons.",
  doubtOverWhat: "Nous n’avons toujours pas de réponse et, à notre connaissance, rien n’a été "
    + "débité. Vous pouvez payer à nouveau\u00a0: si les deux paiements aboutissent, la boutique le voit "
    + "et en rembourse un.",
  held: "La boutique vérifie votre paiement",
  heldWhat: "Ce qui est arrivé ne correspond pas à cette commande\u00a0; une personne de la boutique "
    + "l’examine. Veuillez ne pas payer à nouveau.",
  paid: "Paiement effectué",
  paidWhat: "Merci. Vous avez payé {amount}.",
  receipt: "Reçu",
  receiptAmount: "Montant",
  receiptMerchant: "Payé à",
  receiptDate: "Date",
  receiptMethod: "Payé par",
  receiptReference: "Référence",
  referenceIs: "Référence\u00a0: {reference}",
  receiptOrder: "Commande",
  receiptPayer: "Payeur",
  print: "Imprimer le reçu",
  backToShop: "Retour à la boutique",
  backSoon: "Nous vous ramenons à la boutique dans {left}.",
  stay: "Rester sur cette page",
  declined: "Le paiement n’a pas été effectué",
  noMoney: "Aucun montant n’a été débité.",
  tryAgain: "Réessayer",
  expired: "Le délai de paiement est dépassé",
  expiredWhat: "Cette commande ne peut plus être payée. "
    + "Veuillez retourner à la boutique et commander à nouveau.",
  cancelled: "Cette commande a été annulée",
  cancelledWhat: "Elle ne peut plus être payée. Pour acheter quand même, commandez à nouveau.",
  cancelledPending: "Une demande est peut-être encore sur votre téléphone. Veuillez l’y refuser. "
    + "Si elle est tout de même approuvée, contactez la boutique pour être remboursé.",
  cancel: "Annuler la commande",
  cancelAsk: "Annuler cette commande\u00a0?",
  cancelWhat: "Vous ne pourrez plus la payer ensuite.",
  cancelYes: "Oui, l’annuler",
  cancelNo: "Non, la garder",
  loading: "Chargement de votre commande…",
  lost: "La connexion est perdue. Votre commande est conservée, et rien n’est payé deux fois. "
    + "Nouvel essai…",
  lostSending: "La connexion s’est perdue pendant l’envoi de votre demande, qui est peut-être "
    + "arrivée. Veuillez ne pas fermer cette page\u00a0: nous vérifions dès que la connexion revient.",
  back: "La connexion est revenue.",
  notArrived: "Votre demande ne semble pas être arrivée\u00a0: rien n’a été débité jusqu’ici. "
    + "Veuillez réessayer. Vous ne pouvez pas payer deux fois.",
  stepOver: "Cette étape a déjà été faite. Voici où en est votre paiement.",
  tooMany: "Trop d’essais. Rien n’a été débité. Veuillez réessayer dans {left}.",
  tooManyForOrder: "Cette commande a eu autant d’essais que permis. Rien n’a été débité cette "
    + "fois. Veuillez demander un autre moyen de paiement à la boutique.",
  unavailable: "Le système de la boutique est occupé. Rien n’a été débité. "
    + "Veuillez réessayer dans un instant.",
  shopFault: "La boutique ne peut pas prendre ce paiement en ce moment. Rien n’a été débité. "
    + "Veuillez réessayer plus tard, ou contacter la boutique.",
  invalid: "Une des informations saisies n’a pas été acceptée. Rien n’a été débité. "
    + "Veuillez vérifier et réessayer.",
  minutes: "{minutes} min",
  seconds: "{seconds} s",
  refusals: {
    unknown_order: {
      title: "Cette commande est introuvable",
      what: "La page est peut-être ancienne, ou son adresse incomplète. "
        + "Veuillez retourner à la boutique et la rouvrir.",
    },
  },
  reasons: {
    declined: "Votre banque ou votre opérateur mobile money ne l’a pas approuvé. Veuillez payer "
      + "autrement, ou leur demander pourquoi.",
    funds: "Il n’y a pas assez d’argent sur le compte pour ce paiement.",
    limit: "Le montant dépasse une limite de votre compte. Veuillez vous renseigner auprès de votre "
      + "opérateur, ou payer autrement.",
    pin: "Le code PIN n’était pas correct.",
    pinTries: "Un mauvais code PIN a été saisi trop souvent. Veuillez contacter votre banque.",
    code: "Le code à usage unique n’était pas correct, ou il est arrivé trop tard.",
    cvv: "Le code de sécurité de la carte n’était pas correct.",
    number: "Le numéro de carte n’a pas été reconnu. Veuillez le vérifier.",
    cardExpired: "La carte a expiré. Veuillez en utiliser une autre.",
    cardBlocked: "Cette carte ne peut pas être utilisée. "
      + "Veuillez contacter votre banque, ou en utiliser une autre.",
    notPermitted: "Votre banque n’autorise pas ce type de paiement avec cette carte. "
      + "Veuillez en utiliser une autre, ou demander à votre banque.",
    address: "L’adresse de facturation n’était pas celle que connaît votre banque.",
    cancelled: "Vous l’avez annulé.",
    refused: "La demande a été refusée sur le téléphone.",
    timedOut: "La demande n’a pas été approuvée à temps.",
    noWallet: "Ce numéro n’a pas de compte mobile money sur ce réseau. "
      + "Veuillez vérifier le numéro et le réseau.",
    unavailable: "Votre banque ou votre opérateur mobile money est injoignable pour le moment. "
      + "Veuillez réessayer dans quelques minutes.",
    notSent: "La demande n’a pas pu être envoyée. Veuillez réessayer.",
    shop: "La configuration de la boutique ne permet pas ce paiement. "
      + "Veuillez contacter la boutique.",
  },
  cardForm: {
    cardForm: "Données de la carte",
    number: "Numéro de carte",
    expiry: "Date d’expiration",
    expiryHint: "MM / AA",
    cvv: "Code de sécurité",
    pinForm: "Code PIN de la carte",
    pin: "Code PIN de la carte",
    confirm: "Confirmer",
    privacy: "Chiffré sur cet appareil avant d’être envoyé.",
    busy: "Chiffrement et envoi…",
    numberMissing: "Saisissez votre numéro de carte.",
    numberShort: "Ce numéro de carte est incomplet.",
    numberMistyped: "Vérifiez le numéro de carte\u00a0: un chiffre semble erroné.",
    expiryMissing: "Saisissez le mois et l’année, comme 08 / 29.",
    expiryPast: "Cette carte a expiré.",
    cvvMissing: "Saisissez les 3 chiffres au dos de la carte.",
    cvvMissingAmex: "Saisissez les 4 chiffres au recto de la carte.",
    pinMissing: "Saisissez les 4 à 6 chiffres de votre code PIN.",
    notSent: "La carte n’a pas pu être chiffrée\u00a0; rien n’a été envoyé. Veuillez réessayer.",
    unknown: "Une erreur s’est produite, et on ne sait pas encore si le paiement a abouti. Veuillez "
      + "ne pas payer à nouveau\u00a0: cette page affiche le résultat dès que nous l’avons.",
    insecure: "Le paiement par carte est désactivé\u00a0: cette page n’a pas été chargée par une "
      + "connexion sécurisée (https).",
  },
};

/** @type {CheckoutTexts} */
const KINYARWANDA = {
  title: "Ishyura {amount} kuri {merchant}",
  titleAlone: "Ishyura {amount}",
  titleOpen: "Ishyura {merchant}",
  titleOpenAlone: "Ubwishyu bwawe",
  order: "Komande {order}",
  language: "Ururimi",
  payUntil: "Igomba kwishyurwa bitarenze {date}",
  payerIs: "Ya {payer}",
  details: "Umwirondoro wawe",
  amount: "Amafaranga muri {currency}",
  amountMissing: "Andika amafaranga.",
  amountAmbiguous: "Ushaka kuvuga {more} cyangwa {less}? Yandike nta kimenyetso hagati y’ibihumbi, "
    + "kandi n’imibare ibiri inyuma y’akitso.",
  amountTooFine: "Andika amafaranga ashobora kwishyurwa: {currency} nta giceri gito kurushaho ifite.",
  amountRange: "Kuva kuri {least} kugeza kuri {most}.",
  amountLeast: "Nibura {least}.",
  amountMost: "Ntarenze {most}.",
  name: "Izina ryawe",
  nameMissing: "Andika izina ryawe.",
  contactPhone: "Nimero ya telefoni",
  contactPhoneHint: "Iyo atari iyo mu Rwanda, shyiraho kode y’igihugu.",
  contactPhoneWrong: "Andika nimero ya telefoni, nka 0788\u00a0123\u00a0456 cyangwa +254\u00a0712\u00a0345\u00a0678.",
  methods: "Urashaka kwishyura ute?",
  mobileMoney: "Mobile money",
  card: "Ikarita",
  ussd: "USSD",
  ussdHint: "Urahabwa kode yo gukanda kuri telefoni yawe.",
  ussdGo: "Erekana kode",
  bankTransfer: "Kohereza kuri banki",
  transferHint: "Urahabwa konti ya banki woherezaho amafaranga.",
  transferGo: "Erekana konti",
  otherWays: "Ubundi buryo bwo kwishyura",
  noMethod: "Iyi komande ntishobora kwishyurirwa kuri interineti. Baza iduka ubundi buryo.",
  pay: "Ishyura {amount}",
  payOpen: "Ishyura",
  sending: "Turohereza ubusabe bwawe…",
  sendingLong: "Biratinda kurusha ibisanzwe. Ntufunge iyi paji.",
  phone: "Nomero ya mobile money",
  phonePlaceholder: "0788 123 456",
  phoneHint: "Twohereza ubusabe kuri iyi telefone, ukabwemerezaho.",
  phoneWrong: "Andika nomero ya telefone yo mu Rwanda, nka 0788 123 456.",
  network: "Umuyoboro",
  networkMissing: "Hitamo umuyoboro w’iyi nomero.",
  networkUnlike: "Nomero zitangirwa na {prefix} ubusanzwe ni iza {network}. "
    + "Gumana ibyo wahisemo niba iyi nomero yarimuwe.",
  wait: "Byemeze kuri telefone yawe",
  waitWhat: "Twohereje ubusabe bwa {amount} kuri nomero ya {network} irangirwa na {phone}. "
    + "Andika PIN ya mobile money kuri iyo telefone kugira ngo wishyure.",
  waitLeft: "Igihe gisigaye cyo kwemeza:",
  waitSilence: "Turacyategereje ko wemeza. Ubusabe bushobora gutwara umunota kugera kuri telefone.",
  waitLong: "Nta kintu kiratugeraho. Telefone iraka kandi ifite rezo?",
  noPrompt: "Nta busabe nabonye",
  noPromptHelp: "Reba ko telefone yaka kandi ifite rezo, ufunge izindi menyu za mobile money. "
    + "Ushobora no kureba ubusabe butegereje kwemezwa muri menyu cyangwa porogaramu ya mobile money "
    + "y’umuyoboro wawe.",
  otherNumber: "Koresha indi nomero",
  otherNumberWhen: "Kugira ngo utishyura kabiri, indi nomero ikoreshwa ubu busabe bumaze kurangira: "
    + "bwange kuri telefone, cyangwa utegereze {left}.",
  networkPage: "Emeza kuri paji y’umuyoboro wanjye",
  promptOver: "Igihe cy’ubusabe cyarangiye",
  promptOverWhat: "Nk’uko tubizi, ntibwemejwe ku gihe. Niba wabwemeje, tegereza gato: iyi paji "
    + "irabyerekana tukibimenya. Turongera kugenzura mbere yo kohereza ubusabe bushya.",
  sendAgain: "Ohereza ubusabe bushya",
  pinTitle: "Andika PIN y’ikarita yawe",
  pinWhat: "Banki yawe irasaba PIN y’iyi karita.",
  otpTitle: "Andika kode wahawe na banki",
  otpWhat: "Banki yawe yakoherereje kode ikoreshwa rimwe, mu butumwa bugufi cyangwa muri porogaramu "
    + "yayo.",
  otp: "Kode ikoreshwa rimwe",
  otpWrong: "Andika kode uko wayibonye: imibare cyangwa inyuguti 3 kugeza kuri 12.",
  confirm: "Emeza",
  checking: "Turabaza banki yawe…",
  addressTitle: "Aderesi y’ikarita",
  addressWhat: "Banki yawe iyigereranya n’iyo ifite.",
  line1: "Aderesi",
  line1Missing: "Andika aderesi.",
  line2: "Inzu, igorofa (si ngombwa)",
  city: "Umujyi (si ngombwa)",
  state: "Intara (si ngombwa)",
  postalCode: "Kode y’iposita (si ngombwa)",
  country: "Igihugu",
  countryMissing: "Hitamo igihugu.",
  redirectTitle: "Emeza kuri banki yawe",
  redirectWhat: "Banki yawe irasaba ko wemeza ubu bwishyu kuri paji yayo. Nyuma uragaruka hano.",
  redirectGo: "Jya kuri paji ya banki yanjye",
  redirectBack: "Turabaza banki yawe",
  redirectBackWhat: "Niba utaremeza ubwishyu, ongera ufungure paji ya banki yawe.",
  otherWay: "Ishyura mu bundi buryo",
  dialTitle: "Kanda iyi kode",
  dialWhat: "Yikande kuri telefoni yawe ukurikize amabwiriza wishyure {amount}. Iyi paji irerekana "
    + "igihe byishyuwe.",
  dialCode: "Kode",
  dialGo: "Yikande kuri iyi telefoni",
  transferTitle: "Ohereza amafaranga",
  transferWhat: "Ohereza {amount} kuri iyi konti kandi wandike indango uko iri. Iyi paji irerekana "
    + "igihe amafaranga ageze.",
  transferBank: "Banki",
  transferName: "Izina rya konti",
  transferNumber: "Nimero ya konti",
  copy: "Koporora",
  copied: "Byakoporowe",
  simulated: "Ibi ni igerageza: iyi kode cyangwa konti ntibibaho, kandi nta mafaranga yimuka.",
  doubt: "Turagenzura ubwishyu bwawe",
  doubtWhat: "Ntituramenya niba ubu bwishyu bwagenze neza. Ntiwongere kwishyura: iyi paji irerekana "
    + "ibisubizo tukibibona.",
  doubtOverWhat: "Nta gisubizo turabona, kandi nk’uko tubizi nta mafaranga yakuweho. Ushobora "
    + "kongera kwishyura: niba ubwishyu bwombi bugenze neza, iduka rirabibona rikagusubiza bumwe.",
  held: "Iduka riragenzura ubwishyu bwawe",
  heldWhat: "Ibyageze ku iduka ntibihuye n’iyi komande; umuntu wo mu iduka arabireba. "
    + "Ntiwongere kwishyura.",
  paid: "Ubwishyu bwagenze neza",
  paidWhat: "Murakoze. Wishyuye {amount}.",
  receipt: "Inyemezabwishyu",
  receiptAmount: "Amafaranga",
  receiptMerchant: "Yishyuwe",
  receiptDate: "Itariki",
  receiptMethod: "Uburyo",
  receiptReference: "Indango",
  referenceIs: "Indango: {reference}",
  receiptOrder: "Komande",
  receiptPayer: "Uwishyuye",
  print: "Capa inyemezabwishyu",
  backToShop: "Subira ku iduka",
  backSoon: "Turagusubiza mu iduka mu {left}.",
  stay: "Guma kuri iyi paji",
  declined: "Ubwishyu ntibwakozwe",
  noMoney: "Nta mafaranga yakuweho.",
  tryAgain: "Ongera ugerageze",
  expired: "Igihe cyo kwishyura cyarangiye",
  expiredWhat: "Iyi komande ntigishobora kwishyurwa. Subira ku iduka wongere utumize.",
  cancelled: "Iyi komande yarahagaritswe",
  cancelledWhat: "Ntigishobora kwishyurwa. Niba ukibishaka, ongera utumize.",
  cancelledPending: "Hashobora kuba hakiri ubusabe kuri telefone yawe. Bwange. Niba bwemejwe, "
    + "vugana n’iduka risubize amafaranga.",
  cancel: "Hagarika komande",
  cancelAsk: "Guhagarika iyi komande?",
  cancelWhat: "Nyuma ntuzashobora kuyishyura.",
  cancelYes: "Yego, yihagarike",
  cancelNo: "Oya, yigumane",
  loading: "Turashaka komande yawe…",
  lost: "Nta murongo wa interineti. Komande yawe irabitswe, kandi nta cyishyurwa kabiri. "
    + "Turongera kugerageza…",
  lostSending: "Interineti yavuyeho ubusabe bwawe bwoherezwa; bushobora kuba bwageze. "
    + "Ntufunge iyi paji: turagenzura interineti igarutse.",
  back: "Interineti yagarutse.",
  notArrived: "Ubusabe bwawe busa n’ubutageze: nta mafaranga arakurwaho kugeza ubu. "
    + "Ongera ugerageze. Ntushobora kwishyura kabiri.",
  stepOver: "Iyi ntambwe yarakozwe. Dore aho ubwishyu bwawe bugeze.",
  tooMany: "Wagerageje inshuro nyinshi. Nta mafaranga yakuweho. Ongera ugerageze nyuma ya {left}.",
  tooManyForOrder: "Iyi komande yageragejwe inshuro zose zemewe. Nta mafaranga yakuweho ubu. "
    + "Baza iduka ubundi buryo bwo kwishyura.",
  unavailable: "Sisitemu y’iduka irahuze. Nta mafaranga yakuweho. Ongera ugerageze mu kanya.",
  shopFault: "Iduka ntirishobora kwakira ubu bwishyu ubu. Nta mafaranga yakuweho. "
    + "Ongera ugerageze nyuma, cyangwa uvugane n’iduka.",
  invalid: "Hari icyo wanditse kitemewe. Nta mafaranga yakuweho. Bisuzume wongere ugerageze.",
  minutes: "imin. {minutes}",
  seconds: "amas. {seconds}",
  refusals: {
    unknown_order: {
      title: "Iyi komande ntibonetse",
      what: "Iyi paji ishobora kuba ishaje, cyangwa aderesi yayo ituzuye. "
        + "Subira ku iduka wongere uyifungure.",
    },
  },
  reasons: {
    declined: "Banki cyangwa umuyoboro wawe wa mobile money ntiwabyemeje. Koresha ubundi buryo, "
      + "cyangwa ubabaze impamvu.",
    funds: "Nta mafaranga ahagije ari kuri konti.",
    limit: "Amafaranga arenze ayo konti yawe yemerewe. Baza umuyoboro wawe, cyangwa ukoreshe ubundi "
      + "buryo.",
    pin: "PIN ntabwo ari yo.",
    pinTries: "PIN itari yo yanditswe inshuro nyinshi. Vugana na banki yawe.",
    code: "Kode ikoreshwa rimwe si yo, cyangwa yatinze.",
    cvv: "Kode y’umutekano y’ikarita si yo.",
    number: "Nomero y’ikarita ntiyamenyekanye. Yisuzume.",
    cardExpired: "Igihe cy’ikarita cyarangiye. Koresha indi.",
    cardBlocked: "Iyi karita ntishobora gukoreshwa. Vugana na banki yawe, cyangwa ukoreshe indi.",
    notPermitted: "Banki yawe ntiyemera ubu bwishyu kuri iyi karita. "
      + "Koresha indi, cyangwa ubaze banki yawe.",
    address: "Aderesi ntihuye n’iyo banki yawe ifite.",
    cancelled: "Warabihagaritse.",
    refused: "Ubusabe bwangiwe kuri telefone.",
    timedOut: "Ubusabe ntibwemejwe ku gihe.",
    noWallet: "Iyi nomero nta konti ya mobile money ifite kuri uyu muyoboro. "
      + "Suzuma nomero n’umuyoboro.",
    unavailable: "Banki cyangwa umuyoboro wawe wa mobile money ntibiboneka ubu. "
      + "Ongera ugerageze mu minota mike.",
    notSent: "Ubusabe ntibwoherejwe. Ongera ugerageze.",
    shop: "Igenamiterere ry’iduka ntiryemera ubu bwishyu. Vugana n’iduka.",
  },
  cardForm: {
    cardForm: "Ibiranga ikarita",
    number: "Nomero y’ikarita",
    expiry: "Itariki irangiriraho",
    expiryHint: "MM / YY",
    cvv: "Kode y’umutekano",
    pinForm: "PIN y’ikarita",
    pin: "PIN y’ikarita",
    confirm: "Emeza",
    privacy: "Bihishwa kuri iki gikoresho mbere yo koherezwa.",
    busy: "Turahisha tunohereza…",
    numberMissing: "Andika nomero y’ikarita yawe.",
    numberShort: "Iyi nomero y’ikarita ntiyuzuye.",
    numberMistyped: "Suzuma nomero y’ikarita: umwe mu mibare usa n’aho atari wo.",
    expiryMissing: "Andika ukwezi n’umwaka, nka 08 / 29.",
    expiryPast: "Igihe cy’iyi karita cyarangiye.",
    cvvMissing: "Andika imibare 3 iri inyuma y’ikarita.",
    cvvMissingAmex: "Andika imibare 4 iri imbere ku ikarita.",
    pinMissing: "Andika imibare 4 kugeza kuri 6 ya PIN yawe.",
    notSent: "Ikarita ntiyashoboye guhishwa, nta cyoherejwe. Ongera ugerageze.",
    unknown: "Hari ikitagenze neza, kandi ntibiramenyekana niba ubwishyu bwagenze neza. "
      + "Ntiwongere kwishyura: iyi paji irerekana ibisubizo tukibibona.",
    insecure: "Kwishyura n’ikarita byafunzwe: iyi paji ntiyafunguwe mu buryo bwizewe (https).",
  },
};

/** @type {CheckoutTexts} */
const SWAHILI = {
  title: "Lipa {amount} kwa {merchant}",
  titleAlone: "Lipa {amount}",
  titleOpen: "Lipa {merchant}",
  titleOpenAlone: "Malipo yako",
  order: "Oda {order}",
  language: "Lugha",
  payUntil: "Ilipwe kabla ya {date}",
  payerIs: "Kwa {payer}",
  details: "Taarifa zako",
  amount: "Kiasi kwa {currency}",
  amountMissing: "Andika kiasi.",
  amountAmbiguous: "Unamaanisha {more} au {less}? Kiandike bila alama kati ya maelfu, "
    + "na kwa desimali mbili.",
  amountTooFine: "Andika kiasi kinachoweza kulipwa: {currency} haina sarafu ndogo zaidi.",
  amountRange: "Kuanzia {least} hadi {most}.",
  amountLeast: "Angalau {least}.",
  amountMost: "Isizidi {most}.",
  name: "Jina lako",
  nameMissing: "Andika jina lako.",
  contactPhone: "Nambari ya simu",
  contactPhoneHint: "Nje ya Rwanda, pamoja na msimbo wa nchi.",
  contactPhoneWrong: "Andika nambari ya simu, kama 0788\u00a0123\u00a0456 au +254\u00a0712\u00a0345\u00a0678.",
  methods: "Ungependa kulipa vipi?",
  mobileMoney: "Pesa kwa simu",
  card: "Kadi",
  ussd: "USSD",
  ussdHint: "Utapata msimbo wa kupiga kwenye simu yako.",
  ussdGo: "Onyesha msimbo",
  bankTransfer: "Uhamisho wa benki",
  transferHint: "Utapata akaunti ya benki ya kutuma pesa.",
  transferGo: "Onyesha akaunti",
  otherWays: "Njia nyingine za kulipa",
  noMethod: "Oda hii haiwezi kulipwa mtandaoni. Tafadhali uliza duka njia nyingine.",
  pay: "Lipa {amount}",
  payOpen: "Lipa",
  sending: "Tunatuma ombi lako…",
  sendingLong: "Inachukua muda zaidi ya kawaida. Tafadhali usifunge ukurasa huu.",
  phone: "Nambari ya pesa kwa simu",
  phonePlaceholder: "0788 123 456",
  phoneHint: "Tunatuma ombi kwa simu hii, nawe unaliidhinisha huko.",
  phoneWrong: "Andika nambari ya simu ya Rwanda, kama 0788 123 456.",
  network: "Mtandao",
  networkMissing: "Chagua mtandao wa nambari hii.",
  networkUnlike: "Nambari zinazoanza na {prefix} kwa kawaida ni za {network}. "
    + "Acha ulivyochagua ikiwa nambari hii imehamishwa.",
  wait: "Idhinisha kwenye simu yako",
  waitWhat: "Tumetuma ombi la {amount} kwa nambari ya {network} inayoishia na {phone}. "
    + "Weka PIN yako ya pesa kwa simu kwenye simu hiyo ili kulipa.",
  waitLeft: "Muda uliobaki wa kuidhinisha:",
  waitSilence: "Bado tunasubiri idhini yako. Ombi linaweza kuchukua dakika moja kufika kwenye simu.",
  waitLong: "Hakuna kilichofika bado. Je, simu imewashwa na ina mtandao?",
  noPrompt: "Sikupata ombi",
  noPromptHelp: "Hakikisha simu imewashwa na ina mtandao, na ufunge menyu nyingine za pesa kwa simu. "
    + "Unaweza pia kutafuta maombi yanayosubiri idhini katika menyu au programu ya pesa ya mtandao "
    + "wako.",
  otherNumber: "Tumia nambari nyingine",
  otherNumberWhen: "Ili usilipe mara mbili kamwe, nambari nyingine inaweza kutumika ombi hili "
    + "likiisha: likatae kwenye simu, au subiri {left}.",
  networkPage: "Idhinisha kwenye ukurasa wa mtandao wangu",
  promptOver: "Muda wa ombi umeisha",
  promptOverWhat: "Kwa tunavyojua, halikuidhinishwa kwa wakati. Ikiwa uliidhinisha, subiri kidogo: "
    + "ukurasa huu utaonyesha mara tu tutakapojua. Tunaangalia tena kabla ya kutuma ombi jipya.",
  sendAgain: "Tuma ombi jipya",
  pinTitle: "Weka PIN ya kadi yako",
  pinWhat: "Benki yako inaomba PIN ya kadi hii.",
  otpTitle: "Weka nambari ya siri kutoka benki",
  otpWhat: "Benki yako imekutumia nambari ya siri ya kutumia mara moja, kwa SMS au katika programu "
    + "yake.",
  otp: "Nambari ya siri ya mara moja",
  otpWrong: "Andika nambari kama ulivyoipata: tarakimu au herufi 3 hadi 12.",
  confirm: "Thibitisha",
  checking: "Tunawasiliana na benki yako…",
  addressTitle: "Anwani ya kadi",
  addressWhat: "Benki yako inailinganisha na anwani iliyo nayo.",
  line1: "Anwani",
  line1Missing: "Andika anwani.",
  line2: "Nyumba, jengo (si lazima)",
  city: "Mji (si lazima)",
  state: "Mkoa au jimbo (si lazima)",
  postalCode: "Msimbo wa posta (si lazima)",
  country: "Nchi au eneo",
  countryMissing: "Chagua nchi.",
  redirectTitle: "Thibitisha kwa benki yako",
  redirectWhat: "Benki yako inakuomba uthibitishe malipo haya kwenye ukurasa wake. "
    + "Kisha utarudi hapa.",
  redirectGo: "Nenda kwenye ukurasa wa benki yangu",
  redirectBack: "Tunawasiliana na benki yako",
  redirectBackWhat: "Ikiwa hujathibitisha malipo, fungua tena ukurasa wa benki yako.",
  otherWay: "Lipa kwa njia nyingine",
  dialTitle: "Piga msimbo huu",
  dialWhat: "Upige kwenye simu yako na ufuate menyu kulipa {amount}. Ukurasa huu utaonyesha "
    + "yakishalipwa.",
  dialCode: "Msimbo",
  dialGo: "Piga kwenye simu hii",
  transferTitle: "Tuma pesa",
  transferWhat: "Hamisha {amount} kwenye akaunti hii na uandike kumbukumbu kama ilivyo. Ukurasa huu "
    + "utaonyesha pesa zikifika.",
  transferBank: "Benki",
  transferName: "Jina la akaunti",
  transferNumber: "Nambari ya akaunti",
  copy: "Nakili",
  copied: "Imenakiliwa",
  simulated: "Hili ni jaribio: msimbo au akaunti hii haipo, na hakuna pesa inayohama.",
  doubt: "Tunakagua malipo yako",
  doubtWhat: "Bado hatujui kama malipo haya yamefanikiwa. Tafadhali usilipe tena: ukurasa huu "
    + "utaonyesha matokeo mara tu tutakapoyapata.",
  doubtOverWhat: "Bado hatuna jibu, na kwa tunavyojua hakuna pesa iliyotolewa. Unaweza kulipa tena: "
    + "malipo yote mawili yakifanikiwa, duka litaona na kurudisha moja.",
  held: "Duka linakagua malipo yako",
  heldWhat: "Kilichofika hakilingani na oda hii, kwa hiyo mtu wa dukani anakiangalia. "
    + "Tafadhali usilipe tena.",
  paid: "Malipo yamekamilika",
  paidWhat: "Asante. Umelipa {amount}.",
  receipt: "Risiti",
  receiptAmount: "Kiasi",
  receiptMerchant: "Amelipwa",
  receiptDate: "Tarehe",
  receiptMethod: "Njia",
  receiptReference: "Kumbukumbu",
  referenceIs: "Kumbukumbu: {reference}",
  receiptOrder: "Oda",
  receiptPayer: "Mlipaji",
  print: "Chapisha risiti",
  backToShop: "Rudi dukani",
  backSoon: "Tutakurudisha dukani baada ya {left}.",
  stay: "Baki kwenye ukurasa huu",
  declined: "Malipo hayakufanyika",
  noMoney: "Hakuna pesa iliyotolewa.",
  tryAgain: "Jaribu tena",
  expired: "Muda wa kulipa umeisha",
  expiredWhat: "Oda hii haiwezi kulipwa tena. Tafadhali rudi dukani uagize tena.",
  cancelled: "Oda hii imefutwa",
  cancelledWhat: "Haiwezi kulipwa tena. Ikiwa bado unataka kununua, agiza tena.",
  cancelledPending: "Huenda ombi bado liko kwenye simu yako. Tafadhali likatae huko. Likiidhinishwa "
    + "hata hivyo, wasiliana na duka urudishiwe pesa.",
  cancel: "Futa oda",
  cancelAsk: "Ufute oda hii?",
  cancelWhat: "Hutaweza kuilipa baadaye.",
  cancelYes: "Ndiyo, ifute",
  cancelNo: "Hapana, iache",
  loading: "Tunapakia oda yako…",
  lost: "Muunganisho umekatika. Oda yako iko salama, na hakuna kinacholipwa mara mbili. "
    + "Tunajaribu tena…",
  lostSending: "Muunganisho ulikatika ombi lako likitumwa, kwa hiyo huenda limefika. "
    + "Tafadhali usifunge ukurasa huu: tutaangalia muunganisho ukirudi.",
  back: "Muunganisho umerudi.",
  notArrived: "Inaonekana ombi lako halikufika: hakuna pesa iliyotolewa hadi sasa. "
    + "Tafadhali jaribu tena. Huwezi kulipa mara mbili.",
  stepOver: "Hatua hii imeshafanyika. Hii ndiyo hali ya malipo yako.",
  tooMany: "Umejaribu mara nyingi. Hakuna pesa iliyotolewa. Tafadhali jaribu tena baada ya {left}.",
  tooManyForOrder: "Oda hii imejaribiwa mara zote zinazoruhusiwa. Hakuna pesa iliyotolewa safari "
    + "hii. Tafadhali uliza duka njia nyingine ya kulipa.",
  unavailable: "Mfumo wa duka una shughuli nyingi. Hakuna pesa iliyotolewa. "
    + "Tafadhali jaribu tena baada ya muda mfupi.",
  shopFault: "Duka haliwezi kupokea malipo haya kwa sasa. Hakuna pesa iliyotolewa. "
    + "Tafadhali jaribu baadaye, au wasiliana na duka.",
  invalid: "Kitu fulani ulichoandika hakikukubaliwa. Hakuna pesa iliyotolewa. "
    + "Tafadhali kikague na ujaribu tena.",
  minutes: "dak. {minutes}",
  seconds: "sek. {seconds}",
  refusals: {
    unknown_order: {
      title: "Oda hii haikupatikana",
      what: "Huenda ukurasa ni wa zamani, au anwani yake haijakamilika. "
        + "Tafadhali rudi dukani uufungue tena.",
    },
  },
  reasons: {
    declined: "Benki yako au mtoa huduma wa pesa kwa simu hakuidhinisha. Tafadhali tumia njia "
      + "nyingine, au uwaulize sababu.",
    funds: "Hakuna pesa za kutosha kwenye akaunti kwa malipo haya.",
    limit: "Kiasi kinazidi kikomo cha akaunti yako. Tafadhali uliza mtoa huduma, au tumia njia "
      + "nyingine.",
    pin: "PIN haikuwa sahihi.",
    pinTries: "PIN isiyo sahihi iliwekwa mara nyingi. Tafadhali wasiliana na benki yako.",
    code: "Nambari ya siri ya mara moja haikuwa sahihi, au ilichelewa.",
    cvv: "Nambari ya usalama ya kadi haikuwa sahihi.",
    number: "Nambari ya kadi haikutambuliwa. Tafadhali ikague.",
    cardExpired: "Muda wa kadi umeisha. Tafadhali tumia nyingine.",
    cardBlocked: "Kadi hii haiwezi kutumika. Tafadhali wasiliana na benki yako, au tumia nyingine.",
    notPermitted: "Benki yako hairuhusu malipo ya aina hii kwa kadi hii. "
      + "Tafadhali tumia nyingine, au uliza benki yako.",
    address: "Anwani haikuwa ile iliyo na benki yako.",
    cancelled: "Umeghairi.",
    refused: "Ombi lilikataliwa kwenye simu.",
    timedOut: "Ombi halikuidhinishwa kwa wakati.",
    noWallet: "Nambari hii haina akaunti ya pesa kwenye mtandao huu. "
      + "Tafadhali kagua nambari na mtandao.",
    unavailable: "Benki yako au mtoa huduma wa pesa kwa simu hapatikani kwa sasa. "
      + "Tafadhali jaribu tena baada ya dakika chache.",
    notSent: "Ombi halikuweza kutumwa. Tafadhali jaribu tena.",
    shop: "Mpangilio wa duka hauruhusu malipo haya. Tafadhali wasiliana na duka.",
  },
  cardForm: {
    cardForm: "Taarifa za kadi",
    number: "Nambari ya kadi",
    expiry: "Tarehe ya mwisho",
    expiryHint: "MM / YY",
    cvv: "Nambari ya usalama",
    pinForm: "PIN ya kadi",
    pin: "PIN ya kadi",
    confirm: "Thibitisha",
    privacy: "Inafichwa kwenye kifaa hiki kabla ya kutumwa.",
    busy: "Tunaficha na kutuma…",
    numberMissing: "Andika nambari ya kadi yako.",
    numberShort: "Nambari hii ya kadi haijakamilika.",
    numberMistyped: "Kagua nambari ya kadi: tarakimu moja inaonekana si sahihi.",
    expiryMissing: "Andika mwezi na mwaka, kama 08 / 29.",
    expiryPast: "Muda wa kadi hii umeisha.",
    cvvMissing: "Andika tarakimu 3 zilizo nyuma ya kadi.",
    cvvMissingAmex: "Andika tarakimu 4 zilizo mbele ya kadi.",
    pinMissing: "Andika tarakimu 4 hadi 6 za PIN yako.",
    notSent: "Kadi haikuweza kufichwa, kwa hiyo hakuna kilichotumwa. Tafadhali jaribu tena.",
    unknown: "Hitilafu imetokea, na bado haijulikani kama malipo yamefanikiwa. "
      + "Tafadhali usilipe tena: ukurasa huu utaonyesha matokeo mara tu tutakapoyapata.",
    insecure: "Malipo kwa kadi yamezimwa: ukurasa huu haukufunguliwa kwa muunganisho salama (https).",
  },
};

/** @type {Record<Language, Catalogue>} */
export const CATALOGUES = {
  en: {
    name: "English",
    dir: "ltr",
    isReviewed: true,
    numbers: ["en"],
    dates: ["en-GB"],
    texts: ENGLISH,
  },
  fr: {
    name: "Français",
    dir: "ltr",
    isReviewed: false,
    numbers: ["fr"],
    dates: ["fr"],
    texts: FRENCH,
  },
  rw: {
    name: "Ikinyarwanda",
    dir: "ltr",
    isReviewed: false,
    // Written as people in Rwanda write amounts; not all browsers know the language.
    numbers: ["en"],
    dates: ["rw", "en-GB"],
    texts: KINYARWANDA,
  },
  sw: {
    name: "Kiswahili",
    dir: "ltr",
    isReviewed: false,
    numbers: ["sw", "en"],
    dates: ["sw", "en-GB"],
    texts: SWAHILI,
  },
};

/**
 * The language of a page: the one that was asked for, else the payer's first that there is.
 * @param {readonly string[]} asked BCP 47 tags, dearest first.
 * @returns {Language}
 */
export function languageOf(asked) {
  for (const tag of asked) {
    const language = tag.toLowerCase().split("-")[0];
    if (Object.hasOwn(CATALOGUES, language)) return /** @type {Language} */ (language);
  }
  return "en";
}

/**
 * The texts of a language with the shop's own in their place.
 * @param {Language} language
 * @param {PartialTexts} [own]
 * @returns {CheckoutTexts}
 *
 * @typedef {Partial<Omit<CheckoutTexts, "reasons" | "refusals" | "cardForm">> & {
 *   reasons?: Partial<CheckoutTexts["reasons"]>,
 *   refusals?: Record<string, Refusal>,
 *   cardForm?: Partial<CheckoutTexts["cardForm"]> }} PartialTexts
 */
export function textsOf(language, own = {}) {
  const { texts } = CATALOGUES[language];
  return {
    ...texts,
    ...own,
    reasons: { ...texts.reasons, ...own.reasons },
    refusals: { ...texts.refusals, ...own.refusals },
    cardForm: { ...texts.cardForm, ...own.cardForm },
  };
}

// --- why a payment was declined -------------------------------------------------------------

/** @typedef {keyof CheckoutTexts["reasons"]} Reason */

/** Response codes of issuers (ISO 8583, field 39). @type {Record<string, Reason>} */
const ISSUER_CODES = {
  "03": "shop",
  "06": "unavailable",
  12: "notPermitted",
  13: "limit",
  14: "number",
  15: "number",
  19: "unavailable",
  36: "cardBlocked",
  41: "cardBlocked",
  43: "cardBlocked",
  51: "funds",
  54: "cardExpired",
  55: "pin",
  57: "notPermitted",
  58: "notPermitted",
  61: "limit",
  62: "cardBlocked",
  // "Security violation": what the payer can mend of it is the code.
  63: "code",
  65: "limit",
  75: "pinTries",
  78: "cardBlocked",
  82: "cvv",
  91: "unavailable",
  96: "unavailable",
  N7: "cvv",
};

/** What networks and issuers write, first match first. @type {[RegExp, Reason][]} */
const WORDS = [
  [/insufficient|not enough|low balance|no funds/, "funds"],
  [/expired card|card (has |is )?expired/, "cardExpired"],
  [/pin.*(tries|attempts|exceeded|blocked)/, "pinTries"],
  [/\b(incorrect|invalid|wrong) pin\b/, "pin"],
  [/\b(otp|one.time|3ds|3-d secure)\b/, "code"],
  [/\b(cvv|cvc|cvv2|security code)\b/, "cvv"],
  [/\bavs\b|billing address|address mismatch/, "address"],
  [/limit/, "limit"],
  [/time.?out|timed out|expired|no response from (the )?(customer|payer)/, "timedOut"],
  [/(customer|payer|user|subscriber).*(reject|cancel|declin|refus|denied)/, "refused"],
  [/(reject|cancel|declin|refus|denied).*by (the )?(customer|payer|user|subscriber)/, "refused"],
  [/not (registered|found)|unknown (subscriber|payer|wallet)|no (such )?(wallet|account)/, "noWallet"],
  [/invalid (card )?number|invalid card|no such card/, "number"],
  [/(lost|stolen|blocked|restricted|inactive).*card|card.*(lost|stolen|blocked|restricted)/, "cardBlocked"],
  [/not permitted|not allowed|unsupported/, "notPermitted"],
  [/unavailable|inoperative|system (error|malfunction)|try again later/, "unavailable"],
];

/**
 * Return the text's name for a reason that the server gives: a code or the words of a network.
 * @param {string | null} code
 * @returns {Reason}
 */
export function reasonOf(code) {
  if (code === null) return "declined";
  const plain = code.trim();
  if (plain === "not_sent") return "notSent";
  if (plain === "cancelled") return "cancelled";
  if (plain.startsWith("rejected")) return "shop";
  const byCode = ISSUER_CODES[/^[0-9]$/.test(plain) ? `0${plain}` : plain.toUpperCase()];
  if (byCode) return byCode;
  const words = plain.toLowerCase();
  return WORDS.find(([pattern]) => pattern.test(words))?.[1] ?? "declined";
}
