/** The lessons: what each starts, and what it tells a class to do. lesson.ts plays one; its page is in docs/lessons. */
import type { Leases } from "./servers.ts";

export const LANGUAGES = ["en", "pt"] as const;
export type Language = (typeof LANGUAGES)[number];

/** Options by their names, such as `{ plan: "ok,lost" }`. */
export type Flags = Readonly<Record<string, string | undefined>>;

export interface Lesson {
  page: string; // its file's name, without .md
  title: Record<Language, string>;
  toDo: Record<Language, readonly string[]>;
  receivers: readonly Flags[]; // the options of each
  client: Flags;
  leases?: Leases;
  /** The class starts discovery itself, in a second terminal. */
  withoutDiscovery?: true;
}

const ACK_TIMEOUT = { "ack-timeout": "2s" }; // long enough to be seen, short enough to wait for

export const LESSONS: readonly Lesson[] = [
  {
    page: "1-at-least-once",
    title: { en: "at least once", pt: "pelo menos uma vez" },
    toDo: {
      en: [
        "Write down what the client will say to each of two messages.",
        'Send the first: type "0 first".',
        'Send the second: type "0 second". What does the client know while it waits?',
      ],
      pt: [
        "Escreva o que o cliente vai dizer de cada uma das duas mensagens.",
        'Envie a primeira: digite "0 primeira".',
        'Envie a segunda: digite "0 segunda". O que o cliente sabe enquanto espera?',
      ],
    },
    receivers: [{ plan: "ok,silent,silent" }],
    client: ACK_TIMEOUT,
  },
  {
    page: "2-lost-message-lost-ack",
    title: { en: "a lost message and a lost ack", pt: "uma mensagem perdida e um ack perdido" },
    toDo: {
      en: [
        "To receiver 0 the message will be lost; of receiver 1 the ack. Write down what the client will say of each.",
        'Type "0 hello", and then "1 hello".',
        "Which line is the first by which the client could tell them apart?",
      ],
      pt: [
        "A mensagem para o receptor 0 vai se perder; do receptor 1, o ack. Escreva o que o cliente vai dizer em cada caso.",
        'Digite "0 oi" e depois "1 oi".',
        "Qual é a primeira linha em que o cliente pode perceber a diferença?",
      ],
    },
    receivers: [{ plan: "lost" }, { plan: "lost-ack" }],
    client: ACK_TIMEOUT,
  },
  {
    page: "3-duplicates",
    title: { en: "duplicates", pt: "duplicatas" },
    toDo: {
      en: [
        'Type "0 pay 10": the ack is lost. Is the sum paid twice?',
        'Type "0 pay 10" again: the same text. And now?',
        'Type "any pay 10": whoever answers may process it. How often is it paid?',
      ],
      pt: [
        'Digite "0 pague 10": o ack se perde. O valor é pago duas vezes?',
        'Digite "0 pague 10" de novo: o mesmo texto. E agora?',
        'Digite "any pague 10": quem responder pode processar. Quantas vezes é pago?',
      ],
    },
    receivers: [{ plan: "lost-ack,ok,lost-ack" }, { plan: "lost-ack" }],
    client: ACK_TIMEOUT,
  },
  {
    page: "4-the-late-ack",
    title: { en: "the late ack", pt: "o ack atrasado" },
    toDo: {
      en: [
        "Nothing fails today: each way takes 1.5 s, and the client waits 2 s for the ack. Draw what will happen.",
        'Type "0 hello", and look at the page: two arrows cross.',
        "How many acks come, and what for is the second?",
      ],
      pt: [
        "Hoje nada falha: cada viagem, de ida ou de volta, leva 1,5 s, e o cliente espera 2 s pelo ack. Desenhe o que vai acontecer.",
        'Digite "0 oi" e olhe a página: duas setas se cruzam.',
        "Quantos acks chegam, e para que serve o segundo?",
      ],
    },
    receivers: [{}],
    client: { ...ACK_TIMEOUT, "link-delay": "1500ms" },
  },
  {
    page: "5-the-crash-and-the-lease",
    title: { en: "the crash and the lease", pt: "a queda e a concessão" },
    toDo: {
      en: [
        "Receiver 0 dies of its first message. Write down when the client will give up, and what it will say.",
        'Type "0 hello", and wait: what does the client try meanwhile?',
        "When the list comes again: who is in it, and since when could the client know?",
      ],
      pt: [
        "O receptor 0 morre ao receber a primeira mensagem. Escreva quando o cliente vai desistir, e o que vai dizer.",
        'Digite "0 oi" e espere: o que o cliente tenta nesse meio-tempo?',
        "Quando a lista voltar: quem está nela, e desde quando o cliente podia saber disso?",
      ],
    },
    receivers: [{ plan: "exit", "heartbeat-every": "2s" }, { "heartbeat-every": "2s" }],
    client: ACK_TIMEOUT,
    leases: { receiverTtlMs: 6000, sweepEveryMs: 1000 },
  },
  {
    page: "6-discovery-dies-and-comes-back",
    title: { en: "discovery dies and comes back", pt: "a descoberta cai e volta" },
    toDo: {
      en: [
        "Nobody knows anybody yet: start discovery in a second terminal, with the command above.",
        "When the receiver is listed, end discovery there with Ctrl-C. Will a message still be acked?",
        "Start it again. Whom does it know, and how long does that take?",
      ],
      pt: [
        "Por enquanto, ninguém conhece ninguém: inicie a descoberta em um segundo terminal, com o comando acima.",
        "Quando o receptor aparecer na lista, encerre a descoberta com Ctrl-C. Uma mensagem ainda recebe ack?",
        "Inicie a descoberta de novo. Quem ela conhece, e quanto tempo isso leva?",
      ],
    },
    receivers: [{ "heartbeat-every": "3s" }],
    client: ACK_TIMEOUT,
    withoutDiscovery: true,
  },
  {
    page: "7-the-group-and-its-majority",
    title: { en: "the group and its majority", pt: "o grupo e a sua maioria" },
    toDo: {
      en: [
        "Of three receivers one doesn't answer the first message, and two the second. Two acks are enough.",
        'Type "all first". How long does it take, and what is said of the third receiver?',
        'Type "all second". And now?',
      ],
      pt: [
        "Dos três receptores, um não responde à primeira mensagem, e dois não respondem à segunda. Dois acks bastam.",
        'Digite "all primeira". Quanto tempo leva, e o que se diz do terceiro receptor?',
        'Digite "all segunda". E agora?',
      ],
    },
    receivers: [{}, { plan: "ok,silent" }, { plan: "silent,silent,silent" }],
    client: { ...ACK_TIMEOUT, need: "majority" },
  },
];
