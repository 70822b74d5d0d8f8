import type { Words } from '../words.ts';

export const es: Words = {
  language: 'Español',
  switchLanguage: 'Idioma',
  pageTitle: 'Remisión',
  errorTitle: (title) => `Problema: ${title}`,
  notices: {
    'link-unknown': {
      title: 'Este enlace no funciona',
      text: 'Es posible que falte una parte del enlace. Ábralo otra vez desde el mensaje o cópielo completo. Si sigue sin funcionar, pida uno nuevo a la agencia que lo envió.',
    },
    'link-expired': {
      title: 'Este enlace ha caducado',
      text: 'Los enlaces funcionan por un tiempo limitado. Pida uno nuevo a la agencia que lo envió.',
    },
    'link-revoked': {
      title: 'Este enlace fue retirado',
      text: 'La agencia que lo envió ha retirado este enlace. Pida uno nuevo si todavía lo necesita.',
    },
    'referral-gone': {
      title: 'Esta remisión ya no está abierta para usted',
      text: 'Fue retirada o se dio a otra organización. Aquí no le queda nada por hacer.',
    },
    'form-foreign': {
      title: 'No se envió nada',
      text: 'Este formulario estuvo abierto demasiado tiempo o no vino de esta página. Vuelva a la remisión e inténtelo otra vez.',
    },
    'form-too-long': {
      title: 'No se envió nada',
      text: 'Este texto es demasiado largo. Vuelva atrás en su navegador y redúzcalo a 4.000 caracteres, o abra la remisión otra vez.',
    },
    'too-many': { title: 'Demasiadas solicitudes', text: 'Espere unos minutos e inténtelo otra vez.' },
    'signed-out': { title: 'Ha cerrado la sesión', text: 'Use el enlace de su mensaje para volver.' },
    failed: {
      title: 'Algo falló de nuestro lado',
      text: 'No se cambió nada. Inténtelo otra vez en unos minutos.',
    },
  },

  gate: {
    title: 'Abrir una remisión',
    intro:
      'Para proteger a la persona, el enlace por sí solo no abre nada. Enviamos un código de un solo uso a la dirección que nos dio su organización.',
    sendTo: (address) => `El código se envía a ${address}.`,
    send: 'Enviarme un código',
    sendAnother: 'Enviarme otro código',
    sent: (address, minutes) => `Un código va en camino a ${address}. Funciona durante ${minutes} minutos.`,
    sentBefore:
      'Se envió un código hace un momento. Búsquelo, también en el correo no deseado, antes de pedir otro en unos minutos.',
    notSent: 'No se pudo enviar el código. Inténtelo otra vez en un minuto.',
    name: 'Su nombre',
    nameHint: 'La agencia ve quién ha respondido.',
    code: 'Código',
    codeHint: 'Seis dígitos, del mensaje que le enviamos.',
    open: 'Abrir la remisión',
    wrong: (left) =>
      `Este no es el código que enviamos. ${left === 1 ? 'Queda un intento' : `Quedan ${left} intentos`} antes de que el enlace se bloquee por un tiempo.`,
    none: 'Este código ha caducado o ya se usó. Pida uno nuevo.',
    locked:
      'Hubo demasiados códigos equivocados y este enlace está bloqueado por un tiempo. Vuelva más tarde y pida un código nuevo.',
    signInFirst: 'Su sesión se cerró porque pasó un tiempo sin actividad. No se envió nada. Entre otra vez.',
    cookies:
      'Esta página necesita cookies para saber que usted ha entrado. Permita las cookies de este sitio e inténtelo otra vez.',
  },

  signedInAs: (name) => `Ha entrado como ${name}`,
  signOut: 'Cerrar la sesión',
  timeout: 'La sesión se cierra después de 30 minutos sin actividad.',
  backToReferral: 'Ir a la remisión',

  status: {
    draft: 'En preparación',
    requested: 'Espera su respuesta',
    received: 'Espera su respuesta',
    accepted: 'Aceptada',
    rejected: 'Rechazada',
    ready: 'Aceptada',
    cancelled: 'Cancelada',
    'in-progress': 'En curso',
    'on-hold': 'En pausa',
    failed: 'Terminó sin el servicio',
    completed: 'Completada',
    'entered-in-error': 'Retirada: fue un error',
  },
  waitlisted: 'En su lista de espera',
  cancelAsked:
    'La agencia le pide que deje de trabajar en esta remisión. Diga que ha dejado de trabajar en ella o cómo terminó.',
  headings: {
    asked: 'Qué se pide',
    who: 'Para quién es',
    byWhen: 'Para cuándo',
    actions: 'Qué puede hacer',
    appointments: 'Citas',
    history: 'Qué ha pasado',
    problem: 'Hay un problema',
    done: 'Hecho',
    changed: 'Algo ha cambiado',
  },
  labels: {
    service: 'Servicio',
    urgency: 'Urgencia',
    why: 'Por qué',
    needs: 'Necesidades',
    goals: 'Metas',
    period: 'Se necesita',
    from: 'Se pidió el',
    requester: 'Lo pide',
    name: 'Nombre',
    birthDate: 'Nacimiento',
    phone: 'Teléfono',
    speaks: 'Habla',
    state: 'Estado',
    reason: 'Motivo',
  },
  noContact: 'No se comunique con esta persona. Pregunte a la agencia cómo hacerlo.',
  part2: 'La parte 2 del título 42 del CFR prohíbe el uso o la divulgación no autorizados de estos expedientes.',
  phoneWithheld: 'Pregunte a la agencia.',
  unknown: 'No se sabe',
  urgency: {
    routine: 'Normal',
    urgent: 'Urgente',
    asap: 'Lo antes posible',
    stat: 'Emergencia: de inmediato',
  },
  timesIn: (zone) => `Zona horaria: ${zone}.`,
  period: (from, by) =>
    [from === undefined ? undefined : `desde el ${from}`, by === undefined ? undefined : `hasta el ${by}`]
      .filter((part) => part !== undefined)
      .join(' '),
  clocks: {
    'referral-follow-up-48h': 'Su respuesta',
    'first-contact-72h': 'Primer contacto con la persona',
    'cancel-answer-48h': 'Su respuesta a la petición de parar',
  },
  clockStates: {
    running: (due) => (due === undefined ? 'en espera' : `antes del ${due}`),
    'due-soon': (due) => (due === undefined ? 'pronto' : `pronto: antes del ${due}`),
    breached: (due) => (due === undefined ? 'con retraso' : `con retraso desde el ${due}`),
    met: () => 'hecho',
  },

  actionTitles: {
    accept: 'Aceptar',
    decline: 'Rechazar',
    start: 'Empezar el trabajo',
    hold: 'Poner en pausa',
    finish: 'Terminar: diga cómo terminó',
    stop: 'Parar, como se pide',
    contact: 'Anotar un contacto con la persona',
    propose: 'Proponer o fijar una cita',
    confirm: 'Confirmar',
    comment: 'Escribir a la agencia',
  },
  actionButtons: {
    accept: 'Aceptar esta remisión',
    decline: 'Rechazar esta remisión',
    start: 'Hemos empezado',
    hold: 'Poner en pausa',
    finish: 'Terminar esta remisión',
    stop: 'Hemos parado',
    contact: 'Anotar este contacto',
    propose: 'Enviar esta cita',
    confirm: 'Confirmar esta cita',
    comment: 'Enviar este comentario',
  },
  bookOwn: 'El cliente está de acuerdo: fijarla',
  actionHints: {
    accept: 'Usted se hace cargo de esta remisión y después se comunica con la persona.',
    decline: 'La agencia conoce el motivo y puede buscar ayuda en otro lugar.',
    comment: 'La agencia lo lee. Queda en el expediente.',
  },
  done: {
    accept: 'Ha aceptado esta remisión.',
    decline: 'Ha rechazado esta remisión.',
    start: 'El trabajo ha empezado.',
    hold: 'La remisión está en pausa.',
    finish: 'La remisión ha terminado. Gracias.',
    stop: 'La agencia sabe que ha parado.',
    contact: 'El contacto está anotado.',
    propose: 'La cita fue enviada.',
    confirm: 'La cita está confirmada.',
    comment: 'Su comentario fue enviado.',
  },
  fields: {
    declineReason: 'Motivo',
    details: 'Detalles',
    detailsOptional: 'Detalles (opcional)',
    holdReason: '¿Por qué está en pausa?',
    outcome: '¿Cómo terminó?',
    when: (zone) => `Fecha y hora (${zone})`,
    mode: 'Cómo',
    contactOutcome: 'Qué resultó',
    minutes: 'Duración en minutos',
    place: 'Lugar (opcional)',
    agreement: '¿Está acordada con la persona?',
    comment: 'Comentario',
    choose: 'Elija una opción',
  },
  declineReasons: {
    'no-capacity': 'No tenemos cupo',
    ineligible: 'La persona no cumple los requisitos',
    'out-of-area': 'Fuera de nuestra zona',
    duplicate: 'Ya tenemos esta remisión',
    'insufficient-information': 'Falta información',
    safety: 'Motivos de seguridad',
    'client-unreachable': 'No se puede localizar a la persona',
    other: 'Otro motivo (dígalo abajo)',
  },
  outcomes: {
    'service-received': 'La persona recibió el servicio',
    'partly-received': 'La persona recibió una parte del servicio',
    'not-received': 'La persona no recibió el servicio',
    'client-declined': 'La persona no quiso el servicio',
    'no-show': 'La persona no vino',
    unreachable: 'No se pudo localizar a la persona',
    ineligible: 'La persona no cumplía los requisitos',
    'no-capacity': 'No tuvimos cupo',
    other: 'Terminó de otra manera (diga cómo abajo)',
  },
  contactModes: {
    phone: 'Llamada',
    'in-person': 'En persona',
    video: 'Videollamada',
    text: 'Mensaje de texto',
    email: 'Correo electrónico',
    mail: 'Carta',
  },
  contactOutcomes: {
    reached: 'Hablamos con la persona',
    'left-message': 'Dejamos un mensaje',
    'no-answer': 'Nadie respondió',
    'wrong-number': 'Número equivocado',
    'client-declined': 'La persona no quiso el servicio',
  },
  agreements: { booked: 'Sí, está fijada', proposed: 'No, es una propuesta' },
  faults: {
    'reason-missing': 'Elija un motivo.',
    'reason-text-missing': 'Diga el motivo en pocas palabras.',
    'text-missing': 'Escriba algo primero.',
    'text-too-long': 'Este texto es demasiado largo. Escriba 4.000 caracteres como máximo.',
    'outcome-missing': 'Elija cómo terminó.',
    'outcome-text-missing': 'Diga en pocas palabras cómo terminó.',
    'mode-missing': 'Elija cómo.',
    'contact-outcome-missing': 'Elija qué resultó.',
    'time-missing': 'Indique una fecha y una hora.',
    'time-not-real': 'Esa hora no existe, o existe dos veces, ese día por el cambio de hora. Elija otra hora.',
    'time-in-future': 'Esa hora todavía no ha llegado.',
    'time-before-referral': 'Esto es anterior al envío de la remisión. Compruebe la fecha.',
    'time-in-past': 'Esa hora ya pasó.',
    'minutes-wrong': 'Indique una duración de 5 a 600 minutos.',
    'agreement-missing': 'Elija una de las dos opciones.',
    'name-missing': 'Indique su nombre, con 100 caracteres como máximo.',
    'code-not-six-digits': 'Un código tiene seis dígitos.',
  },

  notAllowed: (state, legal) =>
    `Esto no se puede hacer ahora. La remisión está: ${state}. ${
      legal.length === 0 ? 'Ya no se puede hacer nada más con ella.' : `Lo que se puede hacer: ${legal.join(', ')}.`
    }`,
  appointmentThere:
    'Ya hay una cita para esta hora y este lugar; la lista de citas muestra cómo está. No se cambió nada. Proponga otra hora o escriba a la agencia.',
  stale:
    'Mientras esta página estaba abierta, la remisión ha cambiado. Todavía no se envió nada. Lea lo nuevo y envíe el formulario otra vez si sigue siendo correcto.',
  staleOver:
    'Mientras esta página estaba abierta, la remisión ha cambiado y esto ya no se puede hacer. No se envió nada. Lea lo nuevo.',
  staleNothing: 'Se cambió un detalle de la remisión.',
  unsent: {
    title: 'Lo que escribió, sin enviar',
    hint: 'Cópielo si todavía lo necesita: no se guarda en ningún otro lugar.',
  },
  nothingToDo: 'Esta remisión ha terminado. No le queda nada por hacer.',
  history: {
    none: 'Todavía nada.',
    you: 'Usted',
    them: 'La agencia',
    state: (state) => `Estado: ${state}`,
    comment: 'Comentario',
    contact: (outcome) => `Contacto con la persona: ${outcome}`,
    appointment: (state, at) => `Cita, ${state}: ${at}`,
  },
  appointmentStates: {
    proposed: 'propuesta',
    booked: 'fijada',
    kept: 'cumplida',
    cancelled: 'cancelada',
    'no-show': 'la persona no vino',
  },
  mail: {
    newReferral: (link, days) => ({
      subject: 'Una remisión espera su respuesta',
      text: `Una agencia comunitaria ha enviado una remisión a su organización y espera su respuesta.

Ábrala aquí:
${link}

Se le pedirá un código, que enviamos a esta organización cuando usted lo pida. El enlace funciona durante ${days} días y solo para esta remisión.

Por privacidad, este mensaje no dice nada sobre la persona ni sobre el servicio. Si no lo esperaba, puede ignorarlo.`,
    }),
    news: (link, days) => ({
      subject: 'Hay novedades sobre una remisión',
      text: `Algo ha cambiado en una remisión en la que trabaja su organización.

Ábrala aquí:
${link}

Se le pedirá un código, que enviamos a esta organización cuando usted lo pida. El enlace funciona durante ${days} días y solo para esta remisión.

Por privacidad, este mensaje no dice nada sobre la persona ni sobre el servicio.`,
    }),
    code: (code, minutes) => ({
      subject: 'Su código de un solo uso',
      text: `Su código es ${code}

Funciona una sola vez, durante ${minutes} minutos. Nunca lo pedimos por teléfono. Si usted no lo pidió, otra persona ha abierto un enlace que se envió a su organización: sin el código no ve nada.`,
    }),
  },
};
