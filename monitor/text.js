/** Every text of the page, in English and in Portuguese. Whatever shows words calls it. */
import { printable } from "./short_names.js";

const TEXTS = {
  en: {
    title: "Group communication by ack",
    group: "The group",
    diagram: "Space-time diagram",
    messages: "Messages",
    pause: "Pause",
    resume: "Continue",
    clear: "Clear",
    clientOnly: "What the client knows",
    heartbeats: "Heartbeats",
    mermaid: "Mermaid",
    language: "Português",
    close: "Close",
    connected: "live",
    disconnected: "the monitor is away, trying again…",
    lost: "{lost} events were lost",
    legend:
      "Time runs downwards, 40 px a second; what is faster than 0.3 s is drawn with the least slope that can be seen. Click on an arrow for its story.",
    legendMessage: "message",
    legendAck: "ack",
    legendBar: "waits for the ack",
    legendLost: "lost or crashed",
    legendDup: "duplicate",
    discovery: "discovery",
    receivers: "receivers",
    groupWords: "{clients} clients, {receivers} receivers in the group, {gone} gone.",
    more: "… and {n} more",
    left: "left",
    expired: "expired",
    replaced: "replaced",
    columns: ["time", "message", "from", "to", "attempt", "what happened"],
    acked: "acked",
    ackedDuplicate: "acked, duplicate",
    ackedLate: "acked late",
    waiting: "waiting for the ack",
    timedOut: "timed out",
    failed: "connection failed",
    unreached: "not reached",
    gaveUp: "given up",
    story: "The story of message {id}",
    sSent: "{client} sent it to {receiver}, attempt {n}, and waits {timeout} for the ack.",
    sRetried: "{client} sent it again to {receiver}, attempt {n}: same id, so that it can be recognized.",
    sReceived: "{receiver} received attempt {n}.",
    sReceivedDuplicate:
      "{receiver} received attempt {n}, and knows the id: a duplicate, which it will not process again.",
    sProcessed: "{receiver} processed it: {body}",
    sAcked: "{receiver} sent the ack.",
    sAckReceived: "{client} got the ack of {receiver}.",
    sAckDuplicate: "{client} got the ack of {receiver}, which says that it had processed it before.",
    sAckLate: "{client} got the ack late, after the timeout of that attempt.",
    sAckIgnored: "{client} got another ack of {receiver}; nobody waits for it any more.",
    sTimedOut:
      "No ack of {receiver} in time. {client} can't know why: message lost, ack lost, crash, or only slow.",
    sFailed: "The connection to {receiver} failed: {why}.",
    sUnreached: "{client} did not reach {receiver} for attempt {n}, so nothing was sent: {why}.",
    sGaveUp: "{client} gave up on {receiver}: {why}. The outcome: {outcome}.",
    outcomeUndelivered: "undelivered (it provably never arrived)",
    outcomeUnknown: "unknown (it may or may not have been processed)",
    outcomeAcked: "acked",
    faultSilent: "{receiver} crashed before processing it. No ack comes.",
    faultLostAck: "The ack of {receiver} will be lost.",
    faultLateAck: "The ack of {receiver} will be late.",
    faultDisconnect: "{receiver} closed the connection before processing it.",
    faultExit: "The process of {receiver} died before processing it.",
    clientStory: "Only what the client knows:",
  },
  pt: {
    title: "Comunicação em grupo por ack",
    group: "O grupo",
    diagram: "Diagrama espaço-tempo",
    messages: "Mensagens",
    pause: "Pausar",
    resume: "Continuar",
    clear: "Limpar",
    clientOnly: "O que o cliente sabe",
    heartbeats: "Heartbeats",
    mermaid: "Mermaid",
    language: "English",
    close: "Fechar",
    connected: "ao vivo",
    disconnected: "o monitor não responde, tentando de novo…",
    lost: "{lost} eventos perdidos",
    legend:
      "O tempo desce, 40 px por segundo; o que leva menos de 0,3 s é desenhado com a menor inclinação visível. Clique numa seta para ver sua história.",
    legendMessage: "mensagem",
    legendAck: "ack",
    legendBar: "espera pelo ack",
    legendLost: "perda ou queda",
    legendDup: "duplicata",
    discovery: "descoberta",
    receivers: "receptores",
    groupWords: "{clients} clientes, {receivers} receptores no grupo, {gone} fora.",
    more: "… e mais {n}",
    left: "saiu",
    expired: "expirou",
    replaced: "substituído",
    columns: ["hora", "mensagem", "de", "para", "tentativa", "o que houve"],
    acked: "confirmada",
    ackedDuplicate: "confirmada, duplicata",
    ackedLate: "confirmada com atraso",
    waiting: "esperando o ack",
    timedOut: "prazo esgotado",
    failed: "conexão perdida",
    unreached: "receptor não alcançado",
    gaveUp: "o cliente desistiu",
    story: "A história da mensagem {id}",
    sSent: "{client} a enviou a {receiver}, tentativa {n}, e espera {timeout} pelo ack.",
    sRetried: "{client} a enviou de novo a {receiver}, tentativa {n}: com o mesmo id, para ser reconhecida.",
    sReceived: "{receiver} recebeu a tentativa {n}.",
    sReceivedDuplicate:
      "{receiver} recebeu a tentativa {n} e já conhece o id: é uma duplicata, que não processa de novo.",
    sProcessed: "{receiver} a processou: {body}",
    sAcked: "{receiver} enviou o ack.",
    sAckReceived: "{client} recebeu o ack de {receiver}.",
    sAckDuplicate: "{client} recebeu o ack de {receiver}, que avisa que já a tinha processado.",
    sAckLate: "{client} recebeu o ack com atraso, depois do prazo daquela tentativa.",
    sAckIgnored: "{client} recebeu mais um ack de {receiver}; ninguém mais espera por ele.",
    sTimedOut:
      "Nenhum ack de {receiver} no prazo. {client} não tem como saber por quê: mensagem perdida, ack perdido, queda ou só lentidão.",
    sFailed: "A conexão com {receiver} se perdeu: {why}.",
    sUnreached: "{client} não alcançou {receiver} para a tentativa {n}, então nada foi enviado: {why}.",
    sGaveUp: "{client} desistiu de {receiver}: {why}. Desfecho: {outcome}.",
    outcomeUndelivered: "não entregue (com certeza não chegou)",
    outcomeUnknown: "desconhecido (pode ter sido processada ou não)",
    outcomeAcked: "confirmada",
    faultSilent: "{receiver} caiu antes de processá-la. Não virá nenhum ack.",
    faultLostAck: "O ack de {receiver} vai se perder.",
    faultLateAck: "O ack de {receiver} vai atrasar.",
    faultDisconnect: "{receiver} fechou a conexão antes de processá-la.",
    faultExit: "O processo de {receiver} morreu antes de processá-la.",
    clientStory: "Só o que o cliente sabe:",
  },
};

/** @typedef {keyof typeof TEXTS} Language */
/** @typedef {Exclude<keyof typeof TEXTS.en, "columns">} TextKey */

/** @type {Language} */
let language = "en";

/** @param {string} code the browser's, such as pt-BR */
export function chooseLanguage(code) {
  language = code.startsWith("pt") ? "pt" : "en";
}

export function switchLanguage() {
  language = language === "pt" ? "en" : "pt";
}

/** The code of the language, for the page's `lang`. */
export function languageCode() {
  return language === "pt" ? "pt-BR" : "en";
}

/**
 * A text, its `{names}` filled in with what may come from outside.
 * @param {TextKey} key @param {Record<string, string | number>} [values]
 */
export function text(key, values = {}) {
  return TEXTS[language][key].replace(/\{(\w+)\}/g, (_, name) => printable(String(values[name] ?? "?")));
}

export function columns() {
  return TEXTS[language].columns;
}
