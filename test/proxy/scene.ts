import type { Test } from 'tap';
import { startProduct, type Product, type ProductOptions } from './product.ts';
import { Agent } from './support/pbx/agent.ts';
import { until } from './support/ports.ts';

// Phones around a running Ringside, and what its script was told, one line for each party.

type Told = Readonly<Record<string, string>>;

const SETTLE_MS = 100; // an event too many would come now

/** Phones with their numbers, registered. */
export class Scene {
  readonly product: Product;
  readonly #phones = new Map<string, Agent>();
  #seen = 0;

  constructor(product: Product) {
    this.product = product;
  }

  /** What each phone has from now on, and what the script is told from now on, belongs to the next act. */
  async begin(): Promise<void> {
    await until(() => this.#isQuiet(), 'the end of the act before');
    this.#seen = this.product.told.length;
    for (const phone of this.#phones.values()) phone.calls.clear();
  }

  add(phone: Agent): void {
    this.#phones.set(phone.user, phone);
  }

  phone(number: string): Agent {
    return this.#phones.get(number)!;
  }

  /** The parties of the act, in the order of their calls and legs, once as many events came as are expected. */
  async told(expected: readonly string[]): Promise<string[]> {
    const { length } = expected.flatMap((line) => line.match(/\b(?:dial|answer)-(?:in|out)\b|\bhangup\b/g) ?? []);
    await until(() => this.#events.length >= length, `${length} events`).catch(() => {}); // the comparison tells more
    await new Promise((done) => setTimeout(done, SETTLE_MS));
    return this.describe();
  }

  describe(): string[] {
    const events = this.#events;
    const ids = [...new Set(events.map((event) => event['CallAPIID']!))];
    const parties = Object.groupBy(events, (event) => `${event['SubCallID']}`);
    return Object.values(parties)
      .map((all) => describeParty(all!, ids, (callId) => this.#legName(callId)))
      .toSorted();
  }

  get #events(): readonly Told[] {
    return this.product.told.slice(this.#seen);
  }

  #isQuiet(): boolean {
    return [...this.#phones.values()].every(({ calls }) => [...calls].every(({ state }) => state === 'over'));
  }

  /** `102.1` is the first call of the phone 102. */
  #legName(callId: string): string {
    for (const { user, calls } of this.#phones.values()) {
      const at = [...calls].findIndex((call) => call.callId === callId);
      if (at >= 0) return `${user}.${at + 1}`;
    }
    return callId;
  }
}

const EXPECTED: Told = {
  'dial-in': 'CALLING',
  'dial-out': 'CALLING',
  'answer-in': 'ANSWER',
  'answer-out': 'ANSWER',
};

const letter = (id: string, ids: readonly string[]): string => 'ABCDEFGH'[ids.indexOf(id)] ?? id;

/** `A 102 IN 102.1, 101 "Alice" dialled 102 (102): dial-in, answer-in, hangup ANSWER; numbers 0.8` */
function describeParty(events: readonly Told[], ids: readonly string[], legName: (callId: string) => string): string {
  const each = (name: string): string => [...new Set(events.map((event) => event[name] ?? ''))].join('|');
  const calls = [...new Set(events.map((event) => letter(event['CallAPIID']!, ids)))].join('>');
  const own = each('CallFlow') === 'OUT' ? each('CallerExtension') : each('CalledExtension');
  const name = each('CallerIDNum').endsWith(each('CallerIDName')) ? '' : ` "${each('CallerIDName')}"`;
  const caller = `${each('CallerIDNum')}${name}`;
  const numbers = `${caller} [${each('CallerExtension')}] dialled ${each('CalledNumber')} [${each('CalledExtension')}]`;
  const did = each('CalledDID') === '' ? '' : ` did ${each('CalledDID')}`;
  const legs = each('CallID').split('|').map(legName).join('|');
  const what = [events.map(describeStep).join(', '), ...describeExtras(events.at(-1)!, ids)];
  return `${calls} ${own} ${each('CallFlow')} ${legs}, ${numbers}${did}: ${what.join('; ')}`.replaceAll('0003*', '');
}

function describeStep({ EventType: type, CallStatus: status, Detail: detail, Synthesised: made }: Told): string {
  if (type !== 'hangup') return `${type}${EXPECTED[type!] === status ? '' : ` ${status}`}`;
  return [type, status, ...(detail === 'answered' ? [] : [detail]), ...(made === '1' ? ['synthesised'] : [])].join(' ');
}

function describeExtras(last: Told, ids: readonly string[]): string[] {
  const { Correlation: how, TransferredBy: by, PreviousCallAPIID: before, AnsweredBy: answered } = last;
  return [
    ...(how ? [how] : []),
    ...(by ? [`by ${by}`] : []),
    ...(before ? [`was ${letter(before, ids)}`] : []),
    ...(answered && answered !== last['CalledExtension'] ? [`answered by ${answered}`] : []),
  ];
}

/** Ringside with phones that have these numbers, at addresses of their own; all end with the test. */
export async function openScene(t: Test, numbers: readonly string[], options: ProductOptions): Promise<Scene> {
  const scene = new Scene(await startProduct(t, options));
  for (const number of numbers) {
    const phone = await openAgent(t, number, `127.0.0.${number}`, 'acme.example.com', `secret${number}`);
    phone.proxy = scene.product.udp;
    scene.add(phone);
  }
  return scene;
}

/** An agent that is closed when the test ends. */
export async function openAgent(t: Test, user: string, ip: string, domain: string, password = ''): Promise<Agent> {
  const agent = await new Agent({ ip, user, domain, password }).open();
  t.teardown(() => agent.close());
  return agent;
}
