import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CallEvent, CallExtras, CallParameters, EventName } from '../../src/calls/event.ts';
import type { Clock } from '../../src/deliveries/clock.ts';
import type { DeliveryLog } from '../../src/deliveries/delivery-log.ts';
import { DeliveryRecords } from '../../src/deliveries/delivery-records.ts';
import type { DeliveryOptions, Sender } from '../../src/deliveries/dispatcher-parts.ts';
import type { ScriptRequest } from '../../src/deliveries/request.ts';
import type { AttemptOutcome } from '../../src/deliveries/retry.ts';
import type { SenderOptions } from '../../src/deliveries/sender.ts';
import { SqliteStore } from '../../src/deliveries/store.ts';
import { StoreFile } from '../../src/deliveries/store-file.ts';
import type { ParameterStyle, Rule } from '../../src/rules/rule.ts';

export const T0 = Date.UTC(2026, 0, 1);

export const PARAMS: CallParameters = {
  CallID: 'a84b4c76e66710@pc33.example.com',
  CallerIDNum: '+15551234567',
  CallerIDName: 'Front desk',
  CalledDID: '15550001111',
  CalledExtension: '0003*102',
  CallStatus: 'CALLING',
  CallFlow: 'IN',
  CallerExtension: '',
  CalledNumber: '102',
  CallAPIID: 'abcdefghij0123456789',
};

/** `PARAMS` as a form. */
export const PARAMS_FORM =
  'CallID=a84b4c76e66710%40pc33.example.com&CallerIDNum=%2B15551234567&CallerIDName=Front%20desk&CalledDID=15550001111' +
  '&CalledExtension=0003%2A102&CallStatus=CALLING&CallFlow=IN&CallerExtension=&CalledNumber=102&CallAPIID=abcdefghij0123456789';

interface EventOverrides {
  event?: EventName;
  params?: Partial<CallParameters>;
  extras?: CallExtras;
}

export function makeEvent({ event = 'dial-in', params, extras }: EventOverrides = {}): CallEvent {
  const all = { ...PARAMS, ...params };
  return {
    event,
    at: T0 + 2500,
    dialledAt: T0 + 1500,
    extension: '0003*102',
    params: all,
    extras: { EventType: event, EventID: `${all.CallAPIID}-1-${event}`, ...extras },
  };
}

/** An event of a call, told by its number in that call. */
export const eventOf = (call: string, sequence: number, event: EventName = 'dial-in'): CallEvent =>
  makeEvent({ event, params: { CallAPIID: call }, extras: { EventID: `${call}-${sequence}`, Sequence: sequence } });

export const PLAIN_STYLE: ParameterStyle = {
  callFlow: 'upper',
  callId: 'sip',
  answeredHangup: 'ANSWER',
  omitEmpty: false,
};

export const makeRule = (more: Partial<Rule> = {}): Rule => ({
  id: 'rule-1',
  source: 'file',
  extensions: ['*'],
  events: ['dial-in', 'dial-out', 'answer-in', 'answer-out', 'hangup'],
  method: 'GET',
  url: 'http://127.0.0.1:9/script',
  note: '',
  enabled: true,
  extras: [],
  body: 'form',
  headers: {},
  secrets: [],
  tls: undefined,
  style: PLAIN_STYLE,
  scheduleMs: [1000, 2000, 5000],
  staleAfterMs: 60_000,
  ...more,
});

export const OPTIONS: DeliveryOptions = {
  concurrencyPerScript: 8,
  ratePerScript: Infinity,
  scripts: new Map(),
  breaker: { failures: 100, minWaitMs: 1000, maxWaitMs: 60_000 },
  maxPending: 100_000,
  maxPendingPerScript: 100_000,
  retentionMs: 7 * 24 * 3600_000,
  attemptDelayMs: 0,
};

export const SENDING: SenderOptions = {
  connectTimeoutMs: 5000,
  timeoutMs: 15_000,
  connectionsPerOrigin: 8,
  userAgent: 'Ringside/1.2.3',
  allowedNetworks: [],
};

/** A store with what it has on record. */
export function openStore(path = ':memory:', busyTimeoutMs?: number) {
  const file = new StoreFile(path, busyTimeoutMs);
  return { file, store: new SqliteStore(file), records: new DeliveryRecords(file) };
}

/** A clock that stands until it is moved. */
export class FakeClock implements Clock {
  chance = 0.5;
  #now = T0;
  #timers: { at: number; run: () => void }[] = [];

  readonly now = (): number => this.#now;
  readonly random = (): number => this.chance;

  /** How many timers run. */
  get running(): number {
    return this.#timers.length;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Somebody sets the clock; timers go on as they were. */
  set(byMs: number): void {
    this.#now += byMs;
    for (const timer of this.#timers) timer.at += byMs;
  }

  /** Moves on, running what comes due, each at its own time. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await finishTurns();
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = next.at;
      next.run();
      await finishTurns();
    }
    this.#now = end;
  }
}

/** Lets everything happen that waits for nothing but its turn. */
export async function finishTurns(): Promise<void> {
  for (let turn = 0; turn < 6; turn++) await nextTurn();
}

/** Answers as it is told, without a network. */
export class FakeSender implements Sender {
  readonly sent: { readonly url: string; readonly headers: object }[] = [];
  answer: (request: ScriptRequest) => AttemptOutcome | Promise<AttemptOutcome> = () => ({ status: 200 });
  onClose = (): void => {};

  send(request: ScriptRequest, { headers }: Rule): Promise<AttemptOutcome> {
    this.sent.push({ url: request.url, headers });
    return Promise.resolve(this.answer(request));
  }

  close(): Promise<void> {
    this.onClose();
    return Promise.resolve();
  }
}

/** Keeps what was logged. */
export class FakeLog implements DeliveryLog {
  readonly lines: { readonly level: string; readonly message: string; readonly fields: object }[] = [];

  readonly info = (fields: object, message: string): void => this.#keep('info', fields, message);
  readonly warn = (fields: object, message: string): void => this.#keep('warn', fields, message);
  readonly error = (fields: object, message: string): void => this.#keep('error', fields, message);

  #keep(level: string, fields: object, message: string): void {
    this.lines.push({ level, fields, message });
  }
}

/** A request as a script got it. */
export interface ReceivedRequest {
  /** `GET /script?a=b HTTP/1.1` */
  readonly line: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Byte for byte, as Latin-1. */
  readonly body: string;
  /** The client's port: the same for two requests over one connection. */
  readonly port: number | undefined;
}

type Handler = (response: ServerResponse, request: ReceivedRequest) => void;

/** A web server with scripts, which keeps what it got. */
export class ScriptServer {
  readonly received: ReceivedRequest[] = [];
  handle: Handler = (response) => response.end('OK');
  readonly #server = createServer((message, response) => void this.#receive(message, response));
  #waiting: (() => void)[] = [];

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when a condition holds, looked at after each request. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #receive(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk as Buffer);
    const request = describe(message, Buffer.concat(chunks).toString('latin1'));
    this.received.push(request);
    this.handle(response, request);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

function describe({ method, url = '', httpVersion, rawHeaders, socket }: IncomingMessage, body: string) {
  const headers = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name, rawHeaders[i + 1]!] as const] : []));
  const path = url.split('?', 1)[0]!;
  return { line: `${method} ${url} HTTP/${httpVersion}`, path, headers, body, port: socket.remotePort };
}
